import type { Answer } from '@docent/core/answer-event'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Gateway } from '../src/gateway-service.ts'
import { adminKey, allEvents, openPlace, type Place, passage, post, startAt, textOf, warrantyText } from './harness.ts'

describe('asking without a model', () => {
  const scope = new AsyncDisposableStack()
  let place: Place
  let gateway: Gateway
  beforeAll(async () => {
    place = await openPlace(scope)
    gateway = await startAt(place, scope)
  })
  afterAll(() => scope.disposeAsync())

  test('a question is answered by a cited sentence of the documents', async () => {
    const response = await post(`${gateway.url}/api/v1/ask`, { question: '本产品的保修期是多久？' })
    expect(response.status).toBe(200)
    const answer = (await response.json()) as Record<string, unknown> & {
      text: string
      citations: { start: number; end: number; source: number; verified: boolean }[]
    }
    expect(answer).toMatchObject({ state: 'done', answerable: true, degraded: [], model: 'extractive' })
    expect(answer.text).toContain('文档中的原文：')
    expect(answer.text).toContain('本产品的保修期为 24 个月，自购买之日起计算。 [1]')
    const quoted = answer.citations.map(({ start, end }) => answer.text.slice(start, end))
    expect(quoted).toContain('本产品的保修期为 24 个月，自购买之日起计算。')
    expect(answer.citations.every(({ verified }) => verified)).toBe(true)
  })

  test('the events of an answer are numbered, complete and end once', async () => {
    const events = await allEvents(await post(`${gateway.url}/api/v1/answers`, { question: '保修期是多久？' }))
    expect(events.map(({ id }) => id)).toEqual(events.map((_, i) => i + 1))
    expect(events[0]!.type).toBe('meta')
    expect(events[1]!.type).toBe('sources')
    expect(events.filter(({ type }) => ['done', 'stopped', 'interrupted', 'error'].includes(type)).map(({ type }) => type)).toEqual([
      'done',
    ])
    const { answerId } = events[0]!.data as { answerId: string }
    const stored = (await (await fetch(`${gateway.url}/api/v1/answers/${answerId}`)).json()) as { text: string }
    expect(stored.text).toBe(textOf(events))
    const again = await allEvents(await fetch(`${gateway.url}/api/v1/answers/${answerId}/events?after=2`))
    expect(again).toEqual(events.slice(2))
    expect(
      (await fetch(`${gateway.url}/api/v1/answers/${answerId}/events`, { headers: { 'last-event-id': String(events.length) } })).status,
    ).toBe(204)
  })

  test('a table row is quoted with the names of its columns', async () => {
    const answer = (await (await post(`${gateway.url}/api/v1/ask`, { question: 'X200 型号的保修期？' })).json()) as { text: string }
    expect(answer.text).toContain('型号: X200；保修期: 36 个月 [1]')
  })

  test('what was read from a picture is quoted with the advice to compare it', async () => {
    const before = place.neighbours.passages
    place.neighbours.passages = [passage(warrantyText, { page: 1, ocr: true })]
    try {
      const answer = (await (await post(`${gateway.url}/api/v1/ask`, { question: '保修期是多久？' })).json()) as { text: string }
      expect(answer.text).toMatch(/自购买之日起计算。 \[1\][\s\S]*由图片经文字识别读出，数字与姓名请对照原件：\[1\]$/)
    } finally {
      place.neighbours.passages = before
    }
  })

  test('what the documents do not hold is said so, in the language and script of the question', async () => {
    place.neighbours.answerable = false
    try {
      for (const [question, said] of [
        ['谁发明了电话？', '文档中没有找到'],
        ['誰發明了電話？', '文件中沒有找到'],
        ['Who invented the telephone?', 'do not contain an answer'],
      ] as const) {
        const answer = (await (await post(`${gateway.url}/api/v1/ask`, { question })).json()) as {
          text: string
          answerable: boolean
          sources: unknown[]
        }
        expect(answer.text).toContain(said)
        expect(answer.answerable).toBe(false)
        expect(answer.sources).toHaveLength(1)
      }
    } finally {
      place.neighbours.answerable = true
    }
  })

  test('an empty index is said to be empty', async () => {
    const { passages } = place.neighbours
    place.neighbours.answerable = false
    place.neighbours.passages = []
    try {
      const answer = (await (await post(`${gateway.url}/api/v1/ask`, { question: 'How long is the warranty?' })).json()) as Answer
      expect(answer).toMatchObject({ state: 'done', answerable: false, sources: [], citations: [] })
      expect(answer.text).toBe('There are no documents to search yet: put files into the folder and ask again when they are indexed.')
    } finally {
      place.neighbours.answerable = true
      place.neighbours.passages = passages
    }
  })

  test('near the threshold the closest passages are quoted with a word of doubt', async () => {
    place.neighbours.answerable = false
    place.neighbours.gateScore = 0.45
    try {
      const answer = (await (await post(`${gateway.url}/api/v1/ask`, { question: '保修期是多久？' })).json()) as Answer
      expect(answer).toMatchObject({ state: 'done', answerable: false })
      expect(answer.text).toMatch(/^文档可能没有直接回答这个问题/)
      expect(answer.citations.length).toBeGreaterThan(0)
      expect(answer.citations.every(({ verified }) => verified)).toBe(true)
    } finally {
      place.neighbours.answerable = true
      place.neighbours.gateScore = 0.1
    }
  })

  test('an English question about a Chinese document gets the Chinese sentence, introduced in English', async () => {
    place.neighbours.passages = [passage(warrantyText)]
    const answer = (await (await post(`${gateway.url}/api/v1/ask`, { question: 'How long is the warranty (保修期)?' })).json()) as {
      text: string
    }
    expect(answer.text.startsWith('Quoted from the documents:')).toBe(true)
    expect(answer.text).toContain('24 个月')
  })

  test('/api/ask_stream speaks OpenAI chunks with docent in the first and the last', async () => {
    const response = await post(`${gateway.url}/api/ask_stream`, { question: '保修期是多久？' })
    const body = await response.text()
    expect(body).not.toContain('\r')
    const lines = body.split('\n\n').filter(Boolean)
    expect(lines.every((line) => line.startsWith('data: ') && !line.includes('\n'))).toBe(true)
    expect(lines.at(-1)).toBe('data: [DONE]')
    const chunks = lines.slice(0, -1).map(
      (line) =>
        JSON.parse(line.slice(6)) as {
          object: string
          choices: { delta: { content?: string }; finish_reason: string | null }[]
          docent?: { sources: unknown[]; state?: string }
        },
    )
    expect(chunks.every(({ object }) => object === 'chat.completion.chunk')).toBe(true)
    expect(chunks[0]!.docent!.sources).toHaveLength(1)
    expect(chunks.at(-1)!.docent).toMatchObject({ state: 'done' })
    expect(chunks.at(-1)!.choices[0]!.finish_reason).toBe('stop')
    expect(chunks.map(({ choices }) => choices[0]!.delta.content ?? '').join('')).toContain('24 个月')
  })

  test('an upstream failure in /api/ask_stream is one data: {"error"} line', async () => {
    place.neighbours.down = true
    try {
      const body = await (await post(`${gateway.url}/api/ask_stream`, { question: '保修期是多久？' })).text()
      expect(body.match(/data: \{"error":/g)).toHaveLength(1)
      const json = await post(`${gateway.url}/api/v1/ask`, { question: '保修期是多久？' })
      expect(json.status).toBe(503)
      expect(await json.json()).toMatchObject({ code: 'unavailable' })
    } finally {
      place.neighbours.down = false
    }
  })

  test('/chat, /api/ask, /health, /api/health, /api/stats, /system/info, /openapi.json and /docs answer', async () => {
    expect(await (await post(`${gateway.url}/chat`, { message: '保修期是多久？', user_id: 'u1' })).json()).toMatchObject({
      user_id: 'u1',
      response: expect.stringContaining('24 个月'),
    })
    expect(await (await post(`${gateway.url}/api/ask`, { question: '保修期是多久？' })).json()).toMatchObject({ state: 'done' })
    expect(await (await fetch(`${gateway.url}/health`)).json()).toEqual({ status: 'ok' })
    expect(await (await fetch(`${gateway.url}/api/health`)).json()).toMatchObject({
      status: 'ok',
      services: { postgres: 'ok', queue: 'ok', cache: 'ok', retrieval: 'ok', ingest: 'ok' },
    })
    expect(await (await fetch(`${gateway.url}/api/stats`)).json()).toMatchObject({ documents: { ready: 1 }, chunks: 3 })
    expect(await (await fetch(`${gateway.url}/system/info`)).json()).toMatchObject({ name: 'Docent', mode: 'extractive' })
    expect(await (await fetch(`${gateway.url}/openapi.json`)).json()).toMatchObject({ openapi: '3.1.0' })
    expect(await (await fetch(`${gateway.url}/docs`)).text()).toContain('swagger-ui')
    expect((await fetch(`${gateway.url}/docs/swagger-ui-bundle.js`)).status).toBe(200)
    expect((await fetch(`${gateway.url}/metrics`)).status).toBe(404)
  })

  test('a conversation is read by its client only, and its last question goes along with the next', async () => {
    const mine = { 'x-client-id': 'client-a' }
    const first = (await (await post(`${gateway.url}/api/v1/ask`, { question: '保修期是多久？' }, mine)).json()) as {
      conversationId: string
    }
    await post(`${gateway.url}/api/v1/ask`, { question: '那 X200 呢？', conversationId: first.conversationId }, mine)
    expect(place.neighbours.searches.at(-1)).toMatchObject({ query: '那 X200 呢？', previous: '保修期是多久？' })
    const url = `${gateway.url}/api/v1/conversations/${first.conversationId}`
    expect(
      ((await (await fetch(url, { headers: mine })).json()) as { messages: { role: string }[] }).messages.map(({ role }) => role),
    ).toEqual(['question', 'answer', 'question', 'answer'])
    expect((await fetch(url, { headers: { 'x-client-id': 'client-b' } })).status).toBe(404)
    expect(
      (await post(`${gateway.url}/api/v1/ask`, { question: 'x', conversationId: first.conversationId }, { 'x-client-id': 'client-b' }))
        .status,
    ).toBe(404)
    expect(
      (await fetch(url, { method: 'PATCH', headers: { ...mine, 'content-type': 'application/json' }, body: '{"title":"neu"}' })).status,
    ).toBe(200)
    expect(
      ((await (await fetch(`${gateway.url}/api/v1/conversations`, { headers: mine })).json()) as { items: { title: string }[] }).items.map(
        ({ title }) => title,
      ),
    ).toEqual(['neu'])
    expect((await fetch(url, { method: 'DELETE', headers: mine })).status).toBe(204)
    expect((await fetch(url, { headers: mine })).status).toBe(404)
  })

  test('a citation opens its passage, its state and its file', async () => {
    const answer = (await (await post(`${gateway.url}/api/v1/ask`, { question: '保修期是多久？' })).json()) as {
      sources: { citationId: string }[]
    }
    const url = `${gateway.url}/api/v1/citations/${answer.sources[0]!.citationId}`
    expect(await (await fetch(url)).json()).toMatchObject({ state: 'current', text: warrantyText, path: 'manual.md' })
    const file = await fetch(`${url}/file`)
    expect(await file.text()).toBe('<b>file</b>')
    expect(file.headers.get('content-security-policy')).toContain('sandbox')
    expect(file.headers.get('x-inner')).toBeNull()
  })

  test('records and settings are the owner’s', async () => {
    const owner = { authorization: `Bearer ${adminKey}`, 'content-type': 'application/json' }
    expect((await fetch(`${gateway.url}/api/v1/records`)).status).toBe(401)
    const { items } = (await (await fetch(`${gateway.url}/api/v1/records?limit=5`, { headers: owner })).json()) as {
      items: { question: string; record: { model: string } }[]
    }
    expect(items[0]).toMatchObject({ question: expect.any(String), record: { model: 'extractive', state: 'done' } })
    const patched = await fetch(`${gateway.url}/api/v1/settings`, { method: 'PATCH', headers: owner, body: '{"topK":2}' })
    expect(await patched.json()).toMatchObject({ settings: { topK: 2, temperature: 0.7 } })
    expect((await fetch(`${gateway.url}/api/v1/settings`, { method: 'PATCH', headers: owner, body: '{"topK":0}' })).status).toBe(400)
    expect(
      (
        await fetch(`${gateway.url}/api/v1/settings`, {
          method: 'PATCH',
          headers: { 'content-type': 'application/json' },
          body: '{"topK":2}',
        })
      ).status,
    ).toBe(401)
  })
})
