import { randomUUID } from 'node:crypto'
import dns from 'node:dns'
import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { openFreezableDoor } from '../../lib/testkit/src/freezable-door.ts'
import { type MockUpstream, openMockUpstream } from '../../lib/testkit/src/mock-upstream.ts'
import { until } from '../../lib/testkit/src/until.ts'
import type { Gateway } from '../src/gateway-service.ts'
import { openPlace, type Place, post, startAt } from './harness.ts'

type Reply = { status: number; ms: number; body: { state?: string; text?: string; degraded?: string[]; code?: string } }
const parts = ['postgres', 'queue', 'cache', 'neighbours', 'model'] as const
type Part = (typeof parts)[number]

/** PROMISES row 48. What a question gets while a part cannot be reached: as when it is dead (row 11, 13, 21, 40), after a time-out, never a hang. */
const expected: Record<Part, (reply: Reply) => void> = {
  postgres: ({ status, body }) => expect([status, body.code]).toEqual([503, 'unavailable']),
  queue: ({ body }) => expect(body).toMatchObject({ state: 'done', degraded: ['resume'] }),
  cache: ({ body }) => expect(body).toMatchObject({ state: 'done', degraded: ['cache'] }),
  neighbours: ({ status, body }) => {
    expect([503, 504]).toContain(status)
    expect(['unavailable', 'timeout']).toContain(body.code)
  },
  model: ({ body }) => {
    expect(body).toMatchObject({ state: 'done', degraded: ['model'] })
    expect(body.text).toContain('24 个月') // quoted
  },
}
const LIMIT_MS = 20_000 // the longest of our time-outs is that of a search, 10 s

async function ask(gateway: Gateway): Promise<Reply> {
  const from = performance.now()
  const response = await post(`${gateway.url}/api/v1/ask`, { question: `保修期是多久？${randomUUID()}` })
  return { status: response.status, body: (await response.json()) as Reply['body'], ms: performance.now() - from }
}
const isWell = async (gateway: Gateway) => {
  const { body } = await ask(gateway)
  return (body.state === 'done' && body.degraded?.length === 0 && body.text === 'Hello world.') || undefined
}

/** The same place, each part behind an address of its own. */
function envOf(place: Place, model: MockUpstream, at: (part: Part, url: string) => string): { place: Place; env: Record<string, string> } {
  const neighbours = at('neighbours', place.neighbours.url)
  return {
    place: {
      ...place,
      databaseUrl: at('postgres', place.databaseUrl),
      queueUrl: at('queue', place.queueUrl),
      cacheUrl: at('cache', place.cacheUrl),
    },
    env: {
      RETRIEVAL_URL: neighbours,
      INGEST_URL: neighbours,
      LLM_BASE_URL: at('model', model.url),
      LLM_MODEL: 'mock',
      LLM_FIRST_TOKEN_S: '4',
    },
  }
}
function moved(url: string, to: { hostname?: string; port?: number }): string {
  const there = new URL(url)
  if (to.hostname) there.hostname = to.hostname
  if (to.port) there.port = String(to.port)
  return there.href
}

