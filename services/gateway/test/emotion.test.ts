import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type MockUpstream, openMockUpstream } from '../../lib/testkit/src/mock-upstream.ts'
import { adminKey, allEvents, openPlace, type Place, post, startAt, textOf } from './harness.ts'

const scope = new AsyncDisposableStack()
let place: Place
let model: MockUpstream
beforeAll(async () => {
  place = await openPlace(scope)
  model = scope.use(await openMockUpstream({ pieces: ['保修期为 24 个月 [1]。'] }))
})
afterAll(() => scope.disposeAsync())

const tone = 'The reader sounds annoyed'
async function ask(url: string, question: string) {
  const headers = { accept: 'text/event-stream', 'x-client-id': randomUUID() }
  const events = await allEvents(await post(`${url}/api/v1/ask`, { question }, headers))
  const meta = events[0]!.data as { answerId: string; emotion?: string }
  const found = await fetch(`${url}/api/v1/records/${meta.answerId}`, { headers: { authorization: `Bearer ${adminKey}` } })
  const { record } = (await found.json()) as { record: { emotion?: string } }
  return { emotion: meta.emotion, recorded: record.emotion, text: textOf(events), prompt: JSON.stringify(model.requests.at(-1)) }
}

test('the label stands in meta and record and is one line of the prompt; a neutral one adds none', async () => {
  const { url } = await startAt(place, scope, { LLM_BASE_URL: model.url, LLM_MODEL: 'mock-emotion', EMOTION_ENABLED: 'true' })
  const angry = await ask(url, '气死我了，保修期是多久？')
  expect(angry).toMatchObject({ emotion: 'angry', recorded: 'angry' })
  expect(angry.prompt).toContain(tone)
  const neutral = await ask(url, '保修期是多久？')
  expect(neutral).toMatchObject({ emotion: 'neutral', recorded: 'neutral' })
  expect(neutral.prompt).not.toContain('The reader sounds')
})

test('off, nothing is labelled', async () => {
  const { url } = await startAt(place, scope, { LLM_BASE_URL: model.url, LLM_MODEL: 'mock-calm' })
  const { emotion, recorded, prompt } = await ask(url, '气死我了，保修期是多久？')
  expect([emotion, recorded]).toEqual([undefined, undefined])
  expect(prompt).not.toContain(tone)
})

test('quotations are the same whatever the label', async () => {
  const [on, off] = [await startAt(place, scope, { EMOTION_ENABLED: 'true' }), await startAt(place, scope)]
  const angry = await ask(on.url, '气死我了，保修期是多久？')
  expect(angry.emotion).toBe('angry')
  expect(angry.text).toBe((await ask(off.url, '气死我了，保修期是多久？')).text)
})
