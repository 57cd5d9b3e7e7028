import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { AppError } from '@docent/core/errors'
import type { Principal } from '@docent/core/principal'
import type { ScanRecord } from '@docent/corpus/corpus'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { until } from '../../lib/testkit/src/until.ts'
import type { Room } from '../src/measure.ts'
import { startTestIngest, type TestIngest } from './start-test-ingest.ts'

type Status = {
  state: string
  reasons: { reason: string; message: string; since: string }[]
  documents: Record<string, number>
  queue: Record<string, number>
  filesPerSecond: number
  secondsLeft: number | null
  lastScan: ScanRecord & { unsettled: number }
  problems: { path: string; message: string }[]
}
const scope = new AsyncDisposableStack()
const anonymous: Principal = { id: 'someone', kind: 'anonymous', scopes: ['chat', 'read'] }
const room: Room = { memoryBytes: 2 ** 40, diskBytes: 2 ** 40 }
let ingest: TestIngest
const put = (path: string, text: string) => writeFileSync(join(ingest.folder, path), text)
const status = async () => (await (await ingest.ask('/ingest')).json()) as Status
const post = (path: string, body?: unknown, principal?: Principal) =>
  ingest.ask(
    path,
    { method: 'POST', ...(body ? { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } } : {}) },
    principal,
  )
const pausedFor = (reason: string) =>
  until(`it waits for ${reason}`, async () => {
    const now = await status()
    return now.state === 'paused' && now.reasons.some((one) => one.reason === reason) ? now : undefined
  })
const running = () => until('it goes on', async () => ((await status()).state === 'running' ? true : undefined))

beforeAll(async () => {
  ingest = await startTestIngest(scope, { measure: () => Promise.resolve({ ...room }) })
  put('first.txt', 'The first text.')
  await ingest.reaches('first.txt', 'ready')
})
afterAll(() => scope.disposeAsync())

test('the status says how far it is and what it found', async () => {
  const now = await until('it has settled', async () => ((await status()).lastScan?.unsettled === 0 ? await status() : undefined))
  expect(now).toMatchObject({ state: 'running', reasons: [], problems: [], secondsLeft: 0, documents: { ready: 1, queued: 0 } })
  expect(now.queue).toEqual({ waiting: 0, active: 0, delayed: 0, failed: 0 })
  expect(now.filesPerSecond).toBeGreaterThan(0)
  expect(now.lastScan.files).toBe(1)
})

test('nobody but the owner sees or changes how it works', async () => {
  for (const path of ['/ingest', '/ingest/scans']) expect((await ingest.ask(path, {}, anonymous)).status).toBe(403)
  for (const path of [
    '/ingest/pause',
    '/ingest/resume',
    '/ingest/scan',
    '/documents/retry',
    '/documents/00000000-0000-4000-8000-000000000000/cancel',
  ])
    expect((await post(path, undefined, anonymous)).status).toBe(403)
})

test('paused by hand it takes no work, also over a restart, until it is told to go on', async () => {
  expect(await (await post('/ingest/pause')).json()).toMatchObject({ state: 'paused', reasons: [{ reason: 'manual' }] })
  put('later.txt', 'The later text.')
  await ingest.reaches('later.txt', 'queued')
  await ingest.stop()
  ingest = await startTestIngest(scope, { ...ingest, measure: () => Promise.resolve({ ...room }) })
  const now = await pausedFor('manual')
  expect(now.reasons[0]!.message).toContain('/ingest/resume')
  expect(now.secondsLeft).toBeNull()
  await until('two looks went by', async () => ((await ingest.corpus.listScans(1))[0]!.times > 1 ? true : undefined))
  expect(ingest.extractor.asked.has('later.txt')).toBe(false)
  expect(await (await post('/ingest/resume')).json()).toMatchObject({ state: 'running' })
  await ingest.reaches('later.txt', 'ready')
})

test.each(['memory', 'disk'] as const)('while %s is short nothing is taken up; with room again it goes on by itself', async (reason) => {
  room[`${reason}Bytes`] = 5 * 1024 * 1024
  expect((await pausedFor(reason)).reasons[0]!.message).toContain('5 MB free')
  put(`${reason}.txt`, `The text about ${reason}.`)
  await ingest.reaches(`${reason}.txt`, 'queued')
  room[`${reason}Bytes`] = 2 ** 40
  await ingest.reaches(`${reason}.txt`, 'ready')
  await running()
})

