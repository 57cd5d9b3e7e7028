import type { Answer } from '@docent/core/answer-event'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openMockUpstream } from '../../lib/testkit/src/mock-upstream.ts'
import { adminKey, openPlace, type Place, post, startAt } from './harness.ts'

const owner = { authorization: `Bearer ${adminKey}` }
const scope = new AsyncDisposableStack()
let place: Place
beforeAll(async () => {
  place = await openPlace(scope)
})
afterAll(() => scope.disposeAsync())

const ask = async (url: string, question: string, extra: object = {}) =>
  (await (await post(`${url}/api/v1/ask`, { question, ...extra })).json()) as Answer

test('small talk is answered without a search, without sources, and is no gap of the documents', async () => {
  const { url } = await startAt(place, scope)
  const before = place.neighbours.searches.length
  const hello = await ask(url, '你好！')
  expect(hello).toMatchObject({ state: 'done', answerable: true, sources: [], citations: [], degraded: [], model: 'extractive' })
  expect(hello.text).toContain('你好！我根据这里收录的文档回答问题')
  expect((await ask(url, 'Who are you?')).text).toContain('I am the assistant for the documents kept here')
  expect(place.neighbours.searches).toHaveLength(before)
  const { record } = (await (await fetch(`${url}/api/v1/records/${hello.id}`, { headers: owner })).json()) as { record: object }
  expect(record).toMatchObject({ smallTalk: 'greeting' })
  expect(await (await fetch(`${url}/api/v1/gaps`, { headers: owner })).json()).toMatchObject({ items: [], looked: 0 })
})

test('a question after thanks follows the question before it', async () => {
  const { url } = await startAt(place, scope)
  const { conversationId } = await ask(url, 'X100 的保修期是多久？')
  await ask(url, '谢谢', { conversationId })
  await ask(url, '那 X200 呢？', { conversationId })
  expect(place.neighbours.searches.at(-1)).toMatchObject({ query: '那 X200 呢？', previous: 'X100 的保修期是多久？' })
})

test('an approved answer to a greeting goes first', async () => {
  const { url } = await startAt(place, scope)
  const { id } = await ask(url, '保修期是多久？')
  expect((await post(`${url}/api/v1/saved-answers`, { answerId: id, question: '您好', text: '欢迎来到流明。' }, owner)).status).toBe(201)
  expect((await ask(url, '您好')).text).toContain('欢迎来到流明。')
})

test('a model answers it under the persona and without sources; one that is down leaves the fixed sentence', async () => {
  const model = scope.use(await openMockUpstream({ pieces: ['我是小流。'] }))
  const { url } = await startAt(place, scope, { LLM_BASE_URL: model.url, LLM_MODEL: 'mock-talk' })
  expect(await ask(url, '你是谁？')).toMatchObject({ text: '我是小流。', sources: [], model: 'mock-talk' })
  const prompt = JSON.stringify(model.requests.at(-1))
  expect(prompt).toContain('You are a careful assistant')
  expect(prompt).toContain('claim nothing about what the documents hold')
  model.mode = 'status'
  model.status = 402
  const fixed = await ask(url, '你是谁？')
  expect(fixed).toMatchObject({ degraded: ['model'], sources: [] })
  expect(fixed.text).toContain('我是文档问答助手')
})
