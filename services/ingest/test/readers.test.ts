import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { DocumentView } from '@docent/core/document'
import type { Principal } from '@docent/core/principal'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { until } from '../../lib/testkit/src/until.ts'
import { startTestIngest, type TestIngest } from './start-test-ingest.ts'

const scope = new AsyncDisposableStack()
let ingest: TestIngest
const put = (path: string, text: string) => writeFileSync(join(ingest.folder, path), text)
const outsider: Principal = { id: 'out', kind: 'anonymous', scopes: ['chat', 'read'] }
const member: Principal = { ...outsider, id: 'in', groups: ['sales', 'hr'] }
const pathsFor = async (who: Principal) => {
  const { items, counts } = (await (await ingest.ask('/documents', {}, who)).json()) as { items: DocumentView[]; counts: { ready: number } }
  expect(counts.ready).toBe(items.length)
  return items.map(({ path }) => path)
}

beforeAll(async () => {
  ingest = await startTestIngest(scope)
  mkdirSync(join(ingest.folder, 'hr'))
  put('hr/_docent.yml', 'readers: [hr]')
  put('hr/pay.txt', 'The pay table of this year.')
  put('open.txt', 'For everyone.')
  for (const path of ['hr/pay.txt', 'open.txt']) await ingest.reaches(path, 'ready')
})
afterAll(() => scope.disposeAsync())

test('a document with readers is there for its groups and the admin only, on every way to it', async () => {
  const { id } = await ingest.reaches('hr/pay.txt', 'ready')
  const { activeVersion } = (await ingest.corpus.findDocument(id))!
  expect(await pathsFor(outsider)).toEqual(['open.txt'])
  expect(await pathsFor(member)).toEqual(['hr/pay.txt', 'open.txt'])
  for (const way of ['', '/file', '/chunks', '/preview']) {
    expect((await ingest.ask(`/documents/${id}${way}`, {}, outsider)).status, way).toBe(404)
    expect((await ingest.ask(`/documents/${id}${way}`, {}, member)).status, way).toBe(200)
  }
  const stateFor = async (who: Principal) =>
    (await (await ingest.ask(`/documents/by-version/${id}/${activeVersion}`, {}, who)).json()) as unknown
  expect(await stateFor(outsider)).toEqual({ state: 'hidden' })
  expect(await stateFor(member)).toEqual({ state: 'current', path: 'hr/pay.txt' })
  const chunksFor = async (who: Principal) => {
    const { items } = (await (await ingest.ask('/collections', {}, who)).json()) as { items: { name: string; chunks: number }[] }
    return items.find(({ name }) => name === 'default')!.chunks
  }
  expect([await chunksFor(outsider), await chunksFor(member)]).toEqual([1, 2])
})

test('other readers cost no embedding, and retrieval is told', async () => {
  const before = ingest.embedder.embedded.length
  const feed = await ingest.corpus.lastChange()
  put('hr/_docent.yml', 'readers: [board]')
  await until('the readers have changed', async () => ((await pathsFor(member)).length === 1 ? true : undefined))
  expect((await ingest.chunks()).find(({ path }) => path === 'hr/pay.txt')?.readers).toEqual(['board'])
  expect((await ingest.corpus.changesAfter(feed, 10)).map(({ kind }) => kind)).toEqual(['moved'])
  rmSync(join(ingest.folder, 'hr/_docent.yml'))
  await until('everyone reads it', async () => ((await pathsFor(outsider)).length === 2 ? true : undefined))
  expect(ingest.embedder.embedded.length).toBe(before)
})

test('events of what a listener may not read do not reach him', async () => {
  const left = new AbortController()
  const events = await ingest.ask('/documents/events', { signal: left.signal }, outsider)
  mkdirSync(join(ingest.folder, 'board'))
  put('board/_docent.yml', 'readers: [board]')
  put('board/plan.txt', 'The plan.')
  await ingest.reaches('board/plan.txt', 'ready')
  put('late.txt', 'Later, and for everyone.')
  let told = ''
  for await (const part of events.body!.pipeThrough(new TextDecoderStream())) {
    told += part
    if (/late\.txt[^\n]*ready/.test(told)) break
  }
  left.abort()
  expect(told).not.toContain('plan.txt')
})

test('below a _docent.yml that cannot be followed and may name readers only the admin reads, until it is understood', async () => {
  mkdirSync(join(ingest.folder, 'pay'))
  put('pay/_docent.yml', 'raeders: [hr]')
  put('pay/list.txt', 'The list of wages.')
  const { id } = await ingest.reaches('pay/list.txt', 'ready')
  const seenBy = async (who: Principal) => (await ingest.ask(`/documents/${id}/file`, {}, who)).status
  expect([await seenBy(outsider), await seenBy(member)]).toEqual([404, 404])
  expect((await ingest.chunks()).find(({ path }) => path === 'pay/list.txt')?.readers).toEqual([])
  const { problems } = (await (await ingest.ask('/ingest')).json()) as { problems: { message: string }[] }
  expect(problems.map(({ message }) => message)).toEqual([expect.stringContaining('only the admin reads what lies below it')])
  put('pay/_docent.yml', 'readers: [hr]')
  await until('its group reads it', async () => ((await seenBy(member)) === 200 ? true : undefined))
  expect(await seenBy(outsider)).toBe(404)
  // what is added to a file that was understood closes too, where it cannot be followed
  put('pay/_docent.yml', 'readers: [board]\nchunk_size: 1')
  await until('only the admin does', async () => ((await seenBy(member)) === 404 ? true : undefined))
})

test('a folder that is deleted with its _docent.yml opens nothing: what is held or not yet removed keeps its readers', async () => {
  mkdirSync(join(ingest.folder, 'secret'))
  put('secret/_docent.yml', 'readers: [hr]')
  const paths = Array.from({ length: 8 }, (_, i) => `secret/s${i}.txt`)
  for (const path of paths) put(path, `The secret of ${path}.`)
  for (const path of paths) await ingest.reaches(path, 'ready')
  const readersOf = async () => (await ingest.corpus.listKnown()).filter(({ path }) => paths.includes(path)).map(({ readers }) => readers)
  expect(await readersOf()).toEqual(paths.map(() => ['hr']))
  rmSync(join(ingest.folder, 'secret'), { recursive: true })
  const status = async () =>
    (await (await ingest.ask('/ingest')).json()) as { pendingRemoval: number; lastScan: { held: number; resettled: number } }
  await until('the removal is held', async () => ((await status()).pendingRemoval === paths.length ? true : undefined))
  // two more looks: the settle time of the vanished control file is over, too
  for (let look = 0; look < 2; look++) await ingest.ask('/ingest/scan', { method: 'POST' })
  await until('the control file counts as gone', async () =>
    (await ingest.corpus.listControlFiles()).some(({ path }) => path === 'secret/_docent.yml') ? undefined : true,
  )
  await ingest.ask('/ingest/scan', { method: 'POST' })
  expect(await readersOf()).toEqual(paths.map(() => ['hr']))
  expect(await pathsFor(outsider)).not.toContain('secret/s0.txt')
  await ingest.ask('/documents/confirm-removal', { method: 'POST' })
  expect(await readersOf()).toEqual([])
})