// they wait most of their time, each for a part of its own: so they wait together
describe.concurrent('a part whose host drops what is sent to it', { timeout: 120_000 }, () => {
  test('a frozen door drops the SYN of who comes', async () => {
    await using own = new AsyncDisposableStack()
    const model = own.use(await openMockUpstream())
    const door = await openFreezableDoor(Number(new URL(model.url).port), '127.0.0.1', own)
    await door.freeze()
    const late = connect(door.port, '127.0.0.1').setTimeout(300)
    const heard = await new Promise((done) => {
      for (const event of ['connect', 'error', 'timeout'] as const) late.on(event, () => done(event))
    })
    late.destroy()
    expect(heard).toBe('timeout')
  })

  test.for(parts)('%s: each question ends in its time, as if it were dead; when it is back all is well without a restart', async (part) => {
    await using own = new AsyncDisposableStack()
    const place = await openPlace(own)
    const model = own.use(await openMockUpstream())
    const targets: Record<Part, string> = {
      postgres: place.databaseUrl,
      queue: place.queueUrl,
      cache: place.cacheUrl,
      neighbours: place.neighbours.url,
      model: model.url,
    }
    const { hostname, port } = new URL(targets[part])
    const door = await openFreezableDoor(Number(port), hostname, own)
    const through = envOf(place, model, (each, url) => (each === part ? moved(url, { hostname: '127.0.0.1', port: door.port }) : url))
    const gateway = await startAt(through.place, own, through.env, {}, { failures: 1_000 })
    own.defer(() => door.thaw())
    await until('all is well', () => isWell(gateway))
    // what ends at once needs no journal; the keeper looks once a second
    model.pieceMs = part === 'queue' ? 800 : 0
    await door.freeze()
    // the first finds open connections that say nothing, those after it have to make new ones
    for (const reply of [await ask(gateway), ...(await Promise.all([ask(gateway), ask(gateway)]))]) {
      expected[part](reply)
      expect(reply.ms).toBeLessThan(LIMIT_MS)
    }
    expect((await fetch(`${gateway.url}/healthz`)).status).toBe(200)
    const ready = await fetch(`${gateway.url}/readyz`)
    expect(ready.status).toBe(part === 'postgres' || part === 'neighbours' ? 503 : 200)
    if (part !== 'model') {
      const name = part === 'neighbours' ? 'retrieval' : part
      expect(((await ready.json()) as { checks: Record<string, { ok: boolean }> }).checks[name]).toMatchObject({ ok: false })
    }
    door.thaw()
    await until('all is well again', () => isWell(gateway), 60_000)
  })
})

describe.concurrent('a part whose name does not resolve', { timeout: 120_000 }, () => {
  const scope = new AsyncDisposableStack()
  const unknown = new Map<string, 'ENOTFOUND' | 'EAI_AGAIN'>()
  let place: Place
  beforeAll(async () => {
    place = await openPlace(scope)
    const real = dns.lookup
    type Heard = (error: Error | null, address?: unknown, family?: number) => void
    vi.spyOn(dns, 'lookup').mockImplementation(((host: string, options: dns.LookupOptions, heard: Heard) => {
      if (!host.endsWith('.docent.test')) return real(host, options, heard as never)
      const code = unknown.get(host)
      if (code) return void setImmediate(heard, Object.assign(new Error(`getaddrinfo ${code} ${host}`), { code, syscall: 'getaddrinfo' }))
      setImmediate(() => (options.all ? heard(null, [{ address: '127.0.0.1', family: 4 }]) : heard(null, '127.0.0.1', 4)))
    }) as never)
  })
  afterAll(async () => {
    vi.restoreAllMocks()
    await scope.disposeAsync()
  })

  const cases = parts.flatMap((part) => (['ENOTFOUND', 'EAI_AGAIN'] as const).map((code) => ({ part, code })))
  test.for(cases)(
    '$part, $code: the gateway starts, each question ends as if it were dead; once it resolves all is well',
    async ({ part, code }) => {
      await using own = new AsyncDisposableStack()
      const model = own.use(await openMockUpstream())
      // names of its own: connections to others are still open
      const nameOf = (each: Part) => `${each}-of-${part}-${code.replace('_', '-').toLowerCase()}.docent.test`
      unknown.set(nameOf(part), code)
      model.pieceMs = part === 'queue' ? 800 : 0
      const named = envOf(place, model, (each, url) => moved(url, { hostname: nameOf(each) }))
      const gateway = await startAt(named.place, own, named.env, {}, { failures: 1_000 })
      const reply = await ask(gateway)
      expected[part](reply)
      expect(reply.ms).toBeLessThan(LIMIT_MS)
      unknown.delete(nameOf(part))
      await until('all is well', () => isWell(gateway))
    },
  )
})
