import { AppError, isErrorCode } from '@docent/core/errors'
import { isStorable } from '@docent/core/text/storable'
import type { ChunkEdit, Corpus, DocumentChunk } from '@docent/corpus/corpus'
import { principalOf } from '@docent/kit/internal'
import { parse } from '@docent/kit/parse'
import { Router } from 'express'
import { z } from 'zod'
import type { Extractor } from '../extract-client.ts'
import { readDocument, wellFormed } from '../jobs/index-document.ts'
import type { Push } from '../queue.ts'
import { findVisible, requireIngest } from './access.ts'

type Deps = { corpus: Corpus; extractor: Extractor; push: Push; folder: string }

const PREVIEW_MS = 55_000 // the gateway waits a minute for the first byte
const documentId = z.uuid()
const List = {
  params: z.object({ documentId }),
  query: z.strictObject({
    cursor: z.coerce.number().int().min(0).max(2_000_000_000).optional(),
    limit: z.coerce.number().int().min(1).max(200).default(50),
  }),
}
const Change = {
  params: z.object({ documentId, chunkId: z.string().regex(/^[0-9a-f]{32}$/) }),
  body: z
    .strictObject({
      enabled: z.boolean().optional(),
      text: z.string().trim().min(1).max(8_000).refine(isStorable, 'must be well-formed text without NUL').nullable().optional(),
    })
    .refine(({ enabled, text }) => enabled !== undefined || text !== undefined, 'must name enabled or text'),
}
const Forget = { params: z.object({ documentId, sourceHash: z.string().regex(/^[0-9a-f]{64}$/) }) }
const Preview = {
  params: z.object({ documentId }),
  query: z.strictObject({
    offset: z.coerce.number().int().min(0).max(1_000_000_000).default(0),
    limit: z.coerce.number().int().min(1).max(200_000).default(20_000),
  }),
}

/** A document from the inside: its chunks, the owner's edits of them, and what the extractor sees in the file. */
export function chunksRouter({ corpus, extractor, push, folder }: Deps): Router {
  const router = Router()

  router.get('/documents/:documentId/chunks', async (req, res) => {
    const { params, query } = parse(List, req)
    await findVisible(corpus, params.documentId, principalOf(req))
    const found = await corpus.listDocumentChunks(params.documentId, query.cursor ?? -1, query.limit + 1)
    const items = found.slice(0, query.limit)
    const edits = await corpus.listChunkEdits(params.documentId)
    res.json({
      items: items.map((chunk) => viewOf(chunk, edits)),
      orphaned: edits.filter(({ isOrphaned }) => isOrphaned).map(editView),
      ...(found.length > items.length ? { next: String(items.at(-1)!.ordinal) } : {}),
    })
  })

  router.patch('/documents/:documentId/chunks/:chunkId', async (req, res) => {
    const principal = principalOf(req)
    requireIngest(principal)
    const { params, body } = parse(Change, req)
    const document = await findVisible(corpus, params.documentId, principal)
    const chunk = await corpus.findDocumentChunk(params.documentId, params.chunkId)
    if (!chunk) throw new AppError('not_found', 'There is no such chunk in the version that serves; list the chunks again.')
    const source = chunk.source ?? { hash: chunk.textHash, text: chunk.text }
    // edits of the same chunk add up: what is not named stays
    const edits = await corpus.listChunkEdits(params.documentId)
    const old = edits.find(({ sourceHash }) => sourceHash === source.hash)
    const isDisabled = body.enabled === undefined ? (old?.isDisabled ?? false) : !body.enabled
    const isSource = body.text === null || body.text === source.text
    const text = body.text === undefined ? (old?.text ?? null) : isSource ? null : body.text
    const edit = isDisabled || text !== null ? { sourceText: source.text, isDisabled, text, by: principal.id } : undefined
    await corpus.editChunk(params.documentId, source.hash, edit)
    // whoever wants all of a chunk back wants no edit of another chunk in it any more
    const cutBy = edit ? [] : (chunk.cutBy ?? [])
    const isRestored = isSource || (body.enabled === true && chunk.isDisabled === true)
    if (isRestored) for (const hash of cutBy) await corpus.editChunk(params.documentId, hash, undefined)
    await push([document], 'now')
    const { cutBy: _, ...whole } = { ...chunk, isDisabled, text: text ?? source.text, source: text === null ? undefined : source }
    const isCut = cutBy.length > 0 && !isRestored
    res.status(202).json({
      ...viewOf(isCut ? chunk : whole, edits),
      state: (await corpus.findDocument(document.id))?.state,
    })
  })

  router.delete('/documents/:documentId/chunk-edits/:sourceHash', async (req, res) => {
    const principal = principalOf(req)
    requireIngest(principal)
    const { params } = parse(Forget, req)
    const document = await findVisible(corpus, params.documentId, principal)
    if (!(await corpus.editChunk(params.documentId, params.sourceHash, undefined)))
      throw new AppError('not_found', 'There is no such edit.')
    await push([document], 'now')
    res.status(204).end()
  })

  router.get('/documents/:documentId/preview', async (req, res) => {
    const { params, query } = parse(Preview, req)
    const document = await findVisible(corpus, params.documentId, principalOf(req))
    if (!/^[0-9a-f]{64}$/.test(document.contentHash))
      throw new AppError(
        isErrorCode(document.errorCode) ? document.errorCode : 'unreadable',
        document.errorText ?? 'The file was never read.',
      )
    const left = new AbortController()
    res.on('close', () => left.abort())
    const signal = AbortSignal.any([left.signal, AbortSignal.timeout(PREVIEW_MS)])
    const seen = await readDocument(document, { folder, extractor }, signal).catch((error: unknown) => {
      if (signal.aborted)
        throw new AppError('timeout', 'The file takes longer to read than a request may; its chunks show it when it is ready.')
      throw error
    })
    const { text, blocks, title, pages, mediaType, notes } = wellFormed(seen)
    const end = Math.min(text.length, query.offset + query.limit)
    res.json({
      documentId: document.id,
      path: document.path,
      mediaType,
      ...(title ? { title } : {}),
      ...(pages ? { pages } : {}),
      notes,
      length: text.length,
      offset: query.offset,
      text: text.slice(query.offset, end),
      blocks: blocks.filter((block) => block.start < end && block.end > query.offset).map(({ text: _, ...place }) => place),
      ...(end < text.length ? { next: end } : {}),
    })
  })
  return router
}

function viewOf(
  { isDisabled, source, cutBy, ...chunk }: Omit<DocumentChunk, 'source'> & { source?: DocumentChunk['source'] | undefined },
  edits: readonly ChunkEdit[],
) {
  const cuts = edits.filter(({ sourceHash }) => cutBy?.includes(sourceHash)).map(editView)
  return {
    ...chunk,
    enabled: !isDisabled,
    overridden: source !== undefined,
    ...(source ? { original: source.text } : {}),
    ...(cuts.length > 0 ? { cutBy: cuts } : {}),
  }
}

function editView({ sourceHash, sourceText, isDisabled, text, at }: ChunkEdit) {
  return { sourceHash, sourceText, enabled: !isDisabled, ...(text === null ? {} : { text }), at }
}
