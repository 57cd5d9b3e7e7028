import { once } from 'node:events'
import { request } from 'node:http'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import type { Gateway } from '../src/gateway-service.ts'
import { adminKey, openPlace, type Place, post, startAt } from './harness.ts'

const owner = { authorization: `Bearer ${adminKey}` }

describe('the door', () => {
  const scope = new AsyncDisposableStack()
  let place: Place
  let gateway: Gateway
  beforeAll(async () => {
    place = await openPlace(scope)
    gateway = await startAt(place, scope, { ALLOWED_ORIGINS: '["https://good.example"]' })
  })
  afterAll(() => scope.disposeAsync())

  async function expectProblem(response: Response, statuses: number[]): Promise<void> {
    expect(statuses).toContain(response.status)
    expect(response.headers.get('content-type')).toContain('application/problem+json')
    const problem = (await response.json()) as Record<string, unknown>
    expect(problem).toMatchObject({
      type: expect.any(String),
      title: expect.any(String),
      status: response.status,
      code: expect.any(String),
      detail: expect.any(String),
      requestId: response.headers.get('x-request-id'),
    })
    expect(JSON.stringify(problem)).not.toContain('.ts:')
  }
  test('H33 origins: listed ones are answered, none is reflected', async () => {
    const preflight = (origin: string) =>
      fetch(`${gateway.url}/api/v1/ask`, {
        method: 'OPTIONS',
        headers: { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'content-type,last-event-id' },
      })
    const good = await preflight('https://good.example')
    expect(good.headers.get('access-control-allow-origin')).toBe('https://good.example')
    expect(good.headers.get('access-control-allow-headers')).toContain('Last-Event-ID')
    for (const origin of ['null', 'https://good.example.evil.com', 'https://evil.com', 'http://good.example'])
      expect((await preflight(origin)).headers.get('access-control-allow-origin')).toBeNull()
    const simple = await fetch(`${gateway.url}/system/info`, { headers: { origin: 'https://good.example' } })
    expect(simple.headers.get('access-control-expose-headers')).toContain('X-Trace-Id')
  })

  test('what changes things needs the admin key; a wrong key is never anonymous', async () => {
    for (const [method, path] of [
      ['POST', '/api/v1/documents'],
      ['DELETE', '/api/v1/documents/00000000-0000-4000-8000-000000000000'],
      ['POST', '/api/v1/documents/00000000-0000-4000-8000-000000000000/retry'],
      ['POST', '/api/v1/documents/00000000-0000-4000-8000-000000000000/cancel'],
      ['GET', '/api/v1/documents/00000000-0000-4000-8000-000000000000/chunks'],
      ['GET', '/api/v1/documents/00000000-0000-4000-8000-000000000000/preview'],
      ['PATCH', '/api/v1/documents/00000000-0000-4000-8000-000000000000/chunks/0'],
      ['DELETE', '/api/v1/documents/00000000-0000-4000-8000-000000000000/chunk-edits/0'],
      ['GET', '/api/v1/collections'],
      ['GET', '/api/v1/documents/00000000-0000-4000-8000-000000000000/attempts'],
      ['POST', '/api/v1/documents/retry'],
      ['POST', '/api/v1/documents/confirm-removal'],
      ['GET', '/api/v1/ingest'],
      ['GET', '/api/v1/ingest/scans'],
      ['POST', '/api/v1/ingest/pause'],
      ['POST', '/api/v1/ingest/resume'],
      ['POST', '/api/v1/ingest/scan'],
      ['POST', '/prompts'],
      ['GET', '/api/v1/settings'],
      ['GET', '/api/v1/usage'],
      ['GET', '/api/v1/documents'],
      ['POST', '/api/v1/search'],
    ]) {
      await expectProblem(await fetch(gateway.url + path, { method: method! }), [401])
      await expectProblem(await fetch(gateway.url + path, { method: method!, headers: { authorization: 'Bearer wrong' } }), [401])
    }
    await expectProblem(await post(`${gateway.url}/api/v1/ask`, { question: 'x' }, { authorization: 'Bearer wrong' }), [401])
  })

  test('documents are piped to ingest with the principal, uploads streamed as they are', async () => {
    const form = new FormData()
    form.append('file', new Blob(['hello']), 'a.txt')
    expect((await fetch(`${gateway.url}/api/v1/documents`, { method: 'POST', headers: owner, body: form })).status).toBe(200)
    const seen = place.neighbours.seen.at(-1)!
    expect(seen).toMatchObject({ method: 'POST', url: '/documents' })
    expect(seen.body).toContain('hello')
    expect(seen.headers['content-type']).toContain('multipart/form-data; boundary=')
    expect(seen.headers.authorization).toBeUndefined()
    expect(JSON.parse(Buffer.from(String(seen.headers['x-docent-principal']), 'base64url').toString())).toMatchObject({ kind: 'admin' })
    expect((await fetch(`${gateway.url}/api/v1/documents?state=ready&limit=5`, { headers: owner })).status).toBe(200)
    expect(place.neighbours.seen.at(-1)!.url).toBe('/documents?state=ready&limit=5')
    expect(await (await post(`${gateway.url}/api/v1/search`, { query: '保修' }, owner)).json()).toMatchObject({ answerable: true })
  })

  test('the hand on ingest and on chunks is piped with its query and body', async () => {
    for (const [method, path, body] of [
      ['GET', '/ingest'],
      ['GET', '/ingest/scans?dryRun=true'],
      ['POST', '/ingest/pause'],
      ['POST', '/ingest/scan?dryRun=true'],
      ['POST', '/documents/retry', '{"path":"a/"}'],
      ['POST', '/documents/confirm-removal'],
      ['POST', '/documents/00000000-0000-4000-8000-000000000000/cancel'],
      ['GET', '/documents/00000000-0000-4000-8000-000000000000/chunks?limit=5'],
      ['GET', '/documents/00000000-0000-4000-8000-000000000000/preview?offset=9'],
      ['PATCH', '/documents/00000000-0000-4000-8000-000000000000/chunks/abc', '{"enabled":false}'],
      ['DELETE', '/documents/00000000-0000-4000-8000-000000000000/chunk-edits/abc'],
      ['GET', '/collections'],
    ]) {
      const headers = body ? { ...owner, 'content-type': 'application/json' } : owner
      expect((await fetch(`${gateway.url}/api/v1${path}`, { method: method!, headers, ...(body ? { body } : {}) })).status).toBe(200)
      expect(place.neighbours.seen.at(-1)).toMatchObject({ method, url: path, ...(body ? { body } : {}) })
    }
  })

  test('of changes of one prompt made at the same time each is kept as a version of its own, or refused', async () => {
    const made = (await (await post(`${gateway.url}/prompts`, { name: 'at once', content: 'b' }, owner)).json()) as { id: string }
    const address = `${gateway.url}/prompts/${made.id}`
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, n) =>
        fetch(address, {
          method: 'PATCH',
          headers: { ...owner, 'content-type': 'application/json' },
          body: JSON.stringify({ content: `${n}` }),
        }),
      ),
    )
    const kept = answers.filter(({ status }) => status === 200)
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200, 409]))
    expect(await (await fetch(address)).json()).toMatchObject({ version: 1 + kept.length })
    expect((await fetch(address, { method: 'DELETE', headers: owner })).status).toBe(204)
  })

  test('prompts are written by the owner and read by all', async () => {
    const made = (await (await post(`${gateway.url}/prompts`, { name: 'a', content: 'b' }, owner)).json()) as { id: string }
    expect(await (await fetch(`${gateway.url}/prompts`)).json()).toMatchObject({ items: [{ id: made.id, version: 1 }] })
    const changed = await fetch(`${gateway.url}/prompts/${made.id}`, {
      method: 'PUT',
      headers: { ...owner, 'content-type': 'application/json' },
      body: '{"name":"a","content":"c"}',
    })
    expect(await changed.json()).toMatchObject({ version: 2, content: 'c' })
    expect((await fetch(`${gateway.url}/prompts/${made.id}`, { method: 'DELETE', headers: owner })).status).toBe(204)
    expect((await fetch(`${gateway.url}/prompts/${made.id}`)).status).toBe(404)
  })

  test('C15 questions are limited per address, and a forged X-Forwarded-For changes nothing', async () => {
    const limited = await startAt(place, scope, { RATE_LIMIT_PER_MINUTE: '3', CACHE_URL: `${place.cacheUrl.replace(/\/\d*$/, '')}/5` })
    const statuses: number[] = []
    let last: Response | undefined
    for (let i = 0; i < 5; i++) {
      last = await post(`${limited.url}/api/v1/ask`, { question: '保修' }, { 'x-forwarded-for': `10.0.0.${i}`, 'x-client-id': `c${i}` })
      statuses.push(last.status)
    }
    expect(statuses.slice(-2)).toEqual([429, 429])
    expect(Number(last!.headers.get('retry-after'))).toBeGreaterThan(0)
    expect(last!.headers.get('ratelimit')).toMatch(/^limit=3, remaining=0, reset=\d+$/)
    await expectProblem(last!, [429])
  })

  test('C15 what is kept without a question is limited per address, too, and leaves the questions theirs', async () => {
    const cacheUrl = `${place.cacheUrl.replace(/\/\d*$/, '')}/8`
    const limited = await startAt(place, scope, { RATE_LIMIT_PER_MINUTE: '4', CACHE_URL: cacheUrl, MEMORY_ENABLED: 'true' })
    const me = { 'x-client-id': 'keeper', accept: 'application/json' }
    const asked = await post(`${limited.url}/api/v1/ask`, { question: '保修' }, me)
    const { id, conversationId } = (await asked.json()) as { id: string; conversationId: string }
    const conversation = `${limited.url}/api/v1/conversations/${conversationId}`
    const rate = (client: string) => post(`${limited.url}/api/v1/feedback`, { answerId: id, rating: -1 }, { 'x-client-id': client })
    const kept = [
      await post(`${conversation}/branch`, { messageId: id }, me),
      await post(`${conversation}/shares`, {}, me),
      await rate('one'),
      await rate('two'),
      await rate('three'),
      await post(`${conversation}/branch`, { messageId: id }, me),
      await post(`${conversation}/shares`, {}, me),
    ]
    expect(kept.map(({ status }) => status)).toEqual([201, 201, 201, 201, 429, 429, 429])
    expect(Number(kept.at(-1)!.headers.get('retry-after'))).toBeGreaterThan(0)
    expect((await post(`${limited.url}/api/v1/ask`, { question: '保修' }, me)).status).toBe(200)
  })

  test('ACCESS=keys asks for a key', async () => {
    const closed = await startAt(place, scope, { ACCESS: 'keys' })
    await expectProblem(await post(`${closed.url}/api/v1/ask`, { question: '保修' }), [401])
    expect((await post(`${closed.url}/api/v1/ask`, { question: '保修' }, owner)).status).toBe(200)
  })

  test('under npm start other hosts and origins are refused', async () => {
    const local = await startAt(place, scope, { LOCAL_ONLY: 'true' })
    const status = async (headers: Record<string, string>) => {
      const req = request(`${local.url}/system/info`, { headers })
      req.end()
      const [res] = (await once(req, 'response')) as [import('node:http').IncomingMessage]
      res.resume()
      return res.statusCode
    }
    expect(await status({ host: `localhost:${local.port}` })).toBe(200)
    expect(await status({ host: 'evil.example' })).toBe(403)
    expect(await status({ host: `127.0.0.1:${local.port}`, origin: 'https://evil.example' })).toBe(403)
    expect(await status({ host: `127.0.0.1:${local.port}`, origin: `http://127.0.0.1:${local.port}` })).toBe(200)
    // reading without a key is opened by PUBLIC_READS alone, which npm start sets where it is private
    expect((await fetch(`${local.url}/api/v1/documents`)).status).toBe(401)
  })

  test('security headers are on every answer', async () => {
    for (const path of ['/system/info', '/nothing', '/healthz']) {
      const { headers } = await fetch(gateway.url + path)
      expect(headers.get('content-security-policy')).toContain("script-src 'self'")
      expect(headers.get('content-security-policy')).toContain("frame-ancestors 'none'")
      expect(headers.get('x-content-type-options')).toBe('nosniff')
      expect(headers.get('x-powered-by')).toBeNull()
    }
  })

  test('a WebSocket asks and gets the events; a foreign origin is refused', async () => {
    const url = `${gateway.url.replace('http', 'ws')}/ws/client-1`
    const socket = new WebSocket(url)
    const types: string[] = []
    await once(socket, 'open')
    socket.send(JSON.stringify({ type: 'ask', question: '保修期是多久？' }))
    await new Promise<void>((done) =>
      socket.on('message', (bytes) => {
        types.push((JSON.parse(bytes.toString()) as { type: string }).type)
        if (types.at(-1) === 'done') done()
      }),
    )
    expect(types.slice(0, 3)).toEqual(['meta', 'sources', 'delta'])
    socket.send('nonsense')
    expect(JSON.parse(String((await once(socket, 'message'))[0]))).toMatchObject({ type: 'error', code: 'invalid_json' })
    socket.close()
    const evil = new WebSocket(url, { origin: 'https://evil.example' })
    const [error] = (await once(evil, 'error')) as [Error]
    expect(error.message).toContain('403')
  })

  test('readyz names each dependency', async () => {
    expect(await (await fetch(`${gateway.url}/readyz`)).json()).toMatchObject({
      status: 'ok',
      checks: { postgres: { ok: true }, queue: { ok: true }, cache: { ok: true }, retrieval: { ok: true }, ingest: { ok: true } },
    })
    place.neighbours.down = true
    expect((await fetch(`${gateway.url}/readyz`)).status).toBe(503)
    place.neighbours.down = false
  })
})
