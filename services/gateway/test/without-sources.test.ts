import type { Answer } from '@docent/core/answer-event'
import { afterEach, beforeAll, describe, expect, test } from 'vitest'
import { adminKey, allEvents, openPool, post, type Received, startAt, textOf } from './harness.ts'
import { withModel } from './with-model.ts'

const owner = { authorization: `Bearer ${adminKey}` }
const own = { zh: '出自模型自身', en: 'the model’s own' }
type Entry = { record: { withoutSources?: { code: string }; degraded: string[]; sources: unknown[]; cache: string; state: string } }

describe('while retrieval is down', () => {
  const { scope, place, model, gateway } = withModel({ says: { pieces: ['大约', '一年 [1]。'] } })
  let asked = 0
  beforeAll(async () => {
    await send('/personas', { id: 'daring', title: 'Daring', prompt: 'You help.', answersWithoutSources: true })
  })
  afterEach(() => {
    place.neighbours.down = false
    model.mode = 'good'
    model.requests.length = 0
  })

  const send = (path: string, body: unknown, method = 'POST') =>
    fetch(`${gateway.url}/api/v1${path}`, { method, headers: { 'content-type': 'application/json', ...owner }, body: JSON.stringify(body) })
  const get = async (path: string) => (await fetch(`${gateway.url}/api/v1${path}`, { headers: owner })).json()
  const ask = async (question: string, persona?: string, url = gateway.url) =>
    allEvents(await post(`${url}/api/v1/answers`, { question, ...(persona ? { persona } : {}) }, { accept: 'text/event-stream' }))
  const idOf = (events: Received[]) => (events[0]!.data as { answerId: string }).answerId
  const recordOf = async (events: Received[]) => ((await get(`/records/${idOf(events)}`)) as Entry).record
  const endOf = (events: Received[]) => events.at(-1)! as { type: string; data: { code?: string } }

  test('a persona that allows it lets the model answer without sources: said before the first word, in the record and in the metric', async () => {
    place.neighbours.down = true
    const events = await ask(`保修期多久？${++asked}`, 'daring')
    expect(events.map(({ type }) => type).filter((type, i, all) => type !== all[i - 1])).toEqual([
      ...['meta', 'warning', 'sources', 'delta', 'warning', 'usage', 'done'],
    ])
    expect(events[1]!.data).toMatchObject({ code: 'degraded', step: 'retrieval', message: expect.stringContaining('检索') as string })
    expect(events[2]!.data).toMatchObject({ sources: [], answerable: false })
    expect(textOf(events)).toMatch(new RegExp(`^（.*${own.zh}.*）\n\n大约一年`))
    // it named a source though it was told not to
    expect(events.filter(({ type }) => type === 'warning')[1]!.data).toMatchObject({ code: 'unknown_source' })
    expect(events.some(({ type }) => type === 'citation')).toBe(false)
    expect(model.requests.at(-1)!.messages[0]!.content).toContain('you have no sources')

    const record = await recordOf(events)
    expect(record).toMatchObject({
      withoutSources: { code: 'unavailable' },
      degraded: ['retrieval'],
      sources: [],
      cache: 'off',
      state: 'done',
    })
    const stored = (await get(`/answers/${idOf(events)}`)) as Answer
    expect(stored).toMatchObject({ degraded: ['retrieval'], answerable: false, citations: [], model: 'mock' })
    expect(await gateway.metrics.metrics()).toMatch(/docent_degraded_total\{step="retrieval",service="gateway"\} 1/)
  })

  test('it is said in the language and script of the question, and to clients that see the text alone', async () => {
    place.neighbours.down = true
    const english = await ask(`How long is the warranty? ${++asked}`, 'daring')
    expect(english[1]!.data).toMatchObject({ message: expect.stringContaining('Search in the documents is down') as string })
    expect(textOf(english)).toContain(own.en)
    expect(textOf(await ask(`這台機器保固多久？${++asked}`, 'daring'))).toContain('出自模型自身，沒有參考文件')
    const whole = await post(`${gateway.url}/v1/chat/completions`, { model: 'daring', messages: [{ role: 'user', content: '保修期？' }] })
    const { choices } = (await whole.json()) as { choices: { message: { content: string; annotations: unknown[] } }[] }
    expect(choices[0]!.message).toMatchObject({ content: expect.stringContaining(own.zh) as string, annotations: [] })
  })

  test('no other persona does so: the error is clear, and no model is asked', async () => {
    place.neighbours.down = true
    const events = await ask(`保修期多久？${++asked}`)
    expect(endOf(events)).toMatchObject({ type: 'error', data: { code: 'unavailable' } })
    expect(textOf(events)).toBe('')
    expect((await post(`${gateway.url}/api/v1/ask`, { question: `保修期多久？${++asked}` })).status).toBe(503)
    expect(model.requests).toEqual([])
  })

  test('without a model, and when no model answers, it stays the clear error', async () => {
    const { url } = await startAt(place, scope)
    place.neighbours.down = true
    expect(endOf(await ask(`保修期多久？${++asked}`, 'daring', url))).toMatchObject({ type: 'error', data: { code: 'unavailable' } })
    model.mode = 'status'
    model.status = 402
    const events = await ask(`保修期多久？${++asked}`, 'daring')
    expect(endOf(events)).toMatchObject({ type: 'error', data: { code: 'unavailable' } })
    expect(textOf(events)).toBe('')
    expect(JSON.stringify(events)).not.toContain('直接引用')
    expect(await recordOf(events)).toMatchObject({ degraded: ['retrieval', 'model'], state: 'error' })
  })

  test('it is never cached: when retrieval is back the documents answer the same question', async () => {
    const question = `保修期多久？${++asked}`
    place.neighbours.down = true
    await ask(question, 'daring')
    place.neighbours.down = false
    const events = await ask(question, 'daring')
    expect(textOf(events)).toBe('大约一年 [1]。')
    expect(await recordOf(events)).toMatchObject({ cache: 'miss', degraded: [] })
    place.neighbours.down = true
    const again = await ask(question, 'daring')
    expect(textOf(again)).toContain(own.zh)
    expect(model.requests.length).toBe(3)
  })

  test('it cannot be approved, and is no gap of the documents', async () => {
    place.neighbours.down = true
    const question = `月球背面的保修？${++asked}`
    const events = await ask(question, 'daring')
    const refused = await send('/saved-answers', { answerId: idOf(events) })
    expect([refused.status, await refused.json()]).toMatchObject([400, { code: 'validation' }])
    expect(JSON.stringify(await get('/gaps'))).not.toContain('月球背面')
    const pool = openPool(place.databaseUrl)
    const { rows } = await pool.query('SELECT count(*)::int AS n FROM citation WHERE answer = $1', [idOf(events)])
    await pool.end()
    expect(rows).toEqual([{ n: 0 }])
  })

  test('the wish is part of the persona: versioned, in its file, tried in a preview and taken back', async () => {
    const file = await (await fetch(`${gateway.url}/api/v1/personas/daring/export`, { headers: owner })).text()
    expect(file).toContain('answersWithoutSources: true')
    const copied = await send('/personas/import', { files: [file, file.replace('id: daring', 'id: copied')] })
    expect(await copied.json()).toMatchObject({ items: [{ outcome: 'unchanged' }, { outcome: 'created' }] })
    expect(await get('/personas/copied')).toMatchObject({ answersWithoutSources: true })
    await send('/personas/copied', { answersWithoutSources: false }, 'PATCH')
    const { items } = (await get('/personas/copied/versions')) as { items: object[] }
    expect(items).toMatchObject([{ answersWithoutSources: false }, { answersWithoutSources: true }])
    expect(await (await fetch(`${gateway.url}/api/v1/personas/copied/export`, { headers: owner })).text()).not.toContain('WithoutSources')
    expect((await send('/personas/copied', { answersWithoutSources: 'yes' }, 'PATCH')).status).toBe(400)

    place.neighbours.down = true
    const draft = { question: '保修期？', answersWithoutSources: true }
    expect(await (await send('/personas/copied/preview', draft)).json()).toMatchObject({ degraded: ['retrieval'], state: 'done' })
    expect(await (await send('/personas/copied/preview', { question: '保修期？' })).json()).toMatchObject({ state: 'error' })
  })
})
