import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type MockUpstream, openMockUpstream } from '../../lib/testkit/src/mock-upstream.ts'
import { until } from '../../lib/testkit/src/until.ts'
import type { ProviderView } from '../src/answer/providers.ts'
import type { Gateway } from '../src/gateway-service.ts'
import { adminKey, allEvents, configOf, isStep, post, type Received, startAt, textOf } from './harness.ts'
import { asking, withPlace } from './with-model.ts'

const owner = { authorization: `Bearer ${adminKey}` }
const quoted = '文档中的原文'
type Row = { record: { model: string; degraded: string[]; providers: { provider: string; outcome: string; code?: string }[] } }

const inTurn = { concurrent: false }

// they change the same two models, so in turn; what only waits goes on beside them, below
describe.concurrent('providers of models', () => {
  const { scope, place, model: first } = withPlace()
  let second: MockUpstream
  let asked = 0
  beforeAll(async () => {
    second = scope.use(await openMockUpstream({ pieces: ['来自', '备用'] }))
  })
  beforeEach(() => {
    for (const model of [first, second]) {
      model.mode = 'good'
      model.pieceMs = 0
      model.headers = { 'retry-after-ms': '1' }
    }
    first.pieces = ['来自', '首选']
  })

  const env = () => ({
    LLM_BASE_URL: first.url,
    LLM_MODEL: 'big',
    LLM_PRICE_INPUT: '1',
    LLM_FIRST_TOKEN_S: '0.8',
    LLM_FALLBACKS: JSON.stringify([
      { name: 'spare', baseUrl: second.url, model: 'small', priceInput: 100, currency: 'CNY', firstTokenS: 5 },
    ]),
  })
  const start = (breaker = {}) => startAt(place, scope, env(), {}, breaker)
  const ask = async (at: Gateway) =>
    allEvents(await post(`${at.url}/api/v1/answers`, { question: `保修期？${++asked}` }, { accept: 'text/event-stream' }))
  const steps = (events: Received[]) => events.flatMap(({ type, data }) => (isStep(type, data) ? [data.step] : []))
  const views = async (at: Gateway) =>
    ((await (await fetch(`${at.url}/api/v1/providers`, { headers: owner })).json()) as { items: ProviderView[] }).items
  const recordOf = async (at: Gateway, events: Received[]) => {
    const { answerId } = events[0]!.data as { answerId: string }
    return ((await (await fetch(`${at.url}/api/v1/records/${answerId}`, { headers: owner })).json()) as Row).record
  }

  test(
    'the second answers when the first fails: said in the stream, the record, the state and the metric, at its own price',
    inTurn,
    async () => {
      const gateway = await start()
      first.mode = 'status'
      first.status = 503
      const events = await ask(gateway)
      expect(textOf(events)).toBe('来自备用')
      expect(steps(events)).toEqual(['provider'])
      expect(events.findIndex(({ type }) => type === 'warning')).toBeLessThan(events.findIndex(({ type }) => type === 'delta'))
      expect(events.find(({ type }) => type === 'usage')?.data).toMatchObject({ inputTokens: 11, cost: 0.0011, currency: 'CNY' })
      expect(await recordOf(gateway, events)).toMatchObject({
        model: 'small',
        degraded: ['provider'],
        providers: [
          { provider: 'llm', outcome: 'failed', code: 'unavailable' },
          { provider: 'spare', outcome: 'answered' },
        ],
      })
      const [llm, spare] = await views(gateway)
      expect(llm).toMatchObject({ name: 'llm', model: 'big', state: 'ready', calls: { failed: 1 }, lastError: { code: 'unavailable' } })
      expect(spare).toMatchObject({ name: 'spare', calls: { answered: 1 }, price: { input: 100, currency: 'CNY' } })
      const usage = await (await fetch(`${gateway.url}/api/v1/usage`, { headers: owner })).json()
      expect(usage).toMatchObject({ currency: null, note: expect.stringContaining('USD and CNY') as string })
      const metrics = await gateway.metrics.metrics()
      expect(metrics).toMatch(/docent_provider_calls_total\{provider="llm",outcome="failed",service="gateway"\} 1/)
      expect(metrics).toMatch(/docent_degraded_total\{step="provider",service="gateway"\} 1/)
    },
  )

  test('a first one that says nothing in its time is left for the second; when all fail the documents are quoted', inTurn, async () => {
    const gateway = await start()
    first.mode = 'silent'
    expect(textOf(await ask(gateway))).toBe('来自备用')
    second.mode = 'status'
    second.status = 402
    const events = await ask(gateway)
    expect(textOf(events)).toContain(quoted)
    expect(steps(events)).toEqual(['model'])
    expect((await recordOf(gateway, events)).providers.map(({ code }) => code)).toEqual(['timeout', 'upstream_unauthorized'])
  })

  test('nobody else is asked once the first has said a word', inTurn, async () => {
    const gateway = await start()
    first.mode = 'cut'
    const before = second.requests.length
    const events = await ask(gateway)
    expect(events.at(-1)!.type).toBe('error')
    expect(second.requests.length).toBe(before)
  })

  for (const status of [401, 402, 403, 400]) {
    test(`a ${status} is never sent again`, inTurn, async () => {
      const gateway = await start()
      first.mode = 'status'
      first.status = status
      const before = first.requests.length
      expect(textOf(await ask(gateway))).toBe('来自备用')
      expect(first.requests.length - before).toBe(1)
    })
  }

  test('a 429 is waited for when it is short; a long one pauses the provider and nobody waits', inTurn, async () => {
    const gateway = await start()
    first.mode = 'status'
    first.status = 429
    first.headers = { 'retry-after': '60' }
    const before = first.requests.length
    for (let i = 0; i < 3; i++) expect(textOf(await ask(gateway))).toBe('来自备用')
    expect(first.requests.length - before).toBe(1)
    const [llm] = await views(gateway)
    expect(llm).toMatchObject({ state: 'paused', calls: { failed: 1, skipped: 2 } })
    expect(Date.parse(llm!.retryAt!) - Date.now()).toBeGreaterThan(30_000)

    const other = await start()
    first.headers = { 'retry-after-ms': '500' }
    const again = first.requests.length
    const answered = ask(other)
    await until('it was asked', () => first.requests.length > again || undefined)
    first.mode = 'good'
    expect(textOf(await answered)).toBe('来自首选')
  })

  test(
    'a 429 that names no time is tried again within the time to the first word, then pauses the provider for a moment',
    inTurn,
    async () => {
      const gateway = await start()
      first.mode = 'status'
      first.status = 429
      first.headers = {}
      const before = first.requests.length
      expect(textOf(await ask(gateway))).toBe('来自备用')
      const calls = first.requests.length - before
      expect(calls).toBeGreaterThan(1)
      expect(calls).toBeLessThanOrEqual(3)
      expect((await views(gateway))[0]).toMatchObject({ state: 'paused', lastError: { code: 'rate_limited' } })
      expect(textOf(await ask(gateway))).toBe('来自备用')
      expect(first.requests.length - before).toBe(calls)
      first.mode = 'good'
      await until('it is asked again', async () => textOf(await ask(gateway)) === '来自首选' || undefined)
    },
  )

  const fail = (model: MockUpstream) => {
    model.mode = 'status'
    model.status = 500
  }

  test('a provider that is down is left alone: nobody waits for it, and it is not called', inTurn, async () => {
    const gateway = await start({ failures: 2, openMs: 600_000, maxOpenMs: 600_000 })
    fail(first)
    for (let i = 0; i < 2; i++) await ask(gateway)
    expect((await views(gateway))[0]).toMatchObject({ state: 'open', retryAt: expect.any(String) })
    const before = first.requests.length
    for (const events of await Promise.all(Array.from({ length: 20 }, () => ask(gateway)))) expect(textOf(events)).toBe('来自备用')
    expect(first.requests.length).toBe(before)
    expect((await views(gateway))[0]).toMatchObject({ calls: { failed: 2, skipped: 20 } })
  })

  test(
    'when its time is over one question tries it and the others do not wait; a probe that is stopped proves nothing',
    inTurn,
    async () => {
      const gateway = await startAt(place, scope, { ...env(), LLM_FIRST_TOKEN_S: '60' }, {}, { failures: 1, openMs: 50, maxOpenMs: 50 })
      fail(first)
      await ask(gateway)
      await until('the pause is over', async () => Date.parse((await views(gateway))[0]!.retryAt ?? '') < Date.now() || undefined)
      first.mode = 'silent'
      const before = first.requests.length
      const { answerId } = (await (await post(`${gateway.url}/api/v1/answers`, { question: '试探', async: true })).json()) as {
        answerId: string
      }
      await until('it is probed', () => first.requests.length > before || undefined)
      expect((await views(gateway))[0]).toMatchObject({ state: 'probing' })
      for (const events of await Promise.all(Array.from({ length: 10 }, () => ask(gateway)))) expect(textOf(events)).toBe('来自备用')
      expect(first.requests.length - before).toBe(1)
      await post(`${gateway.url}/api/v1/answers/${answerId}/stop`, {})
      expect((await views(gateway))[0]).toMatchObject({ state: 'open' })
      first.mode = 'good'
      await until('it is used again', async () => textOf(await ask(gateway)) === '来自首选' || undefined)
      expect((await views(gateway))[0]).toMatchObject({ state: 'ready' })
    },
  )

  test('a stream without an end is cut, and said to be cut', inTurn, async () => {
    const gateway = await start()
    const patched = await fetch(`${gateway.url}/api/v1/settings`, {
      method: 'PATCH',
      headers: { ...owner, 'content-type': 'application/json' },
      body: '{"maxTokens":16}',
    })
    expect(patched.status).toBe(200)
    first.pieces = Array.from({ length: 2_000 }, () => '又一个词 ')
    const fresh = await start()
    const events = await ask(fresh)
    expect(events.at(-1)!.type).toBe('done')
    expect(events.find(({ type }) => type === 'warning')?.data).toMatchObject({ code: 'length' })
    expect(textOf(events).length).toBeLessThan(2_000)
    await until('its socket is closed', () => first.open() === 0 || undefined)
  })

  test('their state is the owner’s', inTurn, async () => {
    const gateway = await start()
    expect((await fetch(`${gateway.url}/api/v1/providers`)).status).toBe(401)
    expect(JSON.stringify(await views(gateway))).not.toContain('apiKey')
  })

  test('a wrong list of fallbacks, and a hosted application, are refused at start by name', inTurn, () => {
    const said = (env: Record<string, string>) => {
      try {
        configOf(place, env)
        return ''
      } catch (error) {
        return (error as Error).message
      }
    }
    expect(said({ LLM_FALLBACKS: '{' })).toContain('LLM_FALLBACKS: must be a JSON array')
    expect(said({ LLM_FALLBACKS: '[{"baseUrl":"x","model":"","apiKey":"sk-secret","apiKeyfile":"y"}]' })).toMatch(
      /entry 0\.baseUrl(.|\n)*entry 0\.model/,
    )
    expect(said({ LLM_FALLBACKS: '[{"baseUrl":"x","model":"","apiKey":"sk-secret"}]' })).not.toContain('sk-secret')
    expect(said({ LLM_FALLBACKS: '[{"baseUrl":"http://a/v1","model":"m","apiKeyFile":"/does/not/exist"}]' })).toContain('(ENOENT)')
    expect(said({ LLM_FALLBACKS: '[{"name":"llm","baseUrl":"http://a/v1","model":"m"}]' })).toContain('names must differ')
    expect(said({ BAILIAN_APP_ID: 'app' })).toContain('DASHSCOPE_API_KEY')
    expect(said({ LLM_BASE_URL: 'localhost:11434/v1', LLM_MODEL: 'm' })).toContain('LLM_BASE_URL: must be an address that begins with http')
    for (const LLM_API_KEY of ['sk-…', 'sk one', 'sk-ö']) {
      const told = said({ LLM_API_KEY, LLM_MODEL: 'm' })
      expect(told).toContain('LLM_API_KEY: holds a space or a character that no key has')
      expect(told).not.toContain(LLM_API_KEY)
    }
  })

  test('an address is taken with what its documentation says beside it, and a key with what was pasted around it', () => {
    const env = { LLM_BASE_URL: 'https://api.example.com/v1/chat/completions', LLM_MODEL: 'm', LLM_API_KEY: ' sk-one\n' }
    const LLM_FALLBACKS = '[{"baseUrl":"http://b.example/v1/chat/completions/","model":"m","apiKey":"sk-two "}]'
    expect(configOf(place, { ...env, LLM_FALLBACKS }).models.providers).toMatchObject([
      { baseUrl: 'https://api.example.com/v1', apiKey: 'sk-one' },
      { baseUrl: 'http://b.example/v1', apiKey: 'sk-two' },
    ])
  })
})

