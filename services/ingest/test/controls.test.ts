import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Principal } from '@docent/core/principal'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { until } from '../../lib/testkit/src/until.ts'
import { startTestIngest, type TestIngest } from './start-test-ingest.ts'

const scope = new AsyncDisposableStack()
let ingest: TestIngest
const put = (path: string, text: string) => writeFileSync(join(ingest.folder, path), text)
const long = Array.from({ length: 12 }, (_, i) => `Sentence number ${i} of the long text says something about the machine.`).join(' ')
const chunksOf = async (path: string) => (await ingest.chunks()).filter((chunk) => chunk.path === path)

beforeAll(async () => {
  ingest = await startTestIngest(scope)
  mkdirSync(join(ingest.folder, 'manuals/deep'), { recursive: true })
  put('manuals/deep/long.txt', long)
  put('manuals/short.txt', 'A short text.')
  put('other.txt', 'Another text.')
  for (const path of ['manuals/deep/long.txt', 'manuals/short.txt', 'other.txt']) await ingest.reaches(path, 'ready')
})
afterAll(() => scope.disposeAsync())

test("a folder's settings hold below it without a restart; only what they change is embedded again", async () => {
  expect(await chunksOf('manuals/deep/long.txt')).toHaveLength(2)
  const before = ingest.embedder.embedded.length
  const feed = await ingest.corpus.lastChange()
  put('manuals/_docent.yml', 'collection: manuals\nlanguage: zh\nchunk_size: 250\nchunk_overlap: 0\n')
  await until('the long text is cut anew', async () => (await chunksOf('manuals/deep/long.txt')).length > 3 || undefined)
  await until('the short one has its language', async () => (await chunksOf('manuals/short.txt'))[0]?.language === 'zh' || undefined)
  const { items } = await ingest.documents()
  expect(items.map(({ path, collection }) => [path, collection])).toEqual([
    ['manuals/deep/long.txt', 'manuals'],
    ['manuals/short.txt', 'manuals'],
    ['other.txt', 'default'],
  ])
  const chunks = await chunksOf('manuals/deep/long.txt')
  for (const chunk of chunks) expect(chunk.text).toBe(long.slice(chunk.start, chunk.end))
  expect(ingest.embedder.embedded.slice(before).sort()).toEqual(chunks.map((chunk) => chunk.text).sort())
  // retrieval is told of the new collection even where nothing is indexed anew
  expect((await ingest.corpus.changesAfter(feed, 100)).map(({ kind }) => kind)).toContain('moved')
  // a control file is no document
  expect(items.some(({ path }) => path.includes('_docent'))).toBe(false)
})

test('a file that cannot be followed leaves the settings as they were, also over a restart', async () => {
  const before = ingest.embedder.embedded.length
  put('manuals/_docent.yml', 'collection: [broken\n')
  const problem = async () => (await ingest.corpus.listControlFiles()).find(({ path }) => path === 'manuals/_docent.yml')?.problem
  await until('it is said', async () => ((await problem()) ? true : undefined))
  expect(await problem()).toContain('manuals/_docent.yml: not YAML')
  put('manuals/new.txt', 'A new text.')
  expect((await ingest.reaches('manuals/new.txt', 'ready')).collection).toBe('manuals')
  await ingest.stop()
  const again = await startTestIngest(scope, { folder: ingest.folder, databaseUrl: ingest.databaseUrl, embedder: ingest.embedder })
  ingest = again
  put('manuals/newer.txt', 'A newer text.')
  expect((await ingest.reaches('manuals/newer.txt', 'ready')).collection).toBe('manuals')
  expect(ingest.embedder.embedded.length - before).toBe(2)
})

test('a file that is gone says nothing any more; a document moved out of the folder is under the settings of its new place', async () => {
  put('manuals/_docent.yml', 'collection: manuals\n')
  await until('its text is cut as before', async () => (await chunksOf('manuals/deep/long.txt')).length === 2 || undefined)
  renameSync(join(ingest.folder, 'manuals/short.txt'), join(ingest.folder, 'short.txt'))
  expect((await ingest.reaches('short.txt', 'ready')).collection).toBe('default')
  rmSync(join(ingest.folder, 'manuals/_docent.yml'))
  await until(
    'the collection is gone',
    async () => (await ingest.documents()).items.every(({ collection }) => collection === 'default') || undefined,
  )
})

test('.docentignore takes files out and lets them in again without a restart', async () => {
  put('.docentignore', 'other.txt\n')
  await ingest.vanishes('other.txt')
  put('.docentignore', '# nothing\n')
  await ingest.reaches('other.txt', 'ready')
})

