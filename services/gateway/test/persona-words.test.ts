import type { Answer } from '@docent/core/answer-event'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { type MockUpstream, openMockUpstream } from '../../lib/testkit/src/mock-upstream.ts'
import { adminKey, openPlace, openPool, type Place, post, startAt } from './harness.ts'

const owner = { authorization: `Bearer ${adminKey}` }
const scope = new AsyncDisposableStack()
const greeting = { zh: '你好，我是小流，\n负责保修。', en: 'Hello, I am Lumi.' }
const refusal = { zh: '这个我不知道，请打客服电话。', en: 'I cannot tell; please call us.' }
const words = { prompt: 'You are Lumi.', tone: 'dry, in short sentences', greeting, refusal }
let place: Place
let model: MockUpstream
let quoting: string
let writing: string
beforeAll(async () => {
  place = await openPlace(scope)
  model = scope.use(await openMockUpstream({ pieces: ['24 个月 [1]。'] }))
  quoting = (await startAt(place, scope)).url
  writing = (await startAt(place, scope, { LLM_BASE_URL: model.url, LLM_MODEL: 'mock-words' })).url
  await send(quoting, '/personas', { id: 'lumi', title: 'Lumi', ...words })
  await send(writing, '/personas', { id: 'writer', title: 'Writer', ...words })
})
afterEach(() => {
  place.neighbours.answerable = true
})
afterAll(() => scope.disposeAsync())

const send = (url: string, path: string, body: unknown, method = 'POST') =>
  fetch(`${url}/api/v1${path}`, { method, headers: { 'content-type': 'application/json', ...owner }, body: JSON.stringify(body) })
const get = async (url: string, path: string) => (await fetch(`${url}/api/v1${path}`, { headers: owner })).text()
const ask = async (url: string, question: string, persona: string) =>
  (await (await post(`${url}/api/v1/ask`, { question, persona })).json()) as Answer
const told = () => model.requests.at(-1)!.messages[0]!.content

test('without a model a greeting is answered with its greeting in the language of the question, other small talk as before', async () => {
  expect((await ask(quoting, '你好！', 'lumi')).text).toBe(greeting.zh)
  expect((await ask(quoting, 'Hi there', 'lumi')).text).toBe(greeting.en)
  expect((await ask(quoting, '谢谢', 'lumi')).text).toContain('不客气')
  expect((await ask(quoting, '你好', 'neutral')).text).toContain('你好！我根据这里收录的文档回答问题')
})

test('where the documents hold no answer it says its refusal and offers the closest sources', async () => {
  place.neighbours.answerable = false
  const zh = await ask(quoting, '月球有多远？', 'lumi')
  expect(zh).toMatchObject({ text: `${refusal.zh}内容最接近的来源列在下面。`, answerable: false })
  expect(zh.sources).toHaveLength(1)
  expect((await ask(quoting, '這台機器離月球多遠？', 'lumi')).text).toBe(`${refusal.zh}內容最接近的來源列在下面。`)
  expect((await ask(quoting, 'How far is the moon?', 'lumi')).text).toBe(`${refusal.en} The closest sources are listed below.`)
  await send(quoting, '/personas/lumi', { refusal: 'Ask Ann.' }, 'PATCH')
  expect((await ask(quoting, '月球有多远？', 'lumi')).text).toBe('Ask Ann. 内容最接近的来源列在下面。')
  await send(quoting, '/personas/lumi', { refusal: null }, 'PATCH')
  expect((await ask(quoting, '月球有多远？', 'lumi')).text).toBe('文档中没有找到这个问题的答案。内容最接近的来源列在下面。')
  expect(JSON.parse(await get(quoting, '/personas/lumi'))).toEqual({
    ...{ id: 'lumi', title: 'Lumi', version: 3, settings: {}, collections: null },
    ...{ ...words, refusal: null, answersWithoutSources: false },
  })
})

test('everyone sees the greeting, nobody but the owner the other words', async () => {
  const listed = await (await fetch(`${quoting}/api/v1/personas`)).json()
  expect(listed).toMatchObject({ items: expect.arrayContaining([expect.objectContaining({ id: 'lumi', greeting, isDefault: false })]) })
  expect(JSON.stringify(listed)).not.toContain('short sentences')
  expect(listed).toMatchObject({ items: expect.arrayContaining([expect.objectContaining({ id: 'neutral', greeting: null })]) })
})

test('a model is told the tone for every answer, the refusal beside sources and the greeting for a greeting', async () => {
  await ask(writing, '保修期是多久？', 'writer')
  expect(told()).toContain(`You are Lumi.\nTone: ${words.tone}\n`)
  expect(told()).toContain(`If the sources do not hold the answer, say: ${refusal.zh}`)
  expect(told()).not.toContain(greeting.zh)
  await ask(writing, 'Hello', 'writer')
  expect(told()).toContain(`Tone: ${words.tone}`)
  expect(told()).toContain(`This message is a greeting: answer it with these words: ${greeting.en}`)
  expect(told()).not.toContain(refusal.en)
  await ask(writing, '保修期是多久？', 'neutral')
  expect(told()).not.toContain('Tone:')
  expect(told()).toContain('hold the answer, say: 文档中没有找到这个问题的答案。')
})

