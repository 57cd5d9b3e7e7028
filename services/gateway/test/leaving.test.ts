import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type MockUpstream, openMockUpstream } from '../../lib/testkit/src/mock-upstream.ts'
import { openProxy } from '../../lib/testkit/src/tcp-proxy.ts'
import { until } from '../../lib/testkit/src/until.ts'
import type { Gateway } from '../src/gateway-service.ts'
import { startChild } from './child.ts'
import { follow } from './follow.ts'
import { openPlace, type Place, post, startAt, textOf } from './harness.ts'

describe('a gateway that is told to stop', { timeout: 180_000 }, () => {
  const scope = new AsyncDisposableStack()
  let place: Place
  let quick: MockUpstream
  let other: Gateway
  beforeAll(async () => {
    place = await openPlace(scope)
    quick = scope.use(await openMockUpstream({ mode: 'slow', pieceMs: 20, pieces: Array.from({ length: 100 }, (_, i) => `词${i} `) }))
    other = await startAt(place, scope, { LLM_BASE_URL: quick.url, LLM_MODEL: 'mock' })
  })
  afterAll(() => scope.disposeAsync())

  const begin = async (url: string) => {
    const response = await post(`${url}/api/v1/answers`, { question: `停机 ${randomUUID()}`, async: true })
    const body = (await response.json()) as { answerId: string; eventsUrl: string }
    expect(body).toMatchObject({ answerId: expect.any(String) })
    return body
  }
  const stored = async (id: string) => (await (await fetch(`${other.url}/api/v1/answers/${id}`)).json()) as { state: string; text: string }

  async function stopWhileAnswering(model: MockUpstream, drainS: string) {
    const victim = await startChild(place, scope, { LLM_BASE_URL: model.url, LLM_MODEL: 'mock', DRAIN_S: drainS })
    const door = scope.use(await openProxy(victim.port))
    const begun: Awaited<ReturnType<typeof begin>>[] = []
    while (begun.length < 50) begun.push(...(await Promise.all(Array.from({ length: 10 }, () => begin(victim.url)))))
    const followed = begun.map(({ answerId, eventsUrl }) => ({ answerId, ...follow(`http://127.0.0.1:${door.port}${eventsUrl}`) }))
    await until('every answer has text', () => followed.every(({ events }) => textOf(events) !== '') || undefined)
    const told = performance.now()
    victim.process.kill('SIGTERM')
    // a question that comes before the signal does would be answered, and wait with the others
    await until('it says that it leaves', async () => (await fetch(`${victim.url}/readyz`)).status === 503 || undefined)
    const refused = await post(`${victim.url}/api/v1/ask`, { question: '太晚了' })
    expect(refused.status).toBe(503)
    expect(refused.headers.get('retry-after')).toBeTruthy()
    expect((await fetch(`${victim.url}/healthz`)).status).toBe(200)
    // readers that come back are led to the other replica
    door.target.port = other.port
    expect(await victim.exited).toBe(0)
    const tookMs = performance.now() - told
    await Promise.all(followed.map(({ closed }) => closed))
    for (const { answerId, events } of followed) {
      expect(events.map(({ id }) => id)).toEqual(events.map((_, i) => i + 1))
      expect(await stored(answerId)).toMatchObject({ state: events.at(-1)!.type, text: textOf(events) })
    }
    return { tookMs, ends: Map.groupBy(followed, ({ events }) => events.at(-1)!.type) }
  }

  test.concurrent('fifty answers that end in time are all finished; it exits with 0', async () => {
    const { ends } = await stopWhileAnswering(quick, '15')
    expect([...ends.keys()]).toEqual(['done'])
  })

  test.concurrent('fifty that do not are interrupted and stored; it exits with 0 in time', async () => {
    const endless = scope.use(await openMockUpstream({ mode: 'stall', pieces: ['先说', '一点', '然后沉默', '。'] }))
    const { ends, tookMs } = await stopWhileAnswering(endless, '2')
    expect([...ends.keys()]).toEqual(['interrupted'])
    expect(tookMs).toBeGreaterThan(1_900)
    expect(tookMs).toBeLessThan(15_000)
  })
})