test('an upload to a path that is left out says so', async () => {
  put('manuals/deep/.docentignore', '*.log.txt\n')
  const form = new FormData()
  for (const name of ['a.log.txt', 'a.txt']) form.append('file', new Blob(['Uploaded.']), name)
  form.append('path', 'manuals/deep/')
  const reply = (await (await ingest.ask('/documents', { method: 'POST', body: form })).json()) as {
    items: { path: string }[]
    ignored: string[]
  }
  expect(reply).toMatchObject({ paths: ['manuals/deep/a.log.txt', 'manuals/deep/a.txt'], ignored: ['manuals/deep/a.log.txt'] })
  expect(reply.items.map(({ path }) => path)).toEqual(['manuals/deep/a.txt'])
  for (const name of ['a.log.txt', 'a.txt', '.docentignore']) rmSync(join(ingest.folder, 'manuals/deep', name))
  await ingest.vanishes('manuals/deep/a.txt')
})

test('so does one in a folder, which a dry run shows first', async () => {
  put('manuals/deep/.docentignore', 'long.txt\n')
  const dry = (await (await ingest.ask('/ingest/scans?dryRun=true')).json()) as { removed: number; changes: unknown[] }
  expect(dry).toMatchObject({ removed: 1, changes: [{ kind: 'removed', path: 'manuals/deep/long.txt' }] })
  await ingest.vanishes('manuals/deep/long.txt')
  rmSync(join(ingest.folder, 'manuals/deep/.docentignore'))
  await ingest.reaches('manuals/deep/long.txt', 'ready')
})

test('a .docentignore that cannot be read keeps its rules and stops nothing', async () => {
  put('.docentignore', 'secret/\n')
  mkdirSync(join(ingest.folder, 'secret'))
  put('secret/a.txt', 'Not for the index.')
  put('seen.txt', 'Seen.')
  await ingest.reaches('seen.txt', 'ready')
  rmSync(join(ingest.folder, '.docentignore'))
  mkdirSync(join(ingest.folder, '.docentignore'))
  put('seen-too.txt', 'Seen, too.')
  await ingest.reaches('seen-too.txt', 'ready')
  expect((await ingest.documents()).items.some(({ path }) => path.startsWith('secret'))).toBe(false)
})

test('collections are listed with their documents and defaults; a caller bound to some sees these', async () => {
  put('_docent.yml', 'collections:\n  laws: { language: zh, chunk_size: 1200, chunk_overlap: 900 }\n')
  mkdirSync(join(ingest.folder, 'laws'))
  put('laws/_docent.yml', 'collection: laws\n')
  put('laws/one.txt', 'The first law.')
  await until('it is in its collection', async () => (await ingest.reaches('laws/one.txt', 'ready')).collection === 'laws' || undefined)
  await until('with its language', async () => (await chunksOf('laws/one.txt'))[0]?.language === 'zh' || undefined)
  const { items } = (await (await ingest.ask('/collections')).json()) as { items: { name: string }[] }
  expect(items.map(({ name }) => name)).toEqual(['default', 'laws'])
  expect(items[0]).toMatchObject({ chunks: expect.any(Number), defaults: { language: null, chunkSize: 500, chunkOverlap: 50 } })
  expect(items[1]).toEqual({
    name: 'laws',
    documents: { queued: 0, indexing: 0, ready: 1, failed: 0, skipped: 0 },
    chunks: 1,
    defaults: { language: 'zh', chunkSize: 1200, chunkOverlap: 600 },
  })
  const bound: Principal = { id: 'key', kind: 'key', scopes: ['read'], collections: ['laws'] }
  expect(((await (await ingest.ask('/collections', {}, bound)).json()) as { items: unknown[] }).items).toEqual([items[1]])
})

test('a changed CHUNK_SIZE indexes by itself what it concerns, and embeds only new texts', async () => {
  rmSync(join(ingest.folder, '.docentignore'), { recursive: true })
  await ingest.stop()
  const before = ingest.embedder.embedded.length
  ingest = await startTestIngest(scope, {
    folder: ingest.folder,
    databaseUrl: ingest.databaseUrl,
    embedder: ingest.embedder,
    env: { CHUNK_SIZE: '250', CHUNK_OVERLAP: '0' },
  })
  await until('the long text is cut anew', async () => (await chunksOf('manuals/deep/long.txt')).length > 3 || undefined)
  await ingest.reaches('secret/a.txt', 'ready')
  await until('all are done', async () => {
    const { counts } = await ingest.documents()
    return (counts.queued === 0 && counts.indexing === 0) || undefined
  })
  // these very chunks were made and embedded once, under the folder's settings
  expect(ingest.embedder.embedded.slice(before)).toEqual(['Not for the index.'])
})
