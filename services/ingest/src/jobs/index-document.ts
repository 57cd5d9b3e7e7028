import { createHash } from 'node:crypto'
import { lstat } from 'node:fs/promises'
import { join } from 'node:path'
import { embedText } from '@docent/core/chunk'
import type { Chunking } from '@docent/core/chunking'
import type { Extracted, Progress } from '@docent/core/document'
import { AppError, toAppError } from '@docent/core/errors'
import { languageOf } from '@docent/core/text/language'
import type { Corpus, DocumentRow, IndexSettings } from '@docent/corpus/corpus'
import { faultPoint } from '@docent/kit/fault-point'
import { defineJob, type JobOutcome } from '@docent/kit/jobs'
import { z } from 'zod'
import { applyEdits } from '../chunk/apply-edits.ts'
import { CHUNKER_VERSION, chunkDocument } from '../chunk/chunk.ts'
import type { Events } from '../events.ts'
import type { Extractor, Watch } from '../extract-client.ts'
import type { FindServing } from '../generations/serving.ts'
import { outages } from '../outages.ts'
import { diskPath } from '../scan/disk-path.ts'
import { hashFile } from '../scan/hash-file.ts'
import type { Lane } from './lane.ts'

export type IndexDeps = {
  corpus: Corpus
  findServing: FindServing
  extractor: Extractor
  events: Events
  /** what holds where no folder says otherwise */
  findChunking: () => Promise<Chunking>
  folder: string
  lane: Lane
  densePending: () => void
  /** a neighbour or a provider that is out: work may have to wait for it */
  waitFor: (error: AppError) => void
  /** no work is to be taken up now */
  isWaiting: () => boolean
}

const EMBED_BATCH = 16
const TRIES = 3
const CRASHES = 3

/** What holds for all, with what the document's folder says instead; never more overlap than half a chunk. */
export function chunkingFor({ chunkSize, chunkOverlap }: IndexSettings, chunking: Chunking): Chunking {
  const size = chunkSize ?? chunking.size
  return { size, overlap: Math.min(chunkOverlap ?? chunking.overlap, Math.floor(size / 2)) }
}

/** Names what a document was cut with; a difference indexes it anew. Another model is another generation of the same chunks. */
export function settingsHash(settings: IndexSettings, byDefault: Chunking): string {
  const { size, overlap } = chunkingFor(settings, byDefault)
  return createHash('sha256')
    .update(JSON.stringify([CHUNKER_VERSION, size, overlap, ...(settings.language ? [settings.language] : [])]))
    .digest('hex')
    .slice(0, 16)
}

export const indexDocument = defineJob({
  name: 'index-document',
  payload: z.strictObject({ documentId: z.uuid(), contentHash: z.string() }),
  attempts: 4,
  backoffMs: 1_000,
  key: (payload) => payload.documentId, // one running and at most one waiting per document

  async run({ documentId, contentHash }, deps: IndexDeps, signal): Promise<JobOutcome> {
    const { corpus, events } = deps
    // a worker that stood waiting for a job takes one more after it was paused; the ledger puts it back
    if (deps.isWaiting()) return { kind: 'skipped', note: 'ingest waits' }
    const document = await corpus.findDocument(documentId)
    if (!document || document.state === 'removed') return { kind: 'skipped', note: 'the file is gone' }
    if (document.contentHash !== contentHash) return { kind: 'skipped', note: 'a newer version is queued' }
    if (document.state !== 'queued' && document.state !== 'indexing')
      return { kind: 'skipped', note: `the document is ${document.state} already` }
    if (document.isMissing) return { kind: 'skipped', note: 'the file is missing' } // the scan that sees it again has it queued

    // what ended a worker before runs alone: should it do so again, nothing else is taken along and comes under suspicion
    const before = await corpus.countCrashes(documentId, contentHash)
    using _turn = await deps.lane.enter(before > 0, signal).catch((cause: unknown) => {
      throw new AppError('unavailable', 'Ingest is stopping.', { cause })
    })
    // what others came to while it waited may speak for it
    const crashes = before > 0 ? await corpus.countCrashes(documentId, contentHash) : 0
    const attempt = await corpus.beginAttempt(documentId, contentHash)
    const fence = { contentHash, attempt, from: ['queued', 'indexing'] as const }
    if (!(await corpus.setState(documentId, 'indexing', undefined, fence))) {
      await corpus.endAttempt(attempt, 'skipped', { code: 'conflict' })
      return { kind: 'skipped', note: 'the document has changed meanwhile' }
    }
    const work: Work = { stages: {}, tokens: 0 }
    try {
      if (crashes >= CRASHES)
        throw new AppError(
          'worker_crash',
          `Indexing this file ended its worker ${CRASHES} times: split it or save it in another format, then retry it.`,
        )
      const figures = { ...(await index(document, deps, attempt, signal, work)), ...work }
      await corpus.endAttempt(attempt, 'done', figures)
      events.documentIndexed(document, figures)
      faultPoint('K10')
      return { kind: 'done' }
    } catch (thrown) {
      const error = toAppError(signal.aborted ? new AppError('unavailable', 'Ingest is stopping.', { cause: thrown }) : thrown)
      return await conclude(error, document, attempt, deps, work)
    }
  },
})

