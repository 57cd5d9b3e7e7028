import { randomUUID } from 'node:crypto'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type MockUpstream, openMockUpstream } from '../../lib/testkit/src/mock-upstream.ts'
import { type OwnPostgres, openOwnPostgres } from '../../lib/testkit/src/own-postgres.ts'
import { type OwnRedis, openOwnRedis } from '../../lib/testkit/src/own-redis.ts'
import { until } from '../../lib/testkit/src/until.ts'
import type { Gateway } from '../src/gateway-service.ts'
import { startChild } from './child.ts'
import { allEvents, eachOf, eventsOf, openPlace, openPool, type Place, post, type Received, startAt, textOf } from './harness.ts'

type Stored = { state: string; text: string; degraded: string[] }

describe('stores that die, hang or are emptied in mid-answer', () => {
  const scope = new AsyncDisposableStack()
  let postgres: OwnPostgres
  let queue: OwnRedis
  let cache: OwnRedis
  let place: Place
  let model: MockUpstream
  let gateway: Gateway
  let other: Gateway
  beforeAll(async () => {
    ;[postgres, queue, cache] = await Promise.all([openOwnPostgres(scope), openOwnRedis(scope), openOwnRedis(scope)])
    place = await openPlace(scope, { databaseUrl: postgres.url, queueUrl: queue.url, cacheUrl: cache.url })
    model = scope.use(await openMockUpstream())
    gateway = await startAt(place, scope, env())
    other = await startAt(place, scope, env())
  })
  beforeEach(() => {
    model.mode = 'slow'
    slow(100)
  })
  afterEach(() => {
    for (const store of [queue, cache, postgres]) store.signal('SIGCONT')
  })
  afterAll(() => scope.disposeAsync())

  const env = () => ({ LLM_BASE_URL: model.url, LLM_MODEL: 'mock', STREAM_FLUSH_MS: '20' })
  /** so many pieces of 20 ms */
  const slow = (pieces: number) => {
    model.pieceMs = 20
    model.pieces = Array.from({ length: pieces }, (_, i) => `词${i}😀 `)
  }
  const ask = (at = gateway, question = `问题 ${randomUUID()}`) =>
    post(`${at.url}/api/v1/answers`, { question, onDisconnect: 'detach' }, { accept: 'text/event-stream' })
  const stored = async (at: Gateway, id: string) => (await (await fetch(`${at.url}/api/v1/answers/${id}`)).json()) as Stored
  const idOf = (events: readonly Received[]) => (events[0]!.data as { answerId: string }).answerId
  const deltas = (events: readonly Received[]) => events.filter(({ type }) => type === 'delta').length

  /** An answer that is read until `then`, called once in mid-text, and on to its end. */
  async function readThrough(then: (events: readonly Received[]) => Promise<void>): Promise<Received[]> {
    const events: Received[] = []
    let called: Promise<void> | undefined
    for await (const event of eventsOf(await ask())) {
      events.push(event)
      if (deltas(events) === 5) called ??= then(events)
    }
    await called
    return events
  }

  function expectWhole(events: readonly Received[]): void {
    expect(events.map(({ id }) => id)).toEqual(events.map((_, i) => i + 1))
    expect(events.at(-1)!.type).toBe('done')
    expect(textOf(events)).toBe(model.pieces.join(''))
  }

  test('both Redis killed and back: answers go on and say so; without a restart all is well again', async () => {
    const events = await readThrough(async () => {
      await Promise.all([queue.kill(), cache.kill()])
      const during = (await (await post(`${other.url}/api/v1/ask`, { question: `停电时 ${randomUUID()}` })).json()) as Stored
      expect(during).toMatchObject({ state: 'done', text: model.pieces.join('') })
      expect(during.degraded.toSorted()).toEqual(['cache', 'resume'])
      await Promise.all([queue.start(), cache.start()])
    })
    const back = performance.now()
    expectWhole(events)
    expect(await stored(other, idOf(events))).toMatchObject({ state: 'done', text: textOf(events), degraded: ['resume'] })
    expect(await allEvents(await fetch(`${other.url}/api/v1/answers/${idOf(events)}/events`))).toEqual(events)
    slow(5)
    await until('an answer is journalled and misses nothing', async () => {
      const next = await allEvents(await ask())
      const { degraded } = await stored(gateway, idOf(next))
      return degraded.length === 0 && (await queue.client.xlen(`docent:stream:${idOf(next)}`)) === next.length
    })
    expect(performance.now() - back).toBeLessThan(10_000)
  })

  test('both Redis hang: a new answer begins within seconds, a running one goes on; afterwards all is well again', async () => {
    slow(260)
    const events = await readThrough(async (seen) => {
      queue.signal('SIGSTOP')
      cache.signal('SIGSTOP')
      const asked = performance.now()
      for await (const event of eventsOf(await ask(other))) if (event.type === 'delta') break
      expect(performance.now() - asked).toBeLessThan(5_000)
      // not a lump a second: the journal that hangs is left alone for a while
      const before = deltas(seen)
      const from = performance.now()
      await until('the running answer goes on smoothly', () => deltas(seen) - before >= 25)
      expect(performance.now() - from).toBeLessThan(4_000)
      queue.signal('SIGCONT')
      cache.signal('SIGCONT')
    })
    expectWhole(events)
    expect((await stored(other, idOf(events))).text).toBe(textOf(events))
    expect(await allEvents(await fetch(`${other.url}/api/v1/answers/${idOf(events)}/events`))).toEqual(events)
    slow(5)
    await until('nothing is missing', async () => (await stored(gateway, idOf(await allEvents(await ask())))).degraded.length === 0)
  })

  test('FLUSHALL in mid-answer: it ends as ever; its journal is made whole at once and expires', async () => {
    let elsewhere: Promise<Received[]> | undefined
    const events = await readThrough(async (seen) => {
      await queue.client.flushall()
      const key = `docent:stream:${idOf(seen)}`
      await until('the journal is whole again', async () =>
        (await queue.client.xrange(key, '-', '+', 'COUNT', 1))[0]?.[0] === '1-0' ? true : undefined,
      )
      expect(await queue.client.ttl(key)).toBeGreaterThan(0)
      elsewhere = fetch(`${other.url}/api/v1/answers/${idOf(seen)}/events`).then(allEvents)
    })
    expectWhole(events)
    expect(await elsewhere).toEqual(events)
    expect(await stored(gateway, idOf(events))).toMatchObject({ state: 'done', text: textOf(events), degraded: [] })
  })

  test('without a journal, and the gateway killed: what was read for more than a second is in the history', async () => {
    slow(2_000)
    const victim = await startChild(place, scope, env())
    const events: (Received & { at: number })[] = []
    try {
      for await (const event of eventsOf(await post(`${victim.url}/api/v1/answers`, { question: '长' }, { accept: 'text/event-stream' }))) {
        events.push({ ...event, at: performance.now() })
        if (deltas(events) === 3) await queue.kill()
        if (deltas(events) > 3 && performance.now() - events[5]!.at > 3_500) victim.process.kill('SIGKILL')
      }
    } catch {
      // the socket breaks with the process
    }
    const killedAt = performance.now()
    await queue.start()
    await using own = new AsyncDisposableStack()
    const sweeper = await startAt(place, own, env(), { orphanMs: 2_500, sweepMs: 200, settleMs: 1_200 })
    const end = await until('the answer is closed', async () => {
      const answer = await stored(sweeper, idOf(events))
      return answer.state === 'streaming' ? undefined : answer
    })
    expect(end.state).toBe('interrupted')
    // snapshots are taken each second; half a second more for a machine that is busy
    const old = textOf(events.filter(({ at }) => at < killedAt - 1_500))
    expect(old.length).toBeGreaterThan(50)
    expect(textOf(events).startsWith(end.text)).toBe(true)
    expect(end.text.startsWith(old)).toBe(true)
  })

  test('Postgres killed: new questions get 503, the running answer goes on and is stored when it is back', async () => {
    const events = await readThrough(async () => {
      postgres.signal('SIGKILL')
      const refused = await ask(gateway)
      expect(refused.status).toBe(503)
      expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
      expect(await refused.json()).toMatchObject({ code: 'unavailable' })
    })
    expectWhole(events)
    const end = await until('it is stored', async () => {
      const response = await fetch(`${other.url}/api/v1/answers/${idOf(events)}`)
      const answer = response.ok ? ((await response.json()) as Stored) : undefined
      return answer?.state === 'streaming' ? undefined : answer
    })
    expect(end).toMatchObject({ state: 'done', text: textOf(events) })
    slow(5)
    expect((await allEvents(await ask())).at(-1)!.type).toBe('done')
  })

  test('Postgres killed while questions come in: of what was acknowledged nothing is lost, what is refused is refused in so many words', async () => {
    slow(3)
    const kept: { id: string; question: string }[] = []
    let refused = 0
    let sent = 0
    await eachOf(
      Array.from({ length: 120 }, (_, i) => `涌来 ${i} ${randomUUID()}`),
      8,
      async (question) => {
        if (++sent === 40) postgres.signal('SIGKILL')
        const response = await post(`${gateway.url}/api/v1/answers`, { question, async: true })
        const body = (await response.json()) as { answerId: string; code?: string }
        if (response.status === 202) return void kept.push({ id: body.answerId, question })
        expect([response.status, body.code]).toEqual([503, 'unavailable'])
        refused++
      },
    )
    expect(kept.length).toBeGreaterThan(20)
    expect(refused).toBeGreaterThan(0)
    const pool = openPool(place.ownerUrl)
    await until('Postgres is back', () => pool.query('SELECT 1').then(Boolean, () => undefined))
    for (const { id, question } of kept) {
      const end = await until('it is stored', async () => {
        const response = await fetch(`${other.url}/api/v1/answers/${id}`)
        const answer = response.ok ? ((await response.json()) as Stored) : undefined
        return answer?.state === 'streaming' ? undefined : answer
      })
      expect(end).toMatchObject({ state: 'done', text: model.pieces.join('') })
      const { rows } = await pool.query('SELECT count(*)::int AS n FROM chat.message WHERE text = $1', [question])
      expect(rows).toEqual([{ n: 1 }])
    }
    await pool.end()
  })

  test('Postgres restarted: the running answer goes on and is stored, questions are answered within five seconds of its return', async () => {
    slow(260)
    const events = await readThrough(async () => {
      postgres.restart()
      await until('it is away', async () => (await ask(gateway)).status === 503 || undefined)
      const pool = openPool(place.databaseUrl)
      await until('it is back', () => pool.query('SELECT 1').then(Boolean, () => undefined))
      const back = performance.now()
      await pool.end()
      await until('questions are answered', async () =>
        (await Promise.all([ask(gateway), ask(other)])).every(({ status }) => status === 200),
      )
      expect(performance.now() - back).toBeLessThan(5_000)
    })
    expectWhole(events)
    expect(await until('it is stored', async () => stored(other, idOf(events)))).toMatchObject({ state: 'done', text: textOf(events) })
  })

  test('no connection is left in Postgres: 503 with Retry-After; when there are some again all is well, and none is lost', async () => {
    slow(2)
    // the same refusal (53300) as by a hundred psql, and it lasts as long as it is wanted: pools give connections back by themselves
    const owner = openPool(place.ownerUrl)
    const allow = (most: number) => owner.query(`ALTER ROLE "${new URL(place.databaseUrl).username}" CONNECTION LIMIT ${most}`)
    await allow(0)
    await using own = new AsyncDisposableStack()
    const late = await startAt(place, own, env())
    for (const refused of await Promise.all([ask(late), ask(late), ask(late)])) {
      expect([refused.status, await refused.json()]).toEqual([503, expect.objectContaining({ code: 'unavailable' })])
      expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
    }
    expect((await fetch(`${late.url}/readyz`)).status).toBe(503)
    await allow(-1)
    await until('questions are answered', async () => (await Promise.all([ask(late), ask(late)])).every(({ status }) => status === 200))
    await until('every connection is free', async () => {
      const { rows } = await owner.query<{ n: number; busy: number }>(
        `SELECT count(*)::int AS n, count(*) FILTER (WHERE state <> 'idle')::int AS busy FROM pg_stat_activity WHERE application_name = 'docent-gateway'`,
      )
      expect(rows[0]!.n).toBeLessThanOrEqual(3 * 8)
      return rows[0]!.busy === 0 || undefined
    })
    await owner.end()
  })

  test('Postgres hangs: new questions get 503 within five seconds, the running answer ends, and is stored afterwards', async () => {
    slow(260)
    const events = await readThrough(async () => {
      postgres.signal('SIGSTOP')
      const asked = performance.now()
      for (const refused of await Promise.all([ask(gateway), ask(gateway), ask(other)])) expect(refused.status).toBe(503)
      expect(performance.now() - asked).toBeLessThan(6_000)
      postgres.signal('SIGCONT')
    })
    expectWhole(events)
    expect(await until('it is stored', async () => stored(other, idOf(events)))).toMatchObject({ text: textOf(events) })
    slow(5)
    await until('new questions are answered', async () => (await ask()).status === 200)
  })
})
