import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { until } from '../../lib/testkit/src/until.ts'
import type { Gateway } from '../src/gateway-service.ts'
import { adminKey, openPlace, type Place, startAt } from './harness.ts'

const scope = new AsyncDisposableStack()
const headers = { authorization: `Bearer ${adminKey}`, 'content-type': 'application/json' }
type View = { isInForce: boolean; size?: number; from?: string; settingsVersion?: number; documentsLeft?: number; problem?: string }
type Current = { version: number; settings: { chunking: object | null; topK: number }; chunking: View }
let place: Place
let gateway: Gateway

beforeAll(async () => {
  place = await openPlace(scope)
  gateway = await startAt(place, scope)
})
beforeEach(() => {
  place.neighbours.down = false
  place.neighbours.tellChunking = undefined
})
afterAll(() => scope.disposeAsync())

const settings = (): Promise<Current> => get('/api/v1/settings')
const get = async <T>(path: string) => (await (await fetch(gateway.url + path, { headers })).json()) as T
const send = (method: string, path: string, body: object) =>
  fetch(`${gateway.url}/api/v1/settings${path}`, { method, headers, body: JSON.stringify(body) })
const patch = async (body: object) => (await (await send('PATCH', '', body)).json()) as Current

test('a change of chunking is told to ingest, shown in history and diff, and taken back by a rollback', async () => {
  const { version: before } = await settings()
  place.neighbours.tellChunking = () => ({ documentsLeft: 7 })
  const now = await patch({ chunking: { size: 800, overlap: 80 } })
  expect(now).toMatchObject({ version: before + 1, settings: { chunking: { size: 800, overlap: 80 } } })
  expect(now.chunking).toEqual({
    isInForce: true,
    size: 800,
    overlap: 80,
    from: 'settings',
    settingsVersion: before + 1,
    documentsLeft: 7,
  })
  expect(place.neighbours.chunkings.at(-1)).toEqual({ settingsVersion: before + 1, chunking: { size: 800, overlap: 80 } })
  const { items } = await get<{ items: { changes: object[] }[] }>('/api/v1/settings/versions')
  expect(items[0]!.changes).toEqual([{ name: 'chunking', from: null, to: { size: 800, overlap: 80 } }])
  const next = await patch({ topK: 4 })
  expect(next.settings).toMatchObject({ topK: 4, chunking: { size: 800, overlap: 80 } })
  expect(await get(`/api/v1/settings/diff?from=${next.version}&to=${now.version}`)).toMatchObject({ changes: [{ name: 'topK' }] })

  const back = (await (await send('POST', '/rollback', { version: now.version })).json()) as Current
  expect(back).toMatchObject({ version: next.version + 1, settings: { chunking: { size: 800 } }, chunking: { isInForce: true } })
  const none = await patch({ chunking: null })
  expect(none).toMatchObject({ settings: { chunking: null }, chunking: { isInForce: true, from: 'configuration', size: 500 } })
  expect(place.neighbours.chunkings.at(-1)).toEqual({ settingsVersion: none.version, chunking: null })
})

test.each([
  [{ size: 99, overlap: 0 }, 'size', 'at least 100'],
  [{ size: 4_001, overlap: 0 }, 'size', 'at most 4000'],
  [{ size: 150.5, overlap: 0 }, 'size', 'whole number'],
  [{ size: 4_000, overlap: 1_001 }, 'overlap', 'at most 1000'],
  [{ size: 400, overlap: 201 }, 'overlap', 'half of size'],
  [{ size: 400, overlap: -1 }, 'overlap', 'at least 0'],
  [{ size: 400 }, 'overlap', ''],
])('%j is refused with the reason, and told to nobody', async (chunking, field, reason) => {
  const told = place.neighbours.chunkings.length
  const refused = await send('PATCH', '', { chunking })
  expect(refused.status).toBe(400)
  const { errors } = (await refused.json()) as { errors: { path: string; message: string }[] }
  expect(errors[0]!.path).toBe(`body.chunking.${field}`)
  expect(errors[0]!.message).toContain(reason)
  expect(place.neighbours.chunkings.length).toBe(told)
})