/** Overtaken: nothing to say. An outage: the document waits. A bad document: failed or skipped, with the reason. */
async function conclude(error: AppError, document: DocumentRow, attempt: number, deps: IndexDeps, work: Work): Promise<JobOutcome> {
  const { corpus, events } = deps
  // one that slept while another took its job over, or that was cancelled, has no say, whatever it met when it woke
  const isLate = !(await corpus.isLatestAttempt(attempt, document.id))
  if (isLate && error.code !== 'conflict') error = new AppError('conflict', 'A later attempt has begun.', { cause: error })
  const isOvertaken = error.code === 'conflict' || error.code === 'gone'
  await corpus.endAttempt(attempt, isOvertaken ? 'skipped' : 'failed', { code: error.code, message: error.message, ...work })
  // nobody works on it any more; where the file is, or that it is gone, the next scan finds
  if (error.code === 'gone') await corpus.setState(document.id, 'queued', undefined, { contentHash: document.contentHash, attempt })
  if (isOvertaken) return { kind: 'skipped', note: error.message }
  const mayHeal =
    outages.has(error.code) ||
    ((error.retryable || error.code === 'internal') && (await corpus.countAttempts(document.id, document.contentHash, error.code)) < TRIES)
  const fence = { contentHash: document.contentHash, attempt }
  if (mayHeal) {
    await corpus.setState(document.id, 'queued', undefined, fence)
    deps.waitFor(error)
    throw error
  }
  const state = error.code === 'unsupported' ? 'skipped' : 'failed'
  if (await corpus.setState(document.id, state, { code: error.code, message: error.message }, fence))
    events.documentFailed(document, error.code, state)
  return { kind: 'done', note: error.code }
}

