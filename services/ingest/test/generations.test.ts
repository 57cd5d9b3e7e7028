import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { AppError } from '@docent/core/errors'
import type { Principal } from '@docent/core/principal'
import { modelsOf, type OfferedModel } from '@docent/models/embedder'
import { createFakeEmbedder } from '@docent/models/fake/fake-embedder'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { until } from '../../lib/testkit/src/until.ts'
import { admin, startTestIngest, type TestIngest } from './start-test-ingest.ts'

type View = {
  id: number
  model: string
  dimension: number
  state: string
  isComplete: boolean
  texts: number
  missing: number
  secondsLeft: number | null
  problem: { code: string; message: string } | null
  gate: object | null
}
type Estimate = { chunks: number; texts: number; missing: number; tokens: number; minutes: number; diskBytes: number; money: unknown }

const first = createFakeEmbedder({ model: 'first', dimension: 64 })
const second = createFakeEmbedder({ model: 'second', dimension: 96 })
const both = modelsOf([
  { model: 'first', embedder: first },
  { model: 'second', embedder: second },
])
const price = { amount: 2, currency: 'EUR' }
const models = {
  of: both.of,
  list: async (signal: AbortSignal): Promise<OfferedModel[]> =>
    (await both.list(signal)).map((one) => (one.model === 'second' ? { ...one, price } : one)),
}
const scope = new AsyncDisposableStack()
let ingest: TestIngest
const signal = () => AbortSignal.timeout(3_000)

const put = (path: string, text: string) => writeFileSync(join(ingest.folder, path), text)
const send = (method: string, path: string, body?: object, principal: Principal = admin) =>
  ingest.ask(path, { method, ...(body ? { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } } : {}) }, principal)
const list = async () => (await (await send('GET', '/generations')).json()) as { items: View[]; models: OfferedModel[] }
const view = async (model: string) => (await list()).items.find((one) => one.model === model)
const complete = (model: string) => until(`${model} is complete`, async () => ((await view(model))?.isComplete ? view(model) : undefined))
/** the documents whose chunks are nearest to the question, in the generation of a model */
async function nearest(model: 'first' | 'second', question: string): Promise<string[]> {
  const generation = (await ingest.corpus.listGenerations()).find((one) => one.model === model)!
  const vector = await models.of(model).query(question, signal())
  const hits = await ingest.corpus.searchDense(vector, 1, generation, signal())
  const chunks = await ingest.chunks()
  return hits.flatMap(({ chunkId }) => chunks.find(({ id }) => id === chunkId)?.path ?? [])
}
const code = async (response: Response) => [response.status, ((await response.json()) as { code?: string }).code]
/** a collection that is being made refuses to be read for a moment */
const clean = (corpus = ingest.corpus) =>
  until('nothing is found wrong', async () => {
    const report = await corpus.verify().catch(() => undefined)
    return report?.findings.length === 0 ? true : undefined
  })
const versions = async () => Object.fromEntries((await ingest.chunks()).map(({ path, version, id }) => [path, [version, id]]))

beforeAll(async () => {
  ingest = await startTestIngest(scope, { models })
  for (let n = 0; n < 40; n++) put(`page-${n}.txt`, `Chapter ${n} is about subject${n} and nothing else.`)
  for (let n = 0; n < 40; n++) await ingest.reaches(`page-${n}.txt`, 'ready')
})
afterAll(() => scope.disposeAsync())

test('a dry run says what it would cost and changes nothing', async () => {
  const reply = (await (await send('POST', '/generations?dryRun=true', { model: 'second' })).json()) as {
    estimate: Estimate
    dimension: number
  }
  expect(reply).toMatchObject({ dryRun: true, dimension: 96, estimate: { chunks: 40, texts: 40, missing: 40 } })
  const { tokens, minutes, diskBytes, money } = reply.estimate
  expect(tokens).toBeGreaterThan(40 * 8)
  expect(tokens).toBeLessThan(40 * 20)
  expect(minutes).toBeGreaterThan(0)
  expect(diskBytes).toBeGreaterThan(40 * 6 * 96)
  expect(money).toEqual({ amount: 0.01, currency: 'EUR' })
  expect((await list()).items).toMatchObject([{ model: 'first', state: 'active', missing: 0, isComplete: true }])
  expect(second.embedded.length).toBeLessThanOrEqual(8)
})