describe.concurrent('slow and silent providers of models', () => {
  const { scope, place } = withPlace()
  const startWith = async (says: Parameters<typeof openMockUpstream>[0], env: Record<string, string>) => {
    const model = scope.use(await openMockUpstream(says))
    return { model, gateway: await startAt(place, scope, { ...asking(model), ...env }) }
  }

  test('one that says a word a second is slow, not silent: it is not cut, and each word reaches the reader by itself', async () => {
    const says = { mode: 'slow' as const, pieceMs: 1_000, pieces: ['一', '二', '三', '四', '五'] }
    const { model, gateway } = await startWith(says, { LLM_FIRST_TOKEN_S: '3', LLM_SILENCE_S: '3' })
    const events = await allEvents(await post(`${gateway.url}/api/v1/answers`, { question: '慢？' }, { accept: 'text/event-stream' }))
    expect(events.flatMap((event) => (event.type === 'delta' ? [event.data.text] : []))).toEqual(model.pieces)
    expect(events.at(-1)!.type).toBe('done')
  })

  test('while the first word is awaited a reader hears a heartbeat', async () => {
    const { gateway } = await startWith({ mode: 'silent' }, { LLM_FIRST_TOKEN_S: '60' })
    const leave = new AbortController()
    const response = await fetch(`${gateway.url}/api/v1/answers`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
      body: JSON.stringify({ question: '心跳？' }),
      signal: leave.signal,
    })
    let heard = ''
    // nginx waits 60 s for the next byte; the deadline of this test is the same
    for await (const bytes of response.body!) {
      heard += Buffer.from(bytes as Uint8Array).toString()
      if (/^: /m.test(heard)) break
    }
    expect(heard).toMatch(/^event: sources$/m)
    expect(heard).not.toMatch(/^event: (delta|error|done)$/m)
    await post(`${gateway.url}${response.headers.get('location')}/stop`, {})
    leave.abort()
  })
})