test('a dry run changes nothing and says what another chunking would cost', async () => {
  const before = await settings()
  const rehearse = async (query: string, body: object) => (await (await send('PATCH', query, body)).json()) as object
  expect(await rehearse('?dryRun=true', { chunking: { size: 1_000, overlap: 100 }, topK: 9 })).toMatchObject({
    dryRun: true,
    version: before.version,
    settings: { topK: 9, chunking: { size: 1_000, overlap: 100 } },
    changes: [{ name: 'topK' }, { name: 'chunking', from: null, to: { size: 1_000, overlap: 100 } }],
    reindex: { documents: 12, chunks: 340, tokens: 41_000, minutes: 0.5, money: null },
  })
  expect(await rehearse('?dryRun=true', { topK: 9 })).toMatchObject({ changes: [{ name: 'topK' }], reindex: null })
  const rollback = await send('POST', '/rollback?dryRun=true', { version: before.version - 1 })
  expect(await rollback.json()).toMatchObject({ dryRun: true, changes: [{ name: 'chunking', from: null }], reindex: { documents: 12 } })
  const stale = await fetch(`${gateway.url}/api/v1/settings?dryRun=true`, {
    method: 'PATCH',
    headers: { ...headers, 'if-match': '"99999"' },
    body: '{"topK":9}',
  })
  expect(stale.status).toBe(412)
  // a misspelt wish for a dry run is no change
  expect((await send('PATCH', '?dryrun=true', { topK: 9 })).status).toBe(400)
  expect(await settings()).toEqual(before)
  place.neighbours.down = true
  expect((await send('PATCH', '?dryRun=true', { chunking: { size: 1_000, overlap: 100 } })).status).toBe(503)
})

test('while ingest is away a change is kept and said not to be in force; ingest is told as soon as it is back', async () => {
  place.neighbours.down = true
  const changed = await send('PATCH', '', { chunking: { size: 600, overlap: 60 } })
  expect(changed.status).toBe(200)
  const now = (await changed.json()) as Current
  expect(now).toMatchObject({ settings: { chunking: { size: 600, overlap: 60 } }, chunking: { isInForce: false } })
  expect(now.chunking.problem).toContain('as soon as it answers')
  expect((await settings()).chunking).toMatchObject({ isInForce: false, problem: expect.any(String) as string })
  place.neighbours.down = false
  await until(
    'ingest was told by the gateway itself',
    () => place.neighbours.chunkings.at(-1)?.settingsVersion === now.version || undefined,
  )
  expect(place.neighbours.chunkings.at(-1)).toEqual({ settingsVersion: now.version, chunking: { size: 600, overlap: 60 } })
})

test('a gateway that starts tells what holds', async () => {
  const { version, settings: now } = await settings()
  place.neighbours.chunkings.length = 0
  await using other = new AsyncDisposableStack()
  await startAt(place, other)
  await until('it has told', () => place.neighbours.chunkings.length > 0 || undefined)
  expect(place.neighbours.chunkings[0]).toEqual({ settingsVersion: version, chunking: now.chunking })
})

test('where ingest follows a newer version, an older one is not said to be in force', async () => {
  place.neighbours.tellChunking = ({ settingsVersion }) => ({ settingsVersion: settingsVersion + 5 })
  const { version, chunking } = await settings()
  expect(chunking).toEqual({ isInForce: false, problem: expect.stringContaining(`version ${version + 5}`) as string })
})

test('one question cannot be tried with another chunking, nor a persona have its own', async () => {
  const replay = await fetch(`${gateway.url}/api/v1/records/00000000-0000-4000-8000-000000000000/replay`, {
    method: 'POST',
    headers,
    body: JSON.stringify({ settings: { chunking: { size: 800, overlap: 0 } } }),
  })
  expect(replay.status).toBe(400)
  const persona = await fetch(`${gateway.url}/api/v1/personas`, {
    method: 'POST',
    headers,
    body: JSON.stringify({ id: 'cutter', title: 'Cutter', prompt: 'Cut.', settings: { chunking: { size: 800, overlap: 0 } } }),
  })
  expect(persona.status).toBe(400)
})
