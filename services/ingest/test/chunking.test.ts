import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Chunking, ChunkingCost, ChunkingState } from '@docent/core/chunking'
import type { Principal } from '@docent/core/principal'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { until } from '../../lib/testkit/src/until.ts'
import { startTestIngest, type TestIngest } from './start-test-ingest.ts'

const scope = new AsyncDisposableStack()
let ingest: TestIngest
const put = (path: string, text: string) => writeFileSync(join(ingest.folder, path), text)
const textOf = (name: string) =>
  Array.from({ length: 12 }, (_, i) => `Sentence number ${i} of the ${name} text says something about the machine.`).join(' ')
const chunksOf = async (path: string) => (await ingest.chunks()).filter((chunk) => chunk.path === path)
const longest = async (path: string) => Math.max(...(await chunksOf(path)).map(({ text }) => text.length))
const json = (method: string, path: string, body: object, principal?: Principal) =>
  ingest.ask(path, { method, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }, principal)
const order = async (settingsVersion: number, chunking: Chunking | null) =>
  (await (await json('PUT', '/chunking', { settingsVersion, chunking })).json()) as ChunkingState
const inForce = async () => ((await (await ingest.ask('/ingest')).json()) as { chunking: ChunkingState }).chunking
const followed = () => until('every document is cut so', async () => (await inForce()).documentsLeft === 0 || undefined)

beforeAll(async () => {
  ingest = await startTestIngest(scope)
  mkdirSync(join(ingest.folder, 'own'))
  put('own/_docent.yml', 'chunk_size: 300\nchunk_overlap: 0\n')
  put('own/folder.txt', textOf('folder'))
  put('long.txt', textOf('long'))
  put('short.txt', 'A short text.')
  for (const path of ['own/folder.txt', 'long.txt', 'short.txt']) await ingest.reaches(path, 'ready')
})
afterAll(() => scope.disposeAsync())

test('before any settings were told the configuration holds', async () => {
  expect(await inForce()).toEqual({ size: 500, overlap: 50, from: 'configuration', settingsVersion: null, documentsLeft: 0 })
})

test('what another chunking would cost is told before, by what it concerns', async () => {
  const weigh = async (chunking: Chunking | null) => (await (await json('POST', '/chunking/estimate', { chunking })).json()) as ChunkingCost
  const chunks = (await chunksOf('long.txt')).length + 1
  const cost = await weigh({ size: 200, overlap: 0 })
  // the folder has its own
  expect(cost).toMatchObject({ documents: 2, chunks, money: null })
  expect(cost.tokens).toBeGreaterThanOrEqual(Math.floor(textOf('long').length / 4))
  expect(cost.minutes).toBeGreaterThan(0)
  expect(await weigh(null)).toEqual({ documents: 0, chunks: 0, tokens: 0, minutes: 0, money: null })
  expect(await inForce()).toMatchObject({ from: 'configuration', settingsVersion: null })
})

test('what the settings say is followed without a restart, and costs only the texts that are new', async () => {
  const before = ingest.embedder.embedded.length
  const own = await chunksOf('own/folder.txt')
  expect(await order(4, { size: 200, overlap: 0 })).toEqual({
    size: 200,
    overlap: 0,
    from: 'settings',
    settingsVersion: 4,
    documentsLeft: 2,
  })
  await followed()
  const chunks = await chunksOf('long.txt')
  expect(await longest('long.txt')).toBeLessThanOrEqual(200)
  for (const chunk of chunks) expect(chunk.text).toBe(textOf('long').slice(chunk.start, chunk.end))
  // the short text came out the same, the folder's own settings go before
  expect(ingest.embedder.embedded.slice(before).sort()).toEqual(chunks.map(({ text }) => text).sort())
  expect(await chunksOf('own/folder.txt')).toEqual(own)
  const { items } = (await (await ingest.ask('/collections')).json()) as { items: object[] }
  expect(items).toMatchObject([{ name: 'default', defaults: { chunkSize: 200, chunkOverlap: 0 } }])
  put('new.txt', textOf('new'))
  await ingest.reaches('new.txt', 'ready')
  expect(await longest('new.txt')).toBeLessThanOrEqual(200)
})

test('an older version that comes late changes nothing, nor does the same one again', async () => {
  const now = await inForce()
  expect(await order(3, { size: 1_000, overlap: 100 })).toEqual(now)
  expect(await order(4, { size: 200, overlap: 0 })).toEqual(now)
  const both = await Promise.all([order(6, { size: 200, overlap: 0 }), order(5, { size: 1_000, overlap: 0 })])
  expect(both[0]).toMatchObject({ settingsVersion: 6, size: 200 })
  expect(await inForce()).toEqual({ ...now, settingsVersion: 6 })
})

test('it outlives a restart, and a changed configuration', async () => {
  await ingest.stop()
  ingest = await startTestIngest(scope, {
    folder: ingest.folder,
    databaseUrl: ingest.databaseUrl,
    embedder: ingest.embedder,
    env: { CHUNK_SIZE: '900', CHUNK_OVERLAP: '0' },
  })
  expect(await inForce()).toMatchObject({ size: 200, from: 'settings', settingsVersion: 6, documentsLeft: 0 })
  const before = ingest.embedder.embedded.length
  put('newer.txt', textOf('newer'))
  await ingest.reaches('newer.txt', 'ready')
  expect(await longest('newer.txt')).toBeLessThanOrEqual(200)
  expect(ingest.embedder.embedded.length - before).toBe((await chunksOf('newer.txt')).length)
})

test('two workers cut alike, whichever of them was told', async () => {
  const stack = scope.use(new AsyncDisposableStack())
  const other = await startTestIngest(stack, {
    folder: ingest.folder,
    databaseUrl: ingest.databaseUrl,
    embedder: ingest.embedder,
    env: { CHUNK_SIZE: '900', CHUNK_OVERLAP: '0' },
  })
  await order(7, { size: 400, overlap: 40 })
  const { chunking } = (await (await other.ask('/ingest')).json()) as { chunking: ChunkingState }
  expect(chunking).toMatchObject({ size: 400, overlap: 40, settingsVersion: 7 })
  await followed()
  await stack.disposeAsync()
  for (const path of ['long.txt', 'new.txt', 'newer.txt']) expect(await longest(path)).toBeGreaterThan(200)
})

test('without a chunking in the settings the configuration holds again, and nothing that was embedded before costs anything', async () => {
  await order(8, { size: 200, overlap: 0 })
  await followed()
  const before = ingest.embedder.embedded.length
  expect(await order(9, null)).toMatchObject({ size: 900, from: 'configuration', settingsVersion: 9 })
  await followed()
  expect(await longest('long.txt')).toBeGreaterThan(400)
  await order(10, { size: 200, overlap: 0 })
  await followed()
  const { length } = ingest.embedder.embedded
  await order(11, null)
  await followed()
  expect(ingest.embedder.embedded.length).toBe(length)
  expect(length).toBeGreaterThan(before)
})

test('the door is for the gateway in the name of the admin, and takes what the settings may hold', async () => {
  const key: Principal = { id: 'key', kind: 'key', scopes: ['ingest'] }
  expect((await json('PUT', '/chunking', { settingsVersion: 99, chunking: null }, key)).status).toBe(403)
  expect((await json('POST', '/chunking/estimate', { chunking: null }, key)).status).toBe(403)
  for (const chunking of [{ size: 50, overlap: 0 }, { size: 400, overlap: 300 }, { size: 400 }])
    expect((await json('PUT', '/chunking', { settingsVersion: 99, chunking })).status).toBe(400)
  expect((await inForce()).settingsVersion).toBe(11)
})
