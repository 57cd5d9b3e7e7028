import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Corpus } from '@docent/corpus/corpus'
import { createCorpus } from '@docent/corpus/create-corpus'
import { createLogger } from '@docent/kit/logger'
import { createMetrics } from '@docent/kit/metrics'
import { openPostgres } from '@docent/kit/postgres'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { tempDatabase } from '../../lib/testkit/src/temp-database.ts'
import { until } from '../../lib/testkit/src/until.ts'
import { createEvents, type RetrievalEvents } from '../src/events.ts'
import { type ChunkIndex, createChunkIndex } from '../src/index/chunk-index.ts'
import { followFeed } from '../src/index/follow-feed.ts'
import { keepSnapshot } from '../src/index/keep-snapshot.ts'
import { papers, shelve } from './library.ts'

const scope = new AsyncDisposableStack()
const folder = mkdtempSync(join(tmpdir(), 'docent-snapshot-'))
const path = join(folder, 'words.snapshot')
const log = createLogger('test', 'silent')
let corpus: Corpus

type Heard = { loaded: Parameters<RetrievalEvents['loaded']>[0][]; written: number; refused: string[]; failed: number }

beforeAll(async () => {
  const stores = inject('stores')
  const pool = scope.adopt(openPostgres((await tempDatabase(stores.databaseUrl, scope)).corpusUrl, log), (open) => open.end())
  corpus = createCorpus(pool, { url: stores.chromaUrl }, log)
  for (const paper of papers) await shelve(corpus, paper)
})
afterAll(async () => {
  await scope.disposeAsync()
  rmSync(folder, { recursive: true, force: true })
})

/** One life of retrieval's index: it is loaded, `during` goes on, it ends. */
async function live(during: (index: ChunkIndex, heard: Heard) => Promise<void> | void, at = path): Promise<Heard> {
  const heard: Heard = { loaded: [], written: 0, refused: [], failed: 0 }
  const events: RetrievalEvents = {
    ...createEvents(createMetrics('retrieval'), log),
    loaded: (what) => void heard.loaded.push(what),
    snapshotWritten: () => void heard.written++,
    snapshotRefused: (error) => void heard.refused.push(String(error)),
    snapshotFailed: () => void heard.failed++,
  }
  await using life = new AsyncDisposableStack()
  const index = createChunkIndex()
  const keeper = life.use(keepSnapshot(index, events, { path: at, idleMs: 100, apartMs: 0, fewest: 1 }))
  const follower = life.use(followFeed(corpus, index, events, 50, async () => undefined, keeper))
  await follower.tried
  expect(follower.lastError).toBeUndefined()
  await during(index, heard)
  return heard
}

const finds = (index: ChunkIndex, ...words: string[]) =>
  index.seenBy(undefined).search(
    words.map((term) => ({ term, weight: 1 })),
    9,
  ).length

test('what did not change is not read again; what changed while it was away is, and what rests is written', async () => {
  const first = await live((_, heard) => until('the index has rested', () => heard.written > 0 || undefined).then(() => undefined))
  expect(first.loaded).toEqual([expect.objectContaining({ reused: 0 })])
  const { chunks } = first.loaded[0]!
  expect(chunks).toBeGreaterThan(5)

  const unchanged = await live((index) => expect(index.size).toBe(chunks))
  expect(unchanged.loaded).toEqual([expect.objectContaining({ chunks, reused: chunks })])
  expect(unchanged.written).toBe(0)

  await shelve(corpus, { path: 'new/okapi.md', parts: ['An okapi has stripes.'] })
  const gone = await shelve(corpus, { path: 'new/gnu.md', parts: ['A gnu has horns.'] })
  const changed = await live(async (index) => {
    expect(finds(index, 'okapi')).toBe(1)
    expect(finds(index, 'gnu')).toBe(1)
    await corpus.removeDocument(gone)
    await until('the removal is followed', () => finds(index, 'gnu') === 0 || undefined)
  })
  expect(changed.loaded).toEqual([expect.objectContaining({ chunks: chunks + 2, reused: chunks })])

  // it was written when it ended, without what had been removed by then
  const last = await live((index) => expect([finds(index, 'okapi'), finds(index, 'gnu')]).toEqual([1, 0]))
  expect(last.loaded).toEqual([expect.objectContaining({ chunks: chunks + 1, reused: chunks + 1 })])
})

test('a damaged snapshot is refused and replaced, one that cannot be written is said', async () => {
  await live(() => undefined)
  const whole = readFileSync(path)
  whole[whole.length - 20]! ^= 255
  writeFileSync(path, whole)
  const damaged = await live((index) => expect(index.size).toBeGreaterThan(5))
  expect(damaged.refused).toEqual([expect.stringContaining('checksum')])
  expect(damaged.loaded).toEqual([expect.objectContaining({ reused: 0 })])
  const mended = await live(() => undefined)
  expect(mended.loaded[0]!.reused).toBe(mended.loaded[0]!.chunks)

  writeFileSync(join(folder, 'a-file'), '')
  const hindered = await live((index) => expect(index.size).toBeGreaterThan(5), join(folder, 'a-file', 'words.snapshot'))
  expect(hindered.failed).toBeGreaterThan(0)
})
