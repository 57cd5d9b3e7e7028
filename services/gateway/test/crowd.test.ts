import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { connect } from 'node:net'
import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { until } from '../../lib/testkit/src/until.ts'
import { allEvents, changeSettings, eventsOf, post, type Received, startAt, textOf } from './harness.ts'
import { asking, withModel } from './with-model.ts'

describe('more readers and questions than usual', () => {
  const { scope, place, model, gateway } = withModel({ env: { STREAM_FLUSH_MS: '20' } })
  const env = () => ({ ...asking(model), STREAM_FLUSH_MS: '20' })
  beforeAll(() => changeSettings(gateway, { maxTokens: 32_000 }))
  beforeEach(() => {
    model.mode = 'slow'
    model.pieceMs = 10
    model.pieces = Array.from({ length: 60 }, (_, i) => `词${i} `)
  })
  const begin = async (extra: object = {}, headers: Record<string, string> = {}) =>
    (await (await post(`${gateway.url}/api/v1/answers`, { question: `问 ${randomUUID()}`, async: true, ...extra }, headers)).json()) as {
      answerId: string
      conversationId: string
      eventsUrl: string
    }

  test('beyond the places and the waiting room questions are refused at once, with Retry-After; those accepted end well', async () => {
    const small = await startAt(place, scope, { ...env(), MAX_RUNNING_ANSWERS: '3', MAX_WAITING_QUESTIONS: '2' })
    const sent = Array.from({ length: 30 }, async () => {
      const from = performance.now()
      const response = await post(`${small.url}/api/v1/ask`, { question: `挤 ${randomUUID()}` })
      return { response, ms: performance.now() - from, body: (await response.json()) as { state?: string; code?: string } }
    })
    const all = await Promise.all(sent)
    const refused = all.filter(({ response }) => response.status === 503)
    expect(refused).toHaveLength(25)
    expect(all.filter(({ body }) => body.state === 'done')).toHaveLength(5)
    for (const { response, body } of refused) {
      expect(body.code).toBe('overloaded')
      expect(response.headers.get('content-type')).toContain('application/problem+json')
      expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0)
    }
    // one that is refused waits for no answer: the slowest of thirty at once is quicker than the first that ends
    expect(Math.max(...refused.map(({ ms }) => ms))).toBeLessThan(Math.min(...all.filter(({ body }) => body.state).map(({ ms }) => ms)))
    // the places are free again
    expect((await post(`${small.url}/api/v1/ask`, { question: '还有位子吗' })).status).toBe(200)
  })

  test('a reader that never reads costs no other reader time, and the answer ends', async () => {
    model.pieces = Array.from({ length: 12 }, () => '字'.repeat(40_000))
    const { answerId, eventsUrl } = await begin()
    const stuck = connect(gateway.port, '127.0.0.1')
    await once(stuck, 'connect')
    stuck.pause()
    stuck.write(`GET ${eventsUrl} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`)
    const events = await allEvents(await fetch(gateway.url + eventsUrl))
    expect(events.at(-1)!.type).toBe('done')
    expect(textOf(events).length).toBe(12 * 40_000)
    expect(await (await fetch(`${gateway.url}/api/v1/answers/${answerId}`)).json()).toMatchObject({ state: 'done' })
    // what it did not read was not lost either
    let read = ''
    stuck.setEncoding('utf8').on('data', (text: string) => {
      read += text
    })
    stuck.resume()
    await once(stuck, 'end')
    expect(read.match(/^event: delta$/gm)).toHaveLength(events.filter(({ type }) => type === 'delta').length)
    expect(read.match(/^event: done$/gm)).toHaveLength(1)
  })

  test('a reader that drops and returns twenty times gets each event once', async () => {
    const { answerId, eventsUrl } = await begin()
    const events: Received[] = []
    let returns = 0
    while (!events.some(({ type }) => type === 'done')) {
      const leave = new AbortController()
      const response = await fetch(gateway.url + eventsUrl, {
        headers: { 'last-event-id': String(events.at(-1)?.id ?? 0) },
        signal: leave.signal,
      })
      for await (const event of eventsOf(response)) {
        events.push(event)
        if (returns < 20 && event.type === 'delta') break
      }
      leave.abort()
      returns++
    }
    expect(returns).toBeGreaterThan(10)
    expect(events.map(({ id }) => id)).toEqual(events.map((_, i) => i + 1))
    expect(await (await fetch(`${gateway.url}/api/v1/answers/${answerId}`)).json()).toMatchObject({ text: textOf(events) })
  })

  test('a bad id is refused, a future one gets the end, one of an answer that is gone gets 404', async () => {
    const { answerId, conversationId, eventsUrl } = await begin({}, { 'x-client-id': 'late' })
    const at = (id: string) => fetch(gateway.url + eventsUrl, { headers: { 'last-event-id': id } })
    for (const id of ['-1', 'abc', '1.5', '9'.repeat(1_000)]) expect((await at(id)).status).toBe(400)
    const future = await at('999999')
    expect(future.status).toBe(200)
    expect((await allEvents(future)).at(-1)!.type).toBe('done')
    expect((await at('999999')).status).toBe(204)
    const gone = await fetch(`${gateway.url}/api/v1/conversations/${conversationId}`, {
      method: 'DELETE',
      headers: { 'x-client-id': 'late' },
    })
    expect(gone.status).toBe(204)
    await until('the answer is forgotten', async () => (await at('3')).status === 404)
    expect((await fetch(`${gateway.url}/api/v1/answers/${answerId}`)).status).toBe(404)
  })

  test('two questions at once in one conversation: each its own journal, the history in order', async () => {
    const mine = { 'x-client-id': randomUUID() }
    const first = (await (await post(`${gateway.url}/api/v1/ask`, { question: '第一问' }, mine)).json()) as { conversationId: string }
    const { conversationId } = first
    const texts = await Promise.all(
      ['甲问', '乙问'].map(async (question) => {
        const begun = await begin({ question, conversationId }, mine)
        return textOf(await allEvents(await fetch(gateway.url + begun.eventsUrl)))
      }),
    )
    expect(texts).toEqual([model.pieces.join(''), model.pieces.join('')])
    const { messages } = (await (await fetch(`${gateway.url}/api/v1/conversations/${conversationId}`, { headers: mine })).json()) as {
      messages: { role: string; text: string }[]
    }
    expect(messages.map(({ role }) => role)).toEqual(['question', 'answer', 'question', 'answer', 'question', 'answer'])
    expect(messages.filter(({ role }) => role === 'question').map(({ text }) => text)).toEqual(
      expect.arrayContaining(['第一问', '甲问', '乙问']),
    )
    // the one that was asked earlier knows nothing of the later one
    const [earlier, later] = [messages[2]!.text, messages[4]!.text]
    const sent = model.requests.find(({ messages: said }) => said.at(-1)!.content.includes(earlier))!
    expect(JSON.stringify(sent.messages)).not.toContain(later)
  })
})