test.each([
  ['rate_limited', new AppError('rate_limited', 'The vendor limits the rate (429).', { retryAfterS: 1 })],
  ['account_refused', new AppError('upstream_unauthorized', 'The vendor refuses the account (402).', { retryAfterS: 1 })],
])('a provider that answers %s is not asked again before its time, and no document fails', async (reason, error) => {
  ingest.embedder.refuseWith(error)
  put(`${reason}.txt`, `The text for ${reason}.`)
  expect((await pausedFor(reason)).reasons[0]!.message).toBe(error.message)
  expect((await status()).documents.failed).toBe(0)
  ingest.embedder.refuseWith(undefined)
  await ingest.reaches(`${reason}.txt`, 'ready')
  await running()
})

test('a broken control file stands in the status', async () => {
  put('_docent.yml', 'chunk_sise: 3')
  const { problems } = await until('it is said', async () => ((await status()).problems.length > 0 ? await status() : undefined))
  expect(problems).toEqual([{ path: '_docent.yml', message: expect.stringContaining('unknown key chunk_sise') }])
  rmSync(join(ingest.folder, '_docent.yml'))
  await until('it is over', async () => ((await status()).problems.length === 0 ? true : undefined))
})

test('all that failed in a folder is tried again in one call', async () => {
  mkdirSync(join(ingest.folder, 'bad'))
  for (const path of ['bad/one.txt', 'bad/two.txt', 'three.txt']) {
    ingest.extractor.failWith(path, 422, 'corrupt')
    put(path, `The text of ${path}.`)
    await ingest.reaches(path, 'failed')
  }
  put('bad/old.doc', 'a format that is not read')
  await ingest.reaches('bad/old.doc', 'failed')
  const asked = (path: string) => ingest.extractor.asked.get(path)!
  const before = [asked('bad/one.txt'), asked('three.txt')]
  expect(await (await post('/documents/retry', { path: 'bad/' })).json()).toEqual({
    queued: 2,
    left: [{ code: 'unsupported', documents: 1, message: expect.stringContaining('save it as .docx') }],
  })
  await until('both were tried', () => (asked('bad/one.txt') > before[0]! && asked('bad/two.txt') > before[0]!) || undefined)
  for (const path of ['bad/one.txt', 'bad/two.txt']) await ingest.reaches(path, 'failed')
  expect(asked('three.txt')).toBe(before[1])
  expect(await (await post('/documents/retry')).json()).toMatchObject({ queued: 3 })
  await until('the third was tried', () => asked('three.txt') > before[1]! || undefined)
  for (const body of [{ path: 3 }, { state: 'odd' }, { unknown: 1 }, { path: 'a\0' }])
    expect((await post('/documents/retry', body)).status).toBe(400)
  rmSync(join(ingest.folder, 'bad/old.doc'))
  await until('it is gone', async () => ((await ingest.corpus.findByPath('bad/old.doc')) ? undefined : true))
})

test('a cancelled document is taken out of the work, its running attempt writes nothing, and a retry brings it back', async () => {
  const release = ingest.extractor.hold()
  put('cancel.txt', 'The text that is cancelled.')
  const { id } = await ingest.reaches('cancel.txt', 'indexing')
  const answer = await post(`/documents/${id}/cancel`)
  expect(await answer.json()).toMatchObject({ state: 'skipped', error: { code: 'cancelled' } })
  expect((await post(`/documents/${id}/cancel`)).status).toBe(409)
  release()
  put('after.txt', 'The text after it.')
  await ingest.reaches('after.txt', 'ready')
  expect((await ingest.reaches('cancel.txt', 'skipped')).error?.code).toBe('cancelled')
  expect((await ingest.chunks()).some(({ path }) => path === 'cancel.txt')).toBe(false)
  expect((await post(`/documents/${id}/retry`)).status).toBe(202)
  await ingest.reaches('cancel.txt', 'ready')
})

