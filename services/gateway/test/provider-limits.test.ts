import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type MockUpstream, openMockUpstream } from '../../lib/testkit/src/mock-upstream.ts'
import { type OwnRedis, openOwnRedis } from '../../lib/testkit/src/own-redis.ts'
import { until } from '../../lib/testkit/src/until.ts'
import type { ProviderView } from '../src/answer/providers.ts'
import type { Gateway } from '../src/gateway-service.ts'
import { adminKey, allEvents, configOf, isStep, post, type Received, startAt, textOf } from './harness.ts'
import { withPlace } from './with-model.ts'

const owner = { authorization: `Bearer ${adminKey}` }
type Attempts = { provider: string; outcome: string; code?: string }[]
type Row = { record: { degraded: string[]; providers: Attempts; modelError?: { code: string } } }

describe('limits of providers', () => {
  const { scope, place, model: first } = withPlace()
  let second: MockUpstream
  let cache: OwnRedis
  let gateways: AsyncDisposableStack
  let asked = 0
  beforeAll(async () => {
    second = scope.use(await openMockUpstream({ pieces: ['来自', '备用'] }))
    // its own: other files empty the one that is shared, and with it what is counted here
    cache = await openOwnRedis(scope)
    place.cacheUrl = cache.url
  })
  beforeEach(async () => {
    gateways = new AsyncDisposableStack()
    await aMinutePasses()
    for (const model of [first, second]) {
      Object.assign(model, { mode: 'good', status: 503, reply: undefined, usage: { prompt_tokens: 11, completion_tokens: 7 } })
      model.requests.length = 0
    }
    first.pieces = ['来自', '首选']
  })
  afterEach(() => gateways.disposeAsync())

  /** What is counted lives in keys that end with their minute. */
  const aMinutePasses = () => cache.client.flushall()
  const spare = (limits = {}) => JSON.stringify([{ name: 'spare', baseUrl: second.url, model: 'small', ...limits }])
  const start = (env: Record<string, string>, at = place) =>
    startAt(at, gateways, { LLM_BASE_URL: first.url, LLM_MODEL: 'big', LLM_FALLBACKS: spare(), ...env })
  const ask = async (at: Gateway, question = '保修期？') =>
    allEvents(await post(`${at.url}/api/v1/answers`, { question: `${question}${++asked}` }, { accept: 'text/event-stream' }))
  const warningsOf = (events: Received[]) => events.flatMap(({ type, data }) => (isStep(type, data) ? [data] : []))
  const viewsAt = async (at: Gateway) =>
    ((await (await fetch(`${at.url}/api/v1/providers`, { headers: owner })).json()) as { items: ProviderView[] }).items
  const recordOf = async (at: Gateway, events: Received[]) => {
    const { answerId } = events[0]!.data as { answerId: string }
    return ((await (await fetch(`${at.url}/api/v1/records/${answerId}`, { headers: owner })).json()) as Row).record
  }

  test('so many requests a minute at all replicas together, not one more; the others are answered by the next one at once', async () => {
    const replicas = [await start({ LLM_REQUESTS_PER_MINUTE: '10' }), await start({ LLM_REQUESTS_PER_MINUTE: '10' })]
    const answers = await Promise.all(Array.from({ length: 40 }, (_, i) => ask(replicas[i % 2]!)))
    expect(first.requests.length).toBe(10)
    expect(answers.filter((events) => textOf(events) === '来自首选').length).toBe(10)
    expect(answers.filter((events) => textOf(events) === '来自备用').length).toBe(30)
    for (const { limits, name } of await viewsAt(replicas[0]!))
      expect(limits).toEqual(name === 'llm' ? { requestsPerMinute: { most: 10, used: 10 } } : undefined)
    const views = await Promise.all(replicas.map(viewsAt))
    expect(views.reduce((sum, [llm]) => sum + llm!.calls.limited, 0)).toBe(30)
    expect(views.map(([llm]) => [llm!.state, llm!.calls.failed, llm!.calls.skipped])).toEqual(Array(2).fill(['ready', 0, 0]))

    await aMinutePasses()
    expect(textOf(await ask(replicas[1]!))).toBe('来自首选')
  })

  test('with search switched off there is nothing else to answer from: 429, and when to try again', async () => {
    const gateway = await start({ LLM_REQUESTS_PER_MINUTE: '1', LLM_FALLBACKS: spare({ requestsPerMinute: 1 }), RAG_ENABLED: 'false' })
    const askPlainly = () => post(`${gateway.url}/api/v1/ask`, { question: `你好吗，今天？${++asked}` }, { accept: 'application/json' })
    expect([(await askPlainly()).status, (await askPlainly()).status]).toEqual([200, 200])
    const refused = await askPlainly()
    expect(refused.status).toBe(429)
    expect(refused.headers.get('retry-after')).toBe('60')
    expect(await refused.json()).toMatchObject({ code: 'rate_limited' })
  })

  test('that a limit was reached is said in the stream before the text, in the record and in the metric', async () => {
    const gateway = await start({ LLM_REQUESTS_PER_MINUTE: '1' })
    await ask(gateway)
    const events = await ask(gateway)
    expect(warningsOf(events)).toMatchObject([{ code: 'degraded', step: 'provider', message: expect.stringContaining('上限') as string }])
    expect(events.findIndex(({ type }) => type === 'warning')).toBeLessThan(events.findIndex(({ type }) => type === 'delta'))
    expect(await recordOf(gateway, events)).toMatchObject({
      degraded: ['provider'],
      providers: [
        { provider: 'llm', outcome: 'limited', code: 'requestsPerMinute' },
        { provider: 'spare', outcome: 'answered' },
      ],
    })
    const metrics = await gateway.metrics.metrics()
    expect(metrics).toMatch(/docent_provider_calls_total\{provider="llm",outcome="limited",service="gateway"\} 1/)
    expect(metrics).toMatch(/docent_degraded_total\{step="provider",service="gateway"\} 1/)
    expect(warningsOf(await ask(gateway, 'How long is the warranty? '))[0]!.message).toContain('limit')
  })

  test('when all are at their limits the documents are quoted, and nobody is asked once more', async () => {
    const gateway = await start({ LLM_REQUESTS_PER_MINUTE: '1', LLM_FALLBACKS: spare({ requestsPerMinute: 1 }) })
    expect([textOf(await ask(gateway)), textOf(await ask(gateway))]).toEqual(['来自首选', '来自备用'])
    const events = await ask(gateway)
    expect(textOf(events)).toContain('24 个月')
    expect(events.at(-1)!.type).toBe('done')
    expect(warningsOf(events)).toMatchObject([{ step: 'model', message: expect.stringContaining('上限') as string }])
    const record = await recordOf(gateway, events)
    expect(record.providers.map(({ outcome }) => outcome)).toEqual(['limited', 'limited'])
    expect(record.modelError).toMatchObject({ code: 'rate_limited' })
    expect(first.requests.length + second.requests.length).toBe(2)
  })

  test('tokens are guessed when it is asked and counted as used when it has answered', async () => {
    const gateway = await start({ LLM_TOKENS_PER_MINUTE: '5000' })
    const used = async () => (await viewsAt(gateway))[0]!.limits!.tokensPerMinute
    await ask(gateway)
    expect(await used()).toEqual({ most: 5_000, used: 18 })

    first.usage = { prompt_tokens: 600, completion_tokens: 4_700 }
    await ask(gateway)
    expect(await used()).toEqual({ most: 5_000, used: 5_318 })
    const events = await ask(gateway)
    expect(textOf(events)).toBe('来自备用')
    expect((await recordOf(gateway, events)).providers[0]).toMatchObject({ outcome: 'limited', code: 'tokensPerMinute' })
    // who was refused has used nothing
    expect(await used()).toEqual({ most: 5_000, used: 5_318 })
  })

  test('a prompt that alone is past the limit is not sent; one whose answer is broken off counts by what was sent and said', async () => {
    const gateway = await start({ LLM_TOKENS_PER_MINUTE: '1000', LLM_REQUESTS_PER_MINUTE: '5' })
    const long = '这句话很长。'.repeat(220)
    expect(textOf(await ask(gateway, long))).toBe('来自备用')
    expect(first.requests.length).toBe(0)
    expect((await viewsAt(gateway))[0]!.limits).toEqual({
      requestsPerMinute: { most: 5, used: 0 },
      tokensPerMinute: { most: 1_000, used: 0 },
    })
    first.mode = 'cut'
    first.pieces = ['半'.repeat(300), '句']
    expect((await ask(gateway)).at(-1)!.type).toBe('error')
    const { used } = (await viewsAt(gateway))[0]!.limits!.tokensPerMinute!
    expect(used).toBeGreaterThan(240)
    expect(used).toBeLessThan(1_000)
  })

  test('so many requests at once: one more goes to the next one without waiting, and each that ends, stopped ones too, makes room', async () => {
    const gateway = await start({ LLM_REQUESTS_AT_ONCE: '2', LLM_FIRST_TOKEN_S: '60' })
    first.mode = 'silent'
    const running = await Promise.all(
      ['甲？', '乙？'].map(async (question) => {
        const begun = await post(`${gateway.url}/api/v1/answers`, { question, async: true })
        return ((await begun.json()) as { answerId: string }).answerId
      }),
    )
    await until('both are asked', () => first.requests.length === 2 || undefined)
    const events = await ask(gateway)
    expect(textOf(events)).toBe('来自备用')
    expect((await recordOf(gateway, events)).providers[0]).toMatchObject({ outcome: 'limited', code: 'requestsAtOnce' })
    expect((await viewsAt(gateway))[0]!.limits).toEqual({ requestsAtOnce: { most: 2, used: 2 } })
    for (const answerId of running) await post(`${gateway.url}/api/v1/answers/${answerId}/stop`, {})
    first.mode = 'good'
    for (let i = 0; i < 3; i++) expect(textOf(await ask(gateway))).toBe('来自首选')
    expect((await viewsAt(gateway))[0]!.limits).toEqual({ requestsAtOnce: { most: 2, used: 0 } })
  })

  test('a try more is a request more: one that fails is tried again as often as its minute allows', async () => {
    const gateway = await start({ LLM_REQUESTS_PER_MINUTE: '2' })
    first.mode = 'status'
    const events = await ask(gateway)
    expect(textOf(events)).toBe('来自备用')
    expect(first.requests.length).toBe(2)
    expect((await recordOf(gateway, events)).providers[0]).toMatchObject({ outcome: 'failed', code: 'unavailable' })
  })

  test('without the cache Redis each replica counts for itself', async () => {
    const gateway = await start({ LLM_REQUESTS_PER_MINUTE: '2' }, { ...place, cacheUrl: 'redis://127.0.0.1:1' })
    const texts = []
    for (let i = 0; i < 4; i++) texts.push(textOf(await ask(gateway)))
    expect(texts).toEqual(['来自首选', '来自首选', '来自备用', '来自备用'])
    expect((await viewsAt(gateway))[0]!.limits).toEqual({ requestsPerMinute: { most: 2, used: 2 } })
  })

  test('limits that are none are refused at start by name', () => {
    const said = (env: Record<string, string>) => {
      try {
        configOf(place, { LLM_BASE_URL: first.url, LLM_MODEL: 'big', ...env })
        return ''
      } catch (error) {
        return (error as Error).message
      }
    }
    expect(said({ LLM_REQUESTS_PER_MINUTE: '0' })).toContain('LLM_REQUESTS_PER_MINUTE')
    expect(said({ LLM_TOKENS_PER_MINUTE: '999' })).toContain('LLM_TOKENS_PER_MINUTE')
    expect(said({ LLM_REQUESTS_AT_ONCE: 'many' })).toContain('LLM_REQUESTS_AT_ONCE')
    expect(said({ LLM_FALLBACKS: spare({ requestsPerMinute: 1.5 }) })).toContain('entry 0.requestsPerMinute')
    expect(said({ LLM_FALLBACKS: spare({ tokensPerMinute: 1 }) })).toContain('entry 0.tokensPerMinute')
    expect(said({ LLM_FALLBACKS: spare({ requestsAtOnce: -1 }) })).toContain('entry 0.requestsAtOnce')
    expect(said({ LLM_REQUESTS_PER_MINUTE: '', LLM_TOKENS_PER_MINUTE: '', LLM_REQUESTS_AT_ONCE: '' })).toBe('')
  })
})