test('only the owner, only models of the configuration, only one that does not serve', async () => {
  const key: Principal = { id: 'k', kind: 'key', scopes: ['chat', 'read', 'ingest'] }
  expect(await code(await send('POST', '/generations', { model: 'second' }, key))).toEqual([403, 'forbidden'])
  expect(await code(await send('GET', '/generations', undefined, key))).toEqual([403, 'forbidden'])
  expect(await code(await send('POST', '/generations', { model: 'http://evil.example/v1' }))).toEqual([400, 'validation'])
  expect(await code(await send('POST', '/generations', { model: 'first' }))).toEqual([409, 'conflict'])
  expect(await code(await send('POST', '/generations/rollback'))).toEqual([409, 'conflict'])
  expect(await code(await send('GET', '/generations/999'))).toEqual([404, 'not_found'])
  expect((await list()).models.map(({ model, dimension }) => [model, dimension])).toEqual([
    ['first', 64],
    ['second', 96],
  ])
})

test('a provider that limits the rate delays the build alone: it says so, and goes on', async () => {
  second.refuseWith(new AppError('rate_limited', 'Too many requests; wait a second.', { retryAfterS: 1 }))
  // the estimate meets the limit, too
  expect(await code(await send('POST', '/generations', { model: 'second' }))).toEqual([429, 'rate_limited'])
  second.refuseWith(undefined)
  expect((await send('POST', '/generations?dryRun=1', { model: 'second' })).status).toBe(200)
  second.refuseAfter(8 + 16, new AppError('rate_limited', 'Too many requests; wait a second.', { retryAfterS: 1 }))
  const begun = await send('POST', '/generations', { model: 'second' })
  expect(begun.status).toBe(202)
  expect(await begun.json()).toMatchObject({ state: 'building', model: 'second', isComplete: false, estimate: { missing: 40 } })
  expect(await code(await send('POST', '/generations', { model: 'second' }))).toEqual([409, 'conflict'])
  const waiting = await until('it waits', async () => {
    const now = await view('second')
    return now?.problem?.code === 'rate_limited' ? now : undefined
  })
  expect(waiting).toMatchObject({ missing: 24, secondsLeft: null })
  // what serves goes on: nothing is paused, and a new document is indexed
  put('meanwhile.txt', 'Something about harbours came meanwhile.')
  await ingest.reaches('meanwhile.txt', 'ready')
  expect(await (await send('GET', '/ingest')).json()).toMatchObject({ state: 'running', generations: [{ model: 'second', missing: 25 }] })
  expect(await code(await send('POST', `/generations/${waiting.id}/activate`, {}))).toEqual([409, 'generation_incomplete'])
  second.refuseWith(undefined)
  const done = await complete('second')
  expect(done).toMatchObject({ texts: 41, missing: 0, secondsLeft: 0, problem: null })
})

test('the one that serves is untouched by the build; both find what came meanwhile', async () => {
  expect(await nearest('first', 'subject7')).toEqual(['page-7.txt'])
  expect(await nearest('second', 'harbours')).toEqual(['meanwhile.txt'])
  expect(await nearest('first', 'harbours')).toEqual(['meanwhile.txt'])
  expect((await ingest.corpus.findActive())?.model).toBe('first')
})

test('an edit during the build is found in both, and what went away in neither', async () => {
  put('page-3.txt', 'Chapter 3 is about lighthouses now.')
  await until('the new text is there', async () => (await ingest.chunks()).find(({ text }) => text.includes('lighthouses')))
  await until('the candidate has it', async () => ((await nearest('second', 'lighthouses'))[0] === 'page-3.txt' ? true : undefined))
  expect(await nearest('first', 'lighthouses')).toEqual(['page-3.txt'])
  await complete('second')
})

