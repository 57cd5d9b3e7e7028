import { mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ChunkingState } from '@docent/core/chunking'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { until } from '../../lib/testkit/src/until.ts'
import { startTestIngest, type TestIngest } from './start-test-ingest.ts'

const scope = new AsyncDisposableStack()
let ingest: TestIngest
const names = Array.from({ length: 8 }, (_, i) => `${i}.txt`)
const text = (name: string) => Array.from({ length: 12 }, (_, i) => `Sentence ${i} of ${name} says something about the machine.`).join(' ')
const put = (folder: string) => names.forEach((name) => void writeFileSync(join(ingest.folder, folder, name), text(`${folder}/${name}`)))
const away = (folder: string) => renameSync(join(ingest.folder, folder), `${ingest.folder}-${folder}`)
const back = (folder: string) => renameSync(`${ingest.folder}-${folder}`, join(ingest.folder, folder))
type Status = { documents: Record<string, number>; secondsLeft: number | null; pendingRemoval: number; chunking: ChunkingState }
const status = async () => (await (await ingest.ask('/ingest')).json()) as Status
const counted = (what: string, wanted: Record<string, number>) =>
  until(what, async () => {
    const { counts } = await ingest.documents()
    return Object.entries(wanted).every(([state, n]) => (counts[state] ?? 0) === n) || undefined
  })

beforeAll(async () => {
  ingest = await startTestIngest(scope)
  for (const folder of ['stays', 'goes', 'comes']) mkdirSync(join(ingest.folder, folder))
  for (const folder of ['stays', 'goes']) put(folder)
  await counted('all are ready', { ready: 16 })
})
afterAll(() => scope.disposeAsync())

test('while a removal is held, what has no file is counted as missing and not as waiting, and nobody tries it', async () => {
  await ingest.ask('/ingest/pause', { method: 'POST' })
  put('comes')
  await counted('the new ones wait', { queued: 8 })
  away('comes')
  await until('the removal is held', async () => (await status()).pendingRemoval === 8 || undefined)
  await ingest.ask('/ingest/resume', { method: 'POST' })
  expect(await status()).toMatchObject({ documents: { queued: 0, indexing: 0, ready: 16, missing: 8 }, secondsLeft: 0 })
  const { items, counts } = await ingest.documents()
  expect(counts).toMatchObject({ queued: 0, missing: 8 })
  expect(items.filter(({ missing }) => missing).map(({ path }) => path)).toEqual(names.map((name) => `comes/${name}`))
  const collections = (await (await ingest.ask('/collections')).json()) as { items: { documents: object }[] }
  expect(collections.items[0]!.documents).toMatchObject({ queued: 0, ready: 16, missing: 8 })
  const { id } = items.find(({ path }) => path === 'comes/0.txt')!
  writeFileSync(join(ingest.folder, 'stays', 'new.txt'), 'A new file meanwhile.')
  await ingest.reaches('stays/new.txt', 'ready')
  expect(ingest.extractor.asked.has('comes/0.txt')).toBe(false)
  back('comes')
  await counted('they are indexed when they are back', { ready: 25, queued: 0, indexing: 0, missing: 0 })
  expect((await ingest.documents()).items.find(({ path }) => path === 'comes/0.txt')).toMatchObject({ id, state: 'ready' })
})

test('another chunking leaves what has no file as it is, searchable, and follows when it is back', async () => {
  away('goes')
  await until('the removal is held', async () => (await status()).pendingRemoval === 8 || undefined)
  const chunksOf = async (path: string) => (await ingest.chunks()).filter((chunk) => chunk.path === path)
  const before = await chunksOf('goes/1.txt')
  const body = JSON.stringify({ settingsVersion: 1, chunking: { size: 200, overlap: 0 } })
  await ingest.ask('/chunking', { method: 'PUT', headers: { 'content-type': 'application/json' }, body })
  await until('the others are cut so', async () => ((await chunksOf('stays/1.txt')).length > before.length ? true : undefined))
  await until('none is left', async () => (await status()).chunking.documentsLeft === 0 || undefined)
  await counted('nothing waits', { queued: 0, indexing: 0, ready: 25 })
  expect(await chunksOf('goes/1.txt')).toEqual(before)
  expect((await ingest.documents()).items.filter(({ missing }) => missing)).toHaveLength(8)
  back('goes')
  for (const name of names)
    await until(`${name} is cut so, too`, async () => ((await chunksOf(`goes/${name}`)).length > before.length ? true : undefined))
  await counted('nothing waits any more', { queued: 0, indexing: 0, ready: 25, missing: 0 })
})

test('while the folder itself is missing nothing waits to be indexed either', async () => {
  await ingest.ask('/ingest/pause', { method: 'POST' })
  writeFileSync(join(ingest.folder, 'late.txt'), 'A late file.')
  await counted('it waits', { queued: 1 })
  renameSync(ingest.folder, `${ingest.folder}.away`)
  await counted('it has no file', { queued: 0, missing: 1 })
  renameSync(`${ingest.folder}.away`, ingest.folder)
  await counted('it waits again', { queued: 1, missing: 0 })
  await ingest.ask('/ingest/resume', { method: 'POST' })
  await ingest.reaches('late.txt', 'ready')
})