test('each attempt is listed with its outcome, its stages and what it cost', async () => {
  const attempts = async (path: string, state: 'ready' | 'failed') => {
    const { id } = await ingest.reaches(path, state)
    return ((await (await ingest.ask(`/documents/${id}/attempts`)).json()) as { items: Record<string, unknown>[] }).items
  }
  const stages = { extract: expect.any(Number), chunk: expect.any(Number), embed: expect.any(Number), write: expect.any(Number) }
  expect((await attempts('after.txt', 'ready'))[0]).toMatchObject({ outcome: 'done', chunks: 1, embedded: 1, reused: 0, tokens: 4, stages })
  const failed = await attempts('three.txt', 'failed')
  expect(failed).toHaveLength(2)
  expect(failed[0]).toMatchObject({ outcome: 'failed', code: 'corrupt', stages: { extract: expect.any(Number) } })
  const [cancelled] = (await attempts('cancel.txt', 'ready')).filter(({ code }) => code === 'cancelled')
  expect(cancelled).toMatchObject({ outcome: 'skipped' })
})

test('what is small and new goes before the bulk', async () => {
  await post('/ingest/pause')
  for (let i = 0; i < 30; i++) put(`bulk-${i}.txt`, `Bulk text ${i}. `.repeat(2_000))
  await until('the bulk is queued', async () => ((await ingest.documents()).counts.queued === 30 ? true : undefined))
  put('urgent.txt', 'The small new one.')
  await ingest.reaches('urgent.txt', 'queued')
  const order = () => [...ingest.extractor.asked.keys()].filter((path) => /bulk|urgent/.test(path))
  await until('its job stands in line', async () => ((await status()).queue.waiting === 31 ? true : undefined))
  await post('/ingest/resume')
  await until('work goes on', () => order().length > 3 || undefined)
  expect(order().indexOf('urgent.txt')).toBeLessThan(2)
  await post('/ingest/pause')
  for (let i = 0; i < 30; i++) rmSync(join(ingest.folder, `bulk-${i}.txt`))
  await until('they are held', async () => ((await status()).reasons.some(({ reason }) => reason === 'mass_removal') ? true : undefined))
  await post('/documents/confirm-removal')
  await post('/ingest/resume')
  await running()
})

test('a dry run says what a scan would do and does nothing; the history says what scans did', async () => {
  await ingest.reaches('later.txt', 'ready')
  await post('/ingest/scan')
  rmSync(join(ingest.folder, 'memory.txt'))
  renameSync(join(ingest.folder, 'disk.txt'), join(ingest.folder, 'disk-2.txt'))
  const dry = (await (await post('/ingest/scan?dryRun=true')).json()) as ScanRecord & { dryRun: boolean; unsettled: number }
  expect(dry).toMatchObject({ dryRun: true, removed: 1, renamed: 1, added: 0, changed: 0 })
  expect(dry.changes).toContainEqual({ kind: 'renamed', path: 'disk-2.txt', from: 'disk.txt' })
  await until('the scan did it', async () => {
    const scans = await ingest.corpus.listScans(50)
    const changes = scans.flatMap((scan) => scan.changes)
    const renamed = changes.some(({ kind, path, from }) => kind === 'renamed' && path === 'disk-2.txt' && from === 'disk.txt')
    return (renamed && changes.some(({ kind, path }) => kind === 'removed' && path === 'memory.txt')) || undefined
  })
  const list = (await (await ingest.ask('/ingest/scans?limit=2')).json()) as { items: ScanRecord[]; next: string }
  expect(list.items).toHaveLength(2)
  const next = (await (await ingest.ask(`/ingest/scans?limit=2&cursor=${list.next}`)).json()) as { items: ScanRecord[] }
  expect(next.items[0]!.id).toBeLessThan(list.items[1]!.id)
  const [scan] = list.items
  expect(scan).toMatchObject({ times: expect.any(Number), ms: expect.any(Number), skipped: 0, held: 0 })
  for (const query of ['limit=0', 'cursor=x', 'before=1', 'dryRun=perhaps'])
    expect((await ingest.ask(`/ingest/scans?${query}`)).status).toBe(400)
})
