import { DocumentState } from '@docent/core/document'
import { AppError } from '@docent/core/errors'
import { mayRead, type Principal, readingGroups } from '@docent/core/principal'
import type { Corpus } from '@docent/corpus/corpus'
import { principalOf } from '@docent/kit/internal'
import { parse } from '@docent/kit/parse'
import { type SseEvent, sendEvents } from '@docent/kit/sse'
import { Router } from 'express'
import { z } from 'zod'
import type { DocumentEvent, Events } from '../events.ts'
import type { Push } from '../queue.ts'
import type { Scanner } from '../scan/scan-folder.ts'
import { findVisible, isInSight, requireIngest, requirePlaces, sightOf } from './access.ts'
import { removeInside } from './paths.ts'
import { conflictChoices } from './placements.ts'
import { sendFile } from './send-file.ts'
import { receiveUpload } from './upload.ts'

type Deps = {
  corpus: Corpus
  events: Events
  scanner: Scanner
  push: Push
  folder: string
  maxFileBytes: number
}

const One = { params: z.object({ documentId: z.uuid() }) }
const List = {
  query: z.strictObject({
    state: DocumentState.optional(),
    path: z
      .string()
      .max(1_000)
      .refine((path) => !path.includes('\0'), 'must not hold NUL')
      .optional(),
    cursor: z.string().max(2_000).optional(),
    limit: z.coerce.number().int().min(1).max(500).default(50),
  }),
}

const Upload = { query: z.strictObject({ onConflict: z.enum(conflictChoices).default('refuse') }) }

export function documentsRouter({ corpus, events, scanner, push, folder, maxFileBytes }: Deps): Router {
  const router = Router()

  const find = (documentId: string, principal: Principal) => findVisible(corpus, documentId, principal)

  router.get('/documents', async (req, res) => {
    const { query } = parse(List, req)
    const { state, path, cursor, limit } = query
    res.json(
      await corpus.listDocuments({
        limit,
        ...(state ? { state } : {}),
        ...(path ? { path } : {}),
        ...(cursor ? { cursor } : {}),
        ...sightOf(principalOf(req)),
      }),
    )
  })

  router.get('/documents/events', async (req, res) => {
    const principal = principalOf(req)
    const sees = async (documentId: string) => {
      const document = await corpus.findDocument(documentId)
      return document !== undefined && isInSight(document, principal)
    }
    await sendEvents(req, res, (left) => follow(events, left, principal.kind === 'admin' ? undefined : sees))
  })

  router.get('/documents/by-version/:documentId/:version', async (req, res) => {
    const { params } = parse(
      { params: z.object({ documentId: z.uuid(), version: z.coerce.number().int().min(0).max(2_000_000_000) }) },
      req,
    )
    const document = await corpus.findDocument(params.documentId)
    // whoever may not read it learns nothing of it, not even that it is gone
    if (document && !mayRead(readingGroups(principalOf(req)), document.readers)) return void res.json({ state: 'hidden' })
    const state = await corpus.stateOfVersion(params.documentId, params.version)
    res.json({ state, ...(document && state !== 'gone' ? { path: document.path } : {}) })
  })

  router.get('/documents/:documentId', async (req, res) => {
    const { params } = parse(One, req)
    await find(params.documentId, principalOf(req))
    const view = await corpus.viewDocument(params.documentId)
    if (!view) throw new AppError('not_found', 'There is no such document.')
    res.json(view)
  })

  router.get('/documents/:documentId/file', async (req, res) => {
    const { params } = parse(One, req)
    const document = await find(params.documentId, principalOf(req))
    await sendFile(req, res, folder, document, await corpus.charsetOf(document))
  })

  router.post('/documents', async (req, res) => {
    const principal = principalOf(req)
    requireIngest(principal)
    const { onConflict } = parse(Upload, req).query
    const upload = await receiveUpload(req, folder, maxFileBytes)
    const { settingsOf } = scanner
    const allow = (places: readonly string[]) => requirePlaces(places, principal, { corpus, settingsOf })
    const placed = await scanner.exclusively(() => upload.place(onConflict, allow))
    const paths = placed.map(({ path }) => path)
    scanner.trust(placed.filter(({ outcome }) => outcome !== 'unchanged').map(({ path }) => path))
    await scanner.scan()
    const found = await Promise.all(paths.map((path) => corpus.findByPath(path)))
    const items = await Promise.all(found.flatMap((document) => (document ? [corpus.viewDocument(document.id)] : [])))
    const left = await Promise.all(paths.map((path) => scanner.leavesOut(path)))
    const ignored = paths.filter((_, i) => left[i])
    res.status(202).json({
      paths,
      files: placed.map(({ from: _, ...told }) => told),
      items: items.filter((item) => item !== undefined),
      ...(ignored.length > 0
        ? { ignored, note: 'What is ignored lies in the folder, but .docentignore keeps it out of the answers.' }
        : {}),
    })
  })

  router.post('/documents/confirm-removal', async (req, res) => {
    requireIngest(principalOf(req))
    res.json({ removed: await scanner.confirmRemoval() })
  })

  router.post('/documents/:documentId/retry', async (req, res) => {
    requireIngest(principalOf(req))
    const { params } = parse(One, req)
    const document = await find(params.documentId, principalOf(req))
    if (document.state === 'queued' || document.state === 'indexing')
      throw new AppError('conflict', `The document is ${document.state} already.`)
    // without a content hash the file was never read: the scan itself is what has to be tried again
    if (/^[0-9a-f]{64}$/.test(document.contentHash)) {
      await corpus.setState(document.id, 'queued', undefined, document)
      await push([document], 'now')
      events.documentChanged({ documentId: document.id, path: document.path, state: 'queued' })
    } else await scanner.scan()
    res.status(202).json(await corpus.viewDocument(document.id))
  })

  router.delete('/documents/:documentId', async (req, res) => {
    requireIngest(principalOf(req))
    const { params } = parse(One, req)
    const document = await find(params.documentId, principalOf(req))
    await scanner.exclusively(async () => {
      await removeInside(folder, document.path)
      await corpus.removeDocument(document.id)
    })
    events.documentChanged({ documentId: document.id, path: document.path, state: 'removed' })
    res.status(204).end()
  })

  router.get('/stats', async (_req, res) => {
    const { lastScanAt, pendingRemoval } = scanner.status()
    res.json({
      documents: await corpus.countDocuments(),
      chunks: await corpus.countChunks(),
      lastScanAt,
      pendingRemoval,
      paused: events.pausedReasons(),
    })
  })
  return router
}

/** State changes as they happen; a reader who falls behind loses the oldest, never the newest. */
/** `sees` undefined: everything. */
async function* follow(
  events: Events,
  left: AbortSignal,
  sees: ((documentId: string) => Promise<boolean>) | undefined,
): AsyncGenerator<SseEvent[]> {
  let waiting: DocumentEvent[] = []
  let wake: () => void = () => undefined
  const off = events.onDocument((event) => {
    waiting = [...waiting.slice(-999), event]
    wake()
  })
  left.addEventListener('abort', () => wake(), { once: true })
  try {
    while (!left.aborted) {
      if (waiting.length === 0) await new Promise<void>((resolve) => (wake = resolve))
      const batch = waiting
      waiting = []
      const hidden = new Set<string>()
      for (const documentId of sees ? new Set(batch.map((event) => event.documentId)) : [])
        if (!(await sees?.(documentId))) hidden.add(documentId)
      yield batch.filter(({ documentId }) => !hidden.has(documentId)).map((data) => ({ type: 'document', data }))
    }
  } finally {
    off()
  }
}
