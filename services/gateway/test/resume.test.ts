import { randomUUID } from 'node:crypto'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type MockUpstream, openMockUpstream } from '../../lib/testkit/src/mock-upstream.ts'
import { openProxy, type TcpProxy } from '../../lib/testkit/src/tcp-proxy.ts'
import { until } from '../../lib/testkit/src/until.ts'
import type { Gateway } from '../src/gateway-service.ts'
import { follow } from './follow.ts'
import { allEvents, eventsOf, isStep, openPlace, openPool, type Place, post, type Received, startAt, textOf } from './harness.ts'

describe('streams that outlive their readers', () => {
  const scope = new AsyncDisposableStack()
  let place: Place
  let model: MockUpstream
  let gateway: Gateway
  let other: Gateway
  let queueProxy: TcpProxy
  const begin = async (at = gateway) =>
    (await (await post(`${at.url}/api/v1/answers`, { question: `长答案 ${randomUUID()}`, async: true })).json()) as {
      answerId: string
      eventsUrl: string
    }

  beforeAll(async () => {
    place = await openPlace(scope)
    model = scope.use(await openMockUpstream({ mode: 'slow', pieceMs: 15, pieces: Array.from({ length: 100 }, (_, i) => `词${i}😀 `) }))
    const queue = new URL(place.queueUrl)
    queueProxy = scope.use(await openProxy(Number(queue.port), queue.hostname))
    const env = { LLM_BASE_URL: model.url, LLM_MODEL: 'mock', STREAM_FLUSH_MS: '20' }
    const proxied = new URL(place.queueUrl)
    proxied.hostname = '127.0.0.1'
    proxied.port = String(queueProxy.port)
    gateway = await startAt({ ...place, queueUrl: proxied.href }, scope, env, { sweepMs: 300, settleMs: 1_200 })
    other = await startAt(place, scope, env, { sweepMs: 300, settleMs: 1_200 })
  })
  beforeEach(() => {
    model.mode = 'slow'
    queueProxy.refuse = false
  })
  afterAll(() => scope.disposeAsync())

  // they wait for their readers, each for an answer of its own
  test.concurrent('an EventSource whose socket is cut three times gets each event once and is closed by 204', async () => {
    const http = scope.use(await openProxy(gateway.port))
    const { answerId, eventsUrl } = await begin()
    const { events, closed } = follow(`http://127.0.0.1:${http.port}${eventsUrl}`)
    for (const seen of [3, 12, 20]) {
      await until(`${seen} events came`, () => events.length >= seen || undefined)
      http.cut()
    }
    await closed
    expect(events.map(({ id }) => id)).toEqual(events.map((_, i) => i + 1))
    expect(events.at(-1)!.type).toBe('done')
    const stored = (await (await fetch(`${gateway.url}/api/v1/answers/${answerId}`)).json()) as { text: string }
    expect(textOf(events)).toBe(stored.text)
  })

  test.concurrent('two tabs and a tab at another replica get the same events', async () => {
    const { eventsUrl } = await begin()
    const [one, two, three] = await Promise.all([gateway, gateway, other].map(async (at) => allEvents(await fetch(at.url + eventsUrl))))
    expect(one).toEqual(two)
    expect(three).toEqual(one)
    expect(one!.at(-1)!.type).toBe('done')
  })

  test.concurrent('a finished answer is replayed from Postgres when its journal is gone, byte for byte', async () => {
    const { answerId, eventsUrl } = await begin()
    await (await fetch(gateway.url + eventsUrl)).text()
    const journalled = await (await fetch(other.url + eventsUrl)).text()
    const redis = new Redis(place.queueUrl)
    expect(await redis.del(`docent:stream:${answerId}`)).toBe(1)
    redis.disconnect()
    expect(await (await fetch(other.url + eventsUrl)).text()).toBe(journalled)
    expect(await (await fetch(`${other.url}${eventsUrl}?after=5`)).text()).toBe(journalled.slice(journalled.indexOf('id: 6\n')))
  })

  test.concurrent('an orphan is closed with the journalled text, and its EventSource ends', async () => {
    const redis = new Redis(place.queueUrl)
    const pool = openPool(place.databaseUrl)
    const [conversation, question, answer] = [randomUUID(), randomUUID(), randomUUID()]
    await pool.query('INSERT INTO conversation (id, principal) VALUES ($1, $2)', [conversation, 'addr:x'])
    await pool.query(`INSERT INTO message (id, conversation, role, text, state) VALUES ($1, $2, 'question', 'q', 'done')`, [
      question,
      conversation,
    ])
    await pool.query(
      `INSERT INTO message (id, conversation, role, state, owner, heartbeat_at, text, last_event) VALUES ($1, $2, 'answer', 'streaming', 'dead', now() - interval '20 seconds', 'one ', 2)`,
      [answer, conversation],
    )
    await redis.xadd(`docent:stream:${answer}`, '1-0', 't', 'meta', 'd', '{"answerId":"x"}')
    await redis.xadd(`docent:stream:${answer}`, '2-0', 't', 'delta', 'd', '{"text":"one "}')
    await redis.xadd(`docent:stream:${answer}`, '3-0', 't', 'delta', 'd', '{"text":"two"}')
    const { events, closed } = follow(`${other.url}/api/v1/answers/${answer}/events`)
    await closed
    expect(events.map(({ id, type }) => [id, type])).toEqual([
      [1, 'meta'],
      [2, 'delta'],
      [3, 'delta'],
      [4, 'interrupted'],
    ])
    expect(await (await fetch(`${gateway.url}/api/v1/answers/${answer}`)).json()).toMatchObject({ state: 'interrupted', text: 'one two' })
    const { rows } = await pool.query('SELECT state FROM record WHERE answer = $1', [answer])
    expect(rows).toEqual([{ state: 'interrupted' }])
    redis.disconnect()
    await pool.end()
  })

  test('the first token is not held back, later ones leave together', async () => {
    const events: Received[] = []
    for await (const event of eventsOf(
      await post(`${gateway.url}/api/v1/answers`, { question: `批 ${randomUUID()}` }, { accept: 'text/event-stream' }),
    ))
      events.push(event)
    const deltas = events.filter(({ type }) => type === 'delta')
    expect(textOf(deltas.slice(0, 1)).length).toBeLessThan(model.pieces.slice(0, 5).join('').length)
    expect(deltas.length).toBeLessThan(100)
    expect(textOf(events)).toBe(model.pieces.join(''))
  })

  test('a stop sent to another replica ends the answer within a second', async () => {
    const { answerId, eventsUrl } = await begin()
    const reading = allEvents(await fetch(gateway.url + eventsUrl))
    const started = performance.now()
    expect(await (await post(`${other.url}/api/v1/answers/${answerId}/stop`, {})).json()).toMatchObject({ state: 'stopped' })
    expect((await reading).at(-1)!.type).toBe('stopped')
    expect(performance.now() - started).toBeLessThan(1_500)
  })

  test('with Redis gone the stream goes on, says so, and is stored whole; when it is back the journal is whole again', async () => {
    const { answerId, eventsUrl } = await begin()
    const reading = allEvents(await fetch(gateway.url + eventsUrl))
    await until(
      'some text is there',
      async () =>
        ((await (await fetch(`${gateway.url}/api/v1/answers/${answerId}`)).json()) as { text: string }).text.length > 20 || undefined,
    )
    queueProxy.refuse = true
    queueProxy.cut()
    const events = await reading
    queueProxy.refuse = false
    expect(events.map(({ id }) => id)).toEqual(events.map((_, i) => i + 1))
    expect(textOf(events)).toBe(model.pieces.join(''))
    expect(events.flatMap(({ type, data }) => (isStep(type, data) ? [data.step] : []))).toEqual(['resume'])
    expect(await (await fetch(`${gateway.url}/api/v1/answers/${answerId}`)).json()).toMatchObject({
      state: 'done',
      text: textOf(events),
      degraded: ['resume'],
    })
    // another replica reads the holes from the stored answer
    expect(await allEvents(await fetch(other.url + eventsUrl))).toEqual(events)
    await until(
      'the journal is back',
      async () =>
        (await begin().then(async (next) => textOf(await allEvents(await fetch(other.url + next.eventsUrl))))) === model.pieces.join('') ||
        undefined,
    )
  })
})