test('a cached answer in another tone is not given again', async () => {
  const cacheOf = async ({ id }: Answer) => (JSON.parse(await get(writing, `/records/${id}`)) as { record: { cache: string } }).record.cache
  await ask(writing, '保修多久？', 'writer')
  expect(await cacheOf(await ask(writing, '保修多久？', 'writer'))).toBe('hit')
  await send(writing, '/personas/writer', { tone: 'cheerful' }, 'PATCH')
  expect(await cacheOf(await ask(writing, '保修多久？', 'writer'))).toBe('miss')
  expect(told()).toContain('Tone: cheerful')
})

test('a preview tries other words and keeps none', async () => {
  const before = await get(writing, '/personas/writer')
  const draft = { question: 'Good morning', tone: 'grand', greeting: 'Hear, hear.' }
  expect((await send(writing, '/personas/writer/preview', draft)).status).toBe(200)
  expect(told()).toMatch(/Tone: grand\n(?:.*\n)*.*these words: Hear, hear\./)
  await send(writing, '/personas/writer/preview', { question: 'Good morning', tone: null, greeting: null })
  expect(told()).not.toMatch(/Tone:|these words/)
  expect(await get(writing, '/personas/writer')).toBe(before)
})

test('with tools, and without documents at all, its words are told too', async () => {
  const llm = { LLM_BASE_URL: model.url, LLM_MODEL: 'mock-words' }
  const withTools = await startAt(place, scope, { ...llm, TOOLS_ENABLED: 'true' })
  place.neighbours.answerable = false
  const found = await ask(withTools.url, '月球有多远？', 'writer')
  expect(told()).toContain(`hold the answer, say: ${refusal.zh}`)
  expect(found.text).toBe(`${refusal.zh}内容最接近的来源列在下面。`)
  const alone = await startAt(place, scope, { ...llm, RAG_ENABLED: 'false' })
  await ask(alone.url, '你好', 'writer')
  expect(told()).toContain(`these words: ${greeting.zh}`)
})

test('a model that is down leaves the greeting as it stands', async () => {
  const down = scope.use(await openMockUpstream({ mode: 'status', status: 402 }))
  const { url } = await startAt(place, scope, { LLM_BASE_URL: down.url, LLM_MODEL: 'mock-down' })
  expect(await ask(url, '你好', 'writer')).toMatchObject({ text: greeting.zh, degraded: ['model'], sources: [] })
})

test('in a file its words come back as they were, in either form', async () => {
  const odd = {
    tone: '---\n- yes: "no" #1',
    greeting: 'true',
    refusal: { zh: '“不知道”\r\n---\n 请：打电话', en: `${'a b '.repeat(200)}\n\n\tend: {x}` },
  }
  await send(quoting, '/personas', { id: 'odd', title: 'Odd', prompt: 'Odd.', ...odd })
  for (const format of ['md', 'json']) {
    const text = await get(quoting, `/personas/odd/export?format=${format}`)
    expect(await (await send(quoting, '/personas/import', { files: [text] })).json()).toEqual({
      items: [{ id: 'odd', version: 1, outcome: 'unchanged' }],
    })
  }
})

test('every persona, shipped or own, can be exported into a folder and imported again: nothing changes', async () => {
  const { items } = JSON.parse(await get(quoting, '/personas')) as { items: { id: string }[] }
  const files = await Promise.all(items.map(({ id }) => get(quoting, `/personas/${id}/export`)))
  const imported = (await (await send(quoting, '/personas/import', { files })).json()) as { items: { outcome: string }[] }
  expect(imported.items.map(({ outcome }) => outcome)).toEqual(items.map(() => 'unchanged'))
})

test.each([
  ['body.tone', { tone: 'x'.repeat(501) }],
  ['body.tone', { tone: ' ' }],
  ['body.greeting', { greeting: 'x'.repeat(1_001) }],
  ['body.greeting', { greeting: { zh: '你好' } }],
  ['body.greeting.zh', { greeting: { zh: 'x'.repeat(1_001), en: 'x' } }],
  ['body.refusal', { refusal: 'a\0b' }],
  ['body.refusal', { refusal: 5 }],
])('%s is refused: %j', async (path, body) => {
  for (const [method, at] of [
    ['PATCH', '/personas/lumi'],
    ['POST', '/personas/lumi/preview'],
  ] as const) {
    const refused = await send(quoting, at, { ...(method === 'POST' ? { question: 'x' } : {}), ...body }, method)
    expect(refused.status).toBe(400)
    expect(await refused.json()).toMatchObject({ code: 'validation', errors: [{ path }] })
  }
})

test('a row of a gateway that knows no such words is a persona without them', async () => {
  const pool = openPool(place.databaseUrl)
  scope.defer(() => pool.end())
  await pool.query(`INSERT INTO persona (id, version, title, prompt) VALUES ('old', 1, 'Old', 'You are old.')`)
  const changed = await send(quoting, '/personas/old', { title: 'Older' }, 'PATCH')
  expect(await changed.json()).toMatchObject({ version: 2, title: 'Older', tone: null, greeting: null, refusal: null })
})