async function index(document: DocumentRow, deps: IndexDeps, attempt: number, signal: AbortSignal, work: Work) {
  const { stages } = work
  const { corpus, events } = deps
  const started = performance.now()
  const { generation, embedder } = await deps.findServing(signal) // before the parsing: without it the work would be for nothing
  const chunking = await deps.findChunking() // one for all of this version; when it changes meanwhile, the version is found stale
  const { model, dimension } = generation
  const tell = async (stage: 'extract' | 'read' | 'saved', progress: Progress) => {
    const isWanted = await corpus.markAttempt(attempt, stage, progress)
    if (!isWanted) throw new AppError('conflict', 'The document has changed meanwhile, or is gone.')
    events.documentChanged({ documentId: document.id, path: document.path, state: 'indexing', progress })
  }
  const watch = {
    progress: (progress: Progress) => tell('extract', progress),
    arrives: async () => void (await corpus.markAttempt(attempt, 'read')),
  }
  const extracted = wellFormed(await timed(stages, 'extract', () => readDocument(document, deps, signal, watch)))
  const edits = document.editRevision > 0 ? await corpus.listChunkEdits(document.id) : []
  const chunks = await timed(stages, 'chunk', () =>
    applyEdits(extracted.text, chunkDocument(extracted, chunkingFor(document, chunking)), edits),
  )
  if (chunks.length === 0) throw new AppError('empty', 'The file holds no text: put content into it, or remove it.')

  // what the owner took out of search is not sent to a model either
  const texts = new Map(chunks.filter(({ isDisabled }) => !isDisabled).map((chunk) => [chunk.textHash, embedText(chunk)]))
  const known = await corpus.vectorHashes([...texts.keys()], model)
  const missing = [...texts.keys()].filter((hash) => !known.has(hash))
  const embedded = (made: number) => {
    return { stage: 'embed', unit: 'chunk', done: texts.size - missing.length + made, total: texts.size } as const
  }
  if (missing.length > 0) await tell('read', embedded(0))
  for (let i = 0; i < missing.length; i += EMBED_BATCH) {
    const batch = missing.slice(i, i + EMBED_BATCH)
    const vectors = await timed(stages, 'embed', () =>
      embedder.passages(
        batch.map((hash) => texts.get(hash)!),
        signal,
        (used) => {
          work.tokens += used
        },
      ),
    )
    if (vectors.length !== batch.length || vectors.some((vector) => vector.length !== dimension))
      throw new AppError('embedding_failed', 'The embedding model returned vectors of another shape.')
    await corpus.saveVectors(model, new Map(batch.map((hash, n) => [hash, vectors[n]!])))
    await tell('saved', embedded(i + batch.length))
    faultPoint('K5')
  }

  const facts = {
    contentHash: document.contentHash,
    settingsHash: settingsHash(document, chunking),
    title: extracted.title ?? '',
    language: document.language ?? languageOf(extracted.text.slice(0, 20_000)),
    notes: extracted.notes,
    editRevision: document.editRevision,
    ...(extracted.pages ? { pages: extracted.pages } : {}),
    ...(extracted.charset ? { charset: extracted.charset } : {}),
  }
  signal.throwIfAborted()
  const { dense } = await timed(stages, 'write', () => corpus.replaceChunks(document, facts, chunks, generation, attempt))
  if (dense === 'pending') deps.densePending()
  return {
    chunks: chunks.length,
    embedded: missing.length,
    reused: texts.size - missing.length,
    ms: Math.round(performance.now() - started),
  }
}

/** What an attempt took, also when it failed; tokens are those that were embedded, as far as the model counts them. */
type Work = { stages: Stages; tokens: number }

/** Milliseconds of each stage as far as it came; those of a failing stage count, too. */
type Stages = { [stage in 'extract' | 'chunk' | 'embed' | 'write']?: number }

async function timed<T>(stages: Stages, stage: keyof Stages, work: () => T | Promise<T>): Promise<T> {
  const started = performance.now()
  try {
    return await work()
  } finally {
    stages[stage] = Math.round((stages[stage] ?? 0) + performance.now() - started)
  }
}

/** The text of exactly the content that the ledger names: a file replaced meanwhile is left to the next scan. */
export async function readDocument(
  document: DocumentRow,
  { folder, extractor }: Pick<IndexDeps, 'folder' | 'extractor'>,
  signal: AbortSignal,
  watch?: Watch,
): Promise<Extracted> {
  const path = await diskPath(folder, document.path)
  if (path === undefined) throw new AppError('gone', 'The file is gone.')
  const extracted = await extractor.extract(path, signal, watch).catch((error: unknown) => error as Error)
  faultPoint('K4', document.path)
  const full = join(folder, path)
  const looked = lstat(full).then((stats) => hashFile(full, stats))
  const hash = await looked.catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR' || error.code === 'ELOOP')
      throw new AppError('gone', 'The file is gone.', { cause: error })
    throw new AppError('unreadable', `The file cannot be opened; let its reader in: chmod a+r '${path}'`, { cause: error })
  })
  if (hash !== document.contentHash) throw new AppError('conflict', 'The file has changed; the next scan queues its newer content.')
  if (extracted instanceof Error) throw extracted
  return extracted
}

/** Postgres takes neither NUL nor half a character; both are replaced by one unit, so that offsets stay true. */
export function wellFormed(extracted: Extracted): Extracted {
  const clean = (text: string) => text.toWellFormed().replaceAll('\0', ' ')
  return {
    ...extracted,
    text: clean(extracted.text),
    notes: extracted.notes.map(clean),
    blocks: extracted.blocks.map((block) => ({ ...block, heading: block.heading.map(clean) })),
    ...(extracted.title ? { title: clean(extracted.title) } : {}),
  }
}
