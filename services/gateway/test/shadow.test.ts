import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { until } from '../../lib/testkit/src/until.ts'
import type { Gateway } from '../src/gateway-service.ts'
import { adminKey, openPlace, type Place, passage, post, startAt } from './harness.ts'

type Record = { record: { shadow?: object; retrieval: object } }
const owner = { authorization: `Bearer ${adminKey}`, 'content-type': 'application/json' }
const scope = new AsyncDisposableStack()
let place: Place
let gateway: Gateway
const b = { retrieval: { perDocument: 2 } }
const [first, second, third] = ['a', 'b', 'c'].map((id) =>
  passage(`保修期的第 ${id} 段说的是二十四个月。`, { chunkId: id, path: `${id}.md` }),
)

const send = (method: string, path: string, body?: object) =>
  fetch(gateway.url + path, { method, headers: owner, ...(body ? { body: JSON.stringify(body) } : {}) })
const settings = async (patch: object) => expect((await send('PATCH', '/api/v1/settings', patch)).status).toBe(200)
const get = async <T>(path: string) => (await (await send('GET', path)).json()) as T
const ask = async (question: string) => {
  const response = await post(`${gateway.url}/api/v1/ask`, { question })
  expect(response.status).toBe(200)
  return (await response.json()) as { id: string; state: string; sources: { path: string }[]; degraded: string[] }
}
const counted = async (outcome: string) => {
  const { values } = await gateway.metrics.getSingleMetric('docent_shadow_total')!.get()
  return values.find(({ labels }) => labels.outcome === outcome)!.value
}
const isShadow = ({ tuning }: { tuning?: object }) => tuning !== undefined

beforeAll(async () => {
  place = await openPlace(scope)
  gateway = await startAt(place, scope)
  place.neighbours.passages = [first!, second!]
})
beforeEach(async () => {
  place.neighbours.find = undefined
  await settings({ shadow: null })
})
afterAll(() => scope.disposeAsync())

test('without a shadow, or with one on no question, nothing is searched twice', async () => {
  expect(await get('/api/v1/shadow')).toEqual({ shadow: null, figures: null })
  await ask('保修期有多长？')
  await settings({ shadow: { percent: 0, ...b } })
  await ask('保修期究竟有多长？')
  expect(place.neighbours.searches.filter(isShadow)).toEqual([])
})

test('a shadow is searched when the answer has ended; what differs stands in the record, the metrics and the figures', async () => {
  place.neighbours.find = async ({ tuning }) => (tuning ? [second!, third!] : undefined)
  await settings({ shadow: { percent: 100, ...b } })
  const answer = await ask('保修期是几个月？')
  expect(answer.sources.map(({ path }) => path)).not.toContain('c.md')
  const { record } = await until('the record holds it', async () => {
    const found = await get<Record>(`/api/v1/records/${answer.id}`)
    return found.record.shadow ? found : undefined
  })
  expect(record.shadow).toMatchObject({
    outcome: 'done',
    k: 2,
    overlap: 0.5,
    isSameFirst: false,
    moved: [{ chunkId: 'b', from: 2, to: 1 }],
    gone: [{ chunkId: 'a', from: 1 }],
    new: [{ chunkId: 'c', to: 2 }],
    servedMs: 1,
    tookMs: 1,
  })
  expect(place.neighbours.searches.filter(isShadow)).toMatchObject([{ query: '保修期是几个月？', tuning: b.retrieval }])
  expect(await get('/api/v1/shadow')).toMatchObject({
    shadow: { percent: 100, ...b },
    figures: { compared: 1, overlap: 0.5, meanMove: 1, sameFirst: 0, answerableOnlyInShadow: 0, servedMs: 1, shadowMs: 1 },
  })
  expect(await counted('done')).toBe(1)
  // another share of the questions is the same trial, another configuration another one
  await settings({ shadow: { percent: 1, ...b } })
  expect(await get('/api/v1/shadow')).toMatchObject({ figures: { compared: 1 } })
  await settings({ shadow: { percent: 1, rerank: true } })
  expect(await get('/api/v1/shadow')).toMatchObject({ figures: { compared: 0, overlap: null } })
})

test('a shadow that hangs or fails delays and fails no answer; more than two at once are dropped and counted', async () => {
  const hanging = Promise.withResolvers<undefined>()
  place.neighbours.find = ({ tuning }) => (tuning ? hanging.promise : Promise.resolve(undefined))
  await settings({ shadow: { percent: 100, ...b } })
  for (const n of [1, 2, 3, 4]) expect(await ask(`第 ${n} 个保修问题是什么？`)).toMatchObject({ state: 'done', degraded: [] })
  await until('two of four are dropped', async () => ((await counted('dropped')) === 2 ? true : undefined))
  hanging.resolve(undefined)
  await until('the others are done', async () => ((await counted('done')) === 3 ? true : undefined))

  place.neighbours.find = ({ tuning }) => (tuning ? Promise.resolve([{ nonsense: true } as never]) : Promise.resolve(undefined))
  expect(await ask('保修问题还有吗？')).toMatchObject({ state: 'done', degraded: [] })
  await until('the failure is counted', async () => ((await counted('failed')) === 1 ? true : undefined))
})

test('one call lets it serve, by the settings: with their history and the way back', async () => {
  expect((await send('POST', '/api/v1/shadow/promote', {})).status).toBe(409)
  await settings({ gate: 1.5, shadow: { percent: 100, ...b } })
  const before = await get<{ version: number }>('/api/v1/settings')
  const promoted = await send('POST', '/api/v1/shadow/promote', {})
  expect(await promoted.json()).toMatchObject({ version: before.version + 1, settings: { ...b, gate: 1.5, shadow: null } })
  place.neighbours.searches.length = 0
  await ask('现在的保修期是多少？')
  expect(place.neighbours.searches).toMatchObject([{ tuning: { perDocument: 2, gate: { factor: 1.5 } } }])
  expect((await send('POST', '/api/v1/settings/rollback', { version: before.version })).status).toBe(200)
  expect(await get('/api/v1/settings')).toMatchObject({ settings: { retrieval: {}, shadow: b } })
})

test('a shadow that tries nothing, or what cannot be, is refused', async () => {
  for (const shadow of [{ percent: 5 }, { percent: 101, ...b }, { percent: 5, retrieval: { unknown: 1 } }, { ...b }])
    expect((await send('PATCH', '/api/v1/settings', { shadow })).status).toBe(400)
  expect(
    (await send('POST', '/api/v1/personas', { id: 'p', title: 'P', prompt: 'x', settings: { shadow: { percent: 5, ...b } } })).status,
  ).toBe(400)
})