test('it does not serve before the golden questions let it; then by one call, without a new version of anything', async () => {
  const { id } = (await view('second'))!
  expect(await code(await send('POST', `/generations/${id}/activate`, {}))).toEqual([409, 'gate_failed'])
  expect((await send('PUT', `/generations/${id}/gate`, { passed: false, questions: 3 })).status).toBe(200)
  expect(await code(await send('POST', `/generations/${id}/activate`, {}))).toEqual([409, 'gate_failed'])
  expect((await send('PUT', `/generations/${id}/gate`, { passed: true, questions: 3 })).status).toBe(200)
  const before = await versions()
  const embedded = [first.embedded.length, second.embedded.length]
  expect(await (await send('POST', `/generations/${id}/activate`, {})).json()).toMatchObject({ state: 'active', gate: { questions: 3 } })
  expect((await list()).items.map(({ model, state }) => [model, state])).toEqual([
    ['first', 'standby'],
    ['second', 'active'],
  ])
  put('after.txt', 'Glaciers came after the switch.')
  await ingest.reaches('after.txt', 'ready')
  await until('the one that stands by has it, too', async () =>
    (await nearest('first', 'glaciers'))[0] === 'after.txt' ? true : undefined,
  )
  expect(await nearest('second', 'glaciers')).toEqual(['after.txt'])
  expect(await versions()).toMatchObject(before)
  expect([first.embedded.length - embedded[0]!, second.embedded.length - embedded[1]!]).toEqual([1, 1])
  await clean()
})

test('back by one call, and forth again; what serves cannot be deleted', async () => {
  expect(await (await send('POST', '/generations/rollback')).json()).toMatchObject({ model: 'first', state: 'active' })
  const { id } = (await view('second'))!
  expect((await view('second'))?.state).toBe('standby')
  // it has served before: the golden questions are not asked again
  await complete('second')
  expect((await send('POST', `/generations/${id}/activate`, {})).status).toBe(200)
  expect(await code(await send('DELETE', `/generations/${id}`))).toEqual([409, 'conflict'])
  await clean()
})

test('a deleted one takes its vectors along; built again it is made anew', async () => {
  const { id } = (await view('first'))!
  expect((await send('DELETE', `/generations/${id}`)).status).toBe(204)
  expect(await code(await send('GET', `/generations/${id}`))).toEqual([404, 'not_found'])
  expect((await ingest.corpus.countTexts('first')).missing).toBe(42)
  expect((await ingest.corpus.countTexts('second')).missing).toBe(0)
  // another document goes and comes: nothing of the deleted one is made again
  put('page-5.txt', 'Chapter 5 is about volcanoes.')
  await until('the new text is there', async () => (await ingest.chunks()).find(({ text }) => text.includes('volcanoes')))
  expect(await nearest('second', 'volcanoes')).toEqual(['page-5.txt'])
  expect((await list()).items.map(({ model }) => model)).toEqual(['second'])
  expect((await send('POST', '/generations', { model: 'first' })).status).toBe(202)
  await complete('first')
  expect(await nearest('first', 'volcanoes')).toEqual(['page-5.txt'])
  expect((await send('DELETE', `/generations/${(await view('first'))!.id}`)).status).toBe(204)
})

test('a text that the model refuses is named as the problem, all others are done', async () => {
  first.refuseText('volcanoes')
  expect((await send('POST', '/generations', { model: 'first' })).status).toBe(202)
  const stuck = await until('all but one', async () => {
    const now = await view('first')
    return now?.missing === 1 && now.problem ? now : undefined
  })
  expect(stuck).toMatchObject({ isComplete: false, problem: { code: 'embedding_failed' } })
  expect(await code(await send('POST', `/generations/${stuck.id}/activate`, {}))).toEqual([409, 'generation_incomplete'])
  expect(await (await send('POST', `/generations/${stuck.id}/activate`, { force: true })).json()).toMatchObject({ state: 'active' })
  first.refuseText(undefined)
  await until('the last one follows', async () => ((await view('first'))?.missing === 0 ? true : undefined))
})

test('a configuration that names another model alone: the texts are embedded anew, no document is read again', async () => {
  const before = await versions()
  await ingest.stop()
  await using again = new AsyncDisposableStack()
  const third = createFakeEmbedder({ model: 'third', dimension: 16 })
  const { databaseUrl, folder } = ingest
  const other = await startTestIngest(again, { databaseUrl, folder, embedder: third })
  await until('all texts have a vector of it', async () =>
    (await other.corpus.findActive())?.model === 'third' && (await other.corpus.countTexts('third')).missing === 0 ? true : undefined,
  )
  expect(await versions()).toEqual(before)
  expect(other.extractor.asked.size).toBe(0)
  await clean(other.corpus)
})
