import { randomUUID } from 'node:crypto'
import type pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type MockUpstream, openMockUpstream } from '../../lib/testkit/src/mock-upstream.ts'
import { openProxy } from '../../lib/testkit/src/tcp-proxy.ts'
import { until } from '../../lib/testkit/src/until.ts'
import type { Gateway } from '../src/gateway-service.ts'
import { startChild } from './child.ts'
import { finals, follow } from './follow.ts'
import { openPlace, openPool, type Place, post, startAt, textOf } from './harness.ts'

// a beat of the owner each second; a busy machine may hold one up, and an owner taken for dead would go on writing
const clocks = { orphanMs: 5_000, sweepMs: 300, settleMs: 1_500 }
type Stored = { state: string; text: string }

describe('a gateway that is killed', { timeout: 180_000 }, () => {
  const scope = new AsyncDisposableStack()
  let place: Place
  let model: MockUpstream
  let other: Gateway
  let pool: pg.Pool
  beforeAll(async () => {
    place = await openPlace(scope)
    model = scope.use(await openMockUpstream({ mode: 'slow', pieceMs: 15, pieces: Array.from({ length: 120 }, (_, i) => `词${i}😀 `) }))
    other = await startAt(place, scope, modelEnv(), clocks)
    pool = scope.adopt(openPool(place.databaseUrl), (open) => open.end())
  })
  afterAll(() => scope.disposeAsync())

  const modelEnv = () => ({ LLM_BASE_URL: model.url, LLM_MODEL: 'mock', STREAM_FLUSH_MS: '20' })
  const storedAt = async (url: string, answerId: string) => (await (await fetch(`${url}/api/v1/answers/${answerId}`)).json()) as Stored
  const callsFor = (question: string) => model.requests.filter(({ messages }) => messages.at(-1)!.content.includes(question)).length

  /** Asks through a door as a client with patience does: with one Idempotency-Key, again and again, until it is acknowledged. */
  async function askUntilHeard(port: number, question: string): Promise<{ answerId: string; eventsUrl: string }> {
    const headers = { 'idempotency-key': randomUUID(), 'x-client-id': randomUUID() }
    return until('the question is acknowledged', async () => {
      const sent = await post(`http://127.0.0.1:${port}/api/v1/answers`, { question, async: true }, headers).catch(() => undefined)
      return sent?.status === 202 ? ((await sent.json()) as { answerId: string; eventsUrl: string }) : undefined
    })
  }

  for (const [point, when, ends, calls] of [
    ['S1', 'before the commit', 'done', 1],
    ['S2', 'committed', 'interrupted', 0],
    ['S3', 'before the first word is shown', 'interrupted', 1],
    ['S4', 'in mid-text', 'interrupted', 1],
    ['S5', 'after the last word', 'interrupted', 1],
    ['S6', 'stored, before `done` is sent', 'done', 1],
  ] as const) {
    test.concurrent(`at ${point}, ${when}: the EventSource ends at another replica with the stored text`, async () => {
      const victim = await startChild(place, scope, { ...modelEnv(), FAULT_POINT: point })
      const door = scope.use(await openProxy(victim.port))
      void victim.exited.then(() => {
        door.target = { port: other.port, host: '127.0.0.1' }
      })
      const question = `在 ${point} 被杀的问题 ${randomUUID()}`
      const { answerId, eventsUrl } = await askUntilHeard(door.port, question)
      const { events, closed } = follow(`http://127.0.0.1:${door.port}${eventsUrl}`)
      await closed
      expect(await victim.exited).toBeNull()
      expect(events.map(({ id }) => id)).toEqual(events.map((_, i) => i + 1))
      expect(events.filter(({ type }) => finals.includes(type)).map(({ type }) => type)).toEqual([ends])
      expect(await storedAt(other.url, answerId)).toMatchObject({ state: ends, text: textOf(events) })
      expect(callsFor(question)).toBe(calls)
      const { rows } = await pool.query('SELECT count(*)::int AS n FROM message WHERE text = $1', [question])
      expect(rows).toEqual([{ n: 1 }])
    })
  }

  test.concurrent('while it waits for the first word, with no other replica: the next start closes the answer', async () => {
    const silent = scope.use(await openMockUpstream({ mode: 'silent' }))
    const alone = await openPlace(scope)
    const env = { LLM_BASE_URL: silent.url, LLM_MODEL: 'mock' }
    const victim = await startChild(alone, scope, env)
    const door = scope.use(await openProxy(victim.port))
    const { answerId, eventsUrl } = await askUntilHeard(door.port, '没有回答的问题')
    const { events, closed } = follow(`http://127.0.0.1:${door.port}${eventsUrl}`)
    // what a reader has seen is in the journal
    await until('the model is asked and the sources are read', () => (silent.open() > 0 && events.length === 2) || undefined)
    victim.process.kill('SIGKILL')
    await victim.exited
    const next = await startAt(alone, scope, env, clocks)
    door.target.port = next.port
    await closed
    expect(events.map(({ type }) => type)).toEqual(['meta', 'sources', 'interrupted'])
    expect(await storedAt(next.url, answerId)).toMatchObject({ state: 'interrupted', text: '' })
    expect(silent.requests).toHaveLength(1)
  })
})
