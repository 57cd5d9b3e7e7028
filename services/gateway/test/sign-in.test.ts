import { once } from 'node:events'
import { createServer, type IncomingMessage, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Answer } from '@docent/core/answer-event'
import { decodePrincipal } from '@docent/core/principal'
import { exportJWK, exportSPKI, generateKeyPair, type JWTPayload, SignJWT } from 'jose'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { until } from '../../lib/testkit/src/until.ts'
import type { Gateway } from '../src/gateway-service.ts'
import { adminKey, openPlace, type Place, passage, post, startAt, warrantyText } from './harness.ts'

const secret = 'a-secret-between-proxy-and-gateway-0123456789'
const alice = { 'x-forwarded-user': 'alice', 'x-docent-proxy-secret': secret }

async function me(gateway: Gateway, headers: Record<string, string>): Promise<{ status: number; [field: string]: unknown }> {
  const response = await fetch(`${gateway.url}/api/v1/me`, { headers })
  return { status: response.status, ...((await response.json()) as object) }
}

describe('signed in at a proxy', () => {
  const scope = new AsyncDisposableStack()
  let place: Place
  let gateway: Gateway
  beforeAll(async () => {
    place = await openPlace(scope)
    gateway = await startAt(place, scope, {
      ACCESS: 'keys',
      SIGN_IN_USER_HEADER: 'X-Forwarded-User',
      SIGN_IN_GROUPS_HEADER: 'X-Forwarded-Groups',
      SIGN_IN_PROXY_SECRET: secret,
      ADMIN_GROUPS: 'ops',
      ALLOWED_ORIGINS: 'https://good.example',
    })
  })
  afterAll(() => scope.disposeAsync())

  test('the proxy says who asks, and of which groups', async () => {
    expect(await me(gateway, { ...alice, 'x-forwarded-groups': 'staff, hr|staff' })).toMatchObject({
      status: 200,
      id: 'user:alice',
      kind: 'user',
      scopes: ['chat', 'read'],
      groups: ['staff', 'hr'],
    })
    expect(await me(gateway, { ...alice, 'x-forwarded-groups': 'ops' })).toMatchObject({ id: 'user:alice', kind: 'admin' })
    const wang = Buffer.from('王芳', 'utf8').toString('latin1')
    expect(await me(gateway, { ...alice, 'x-forwarded-user': wang })).toMatchObject({ id: 'user:王芳' })
    expect(await me(gateway, {})).toMatchObject({ status: 200, kind: 'anonymous', scopes: [] })
  })

  test('who is unknown is told what is open to all', async () => {
    const open = await startAt(place, scope)
    expect(await me(open, {})).toMatchObject({ kind: 'anonymous', scopes: ['chat'] })
    const readable = await startAt(place, scope, { ACCESS: 'keys', PUBLIC_READS: 'true' })
    expect(await me(readable, {})).toMatchObject({ kind: 'anonymous', scopes: ['read'] })
    expect((await fetch(`${readable.url}/api/v1/documents`)).status).toBe(200)
    expect((await post(`${readable.url}/api/v1/ask`, { question: 'x' })).status).toBe(401)
  })

  test('a name without the secret of the proxy is refused, never taken for somebody else', async () => {
    for (const headers of [{ 'x-forwarded-user': 'alice' }, { ...alice, 'x-docent-proxy-secret': `${secret}x` }])
      expect(await me(gateway, headers)).toMatchObject({ status: 401, code: 'unauthorized' })
    expect(await me(gateway, { ...alice, 'x-forwarded-user': '  ' })).toMatchObject({ status: 401 })
    const many = Array.from({ length: 500 }, (_, i) => `group-number-${i}`).join()
    expect(await me(gateway, { ...alice, 'x-forwarded-groups': many })).toMatchObject({ status: 401 })
  })

  test('who signed in may ask under ACCESS=keys, finds the own conversations and not those of others', async () => {
    expect((await post(`${gateway.url}/api/v1/ask`, { question: '保修期是多久？' })).status).toBe(401)
    expect((await post(`${gateway.url}/api/v1/ask`, { question: '保修期是多久？' }, alice)).status).toBe(200)
    const list = async (user: string) => {
      const response = await fetch(`${gateway.url}/api/v1/conversations`, { headers: { ...alice, 'x-forwarded-user': user } })
      return ((await response.json()) as { items: unknown[] }).items.length
    }
    expect(await list('alice')).toBe(1)
    expect(await list('bob')).toBe(0)
    expect((await fetch(`${gateway.url}/api/v1/settings`, { headers: alice })).status).toBe(403)
  })

  test('a header that came twice is refused: the proxy added its own to that of the caller', async () => {
    const twice = async (name: string, values: string[]) => {
      const sent = request(`${gateway.url}/api/v1/me`, { headers: { ...alice, 'x-forwarded-groups': 'staff', [name]: values } })
      sent.end()
      const [response] = (await once(sent, 'response')) as [IncomingMessage]
      response.resume()
      return response.statusCode
    }
    expect(await twice('x-forwarded-groups', ['staff'])).toBe(200)
    expect(await twice('x-forwarded-groups', ['ops', 'staff'])).toBe(401)
    expect(await twice('x-forwarded-user', ['root', 'alice'])).toBe(401)
    expect(await twice('x-docent-proxy-secret', [secret, secret])).toBe(401)
  })

  test('what a person was told is followed, stopped and read on by himself and the admin only', async () => {
    const hr = { ...alice, 'x-forwarded-groups': 'hr' }
    const bob = { ...alice, 'x-forwarded-user': 'bob' }
    const ops = { ...bob, 'x-forwarded-groups': 'ops' }
    const answer = (await (await post(`${gateway.url}/api/v1/ask`, { question: '保修期？' }, hr)).json()) as Answer
    const statuses = async (headers: Record<string, string>) => {
      const url = `${gateway.url}/api/v1/answers/${answer.id}`
      const all = [fetch(url, { headers }), fetch(`${url}/events`, { headers }), post(`${url}/stop`, {}, headers)]
      return (await Promise.all(all)).map(({ status }) => status)
    }
    expect(await statuses(hr)).toEqual([200, 200, 200])
    expect(await statuses(ops)).toEqual([200, 200, 200])
    expect(await statuses(bob)).toEqual([404, 404, 404])
    expect((await statuses({})).slice(0, 2)).toEqual([404, 404])
  })

  test('a replay searches what the first asker may read, not what the admin does', async () => {
    const hr = { ...alice, 'x-forwarded-groups': 'hr,staff' }
    const answer = (await (await post(`${gateway.url}/api/v1/ask`, { question: '工资？' }, hr)).json()) as Answer
    const owner = { authorization: `Bearer ${adminKey}` }
    const url = `${gateway.url}/api/v1/records/${answer.id}`
    await until('the record is kept', async () => ((await fetch(url, { headers: owner })).status === 200 ? true : undefined))
    expect((await post(`${url}/replay`, { settings: {} }, owner)).status).toBe(200)
    const { headers } = place.neighbours.seen.findLast(({ url }) => url === '/search')!
    const reader = decodePrincipal(String(headers['x-docent-principal']))
    expect(reader).toMatchObject({ kind: 'user', groups: ['hr', 'staff'], scopes: ['chat', 'read'] })
  })

  test('a shared conversation ends for a reader before the first answer that rests on what he may not read', async () => {
    const hr = { ...alice, 'x-forwarded-groups': 'hr' }
    const ask = async (question: string, more: object = {}) =>
      (await (await post(`${gateway.url}/api/v1/ask`, { question, ...more }, hr)).json()) as Answer
    const { conversationId } = await ask('保修期？')
    const pay = '22222222-2222-4222-8222-222222222222'
    place.neighbours.passages = [passage('工资表：经理 90000 元。', { documentId: pay, path: 'hr/pay.md', chunkId: 'c2' })]
    const { sources } = await ask('经理的工资？', { conversationId })
    place.neighbours.passages = [passage(warrantyText)]
    await ask('那保修期呢？', { conversationId })
    const share = (await (await post(`${gateway.url}/api/v1/conversations/${conversationId}/shares`, {}, hr)).json()) as { url: string }
    const read = async (headers: Record<string, string> = {}) => {
      const response = await fetch(gateway.url + share.url, { headers })
      return { status: response.status, ...((await response.json()) as { messages?: unknown[]; withheld?: number }) }
    }
    const citation = async (headers: Record<string, string> = {}) =>
      (await fetch(`${gateway.url}/api/v1/citations/${sources[0]!.citationId}`, { headers })).status
    expect((await read()).messages).toHaveLength(6)
    place.neighbours.restricted.add(pay)
    expect((await read(hr)).messages).toHaveLength(6)
    const cut = await read()
    expect(cut).toMatchObject({ messages: [{ role: 'question' }, { role: 'answer' }, { role: 'question' }], withheld: 3 })
    expect(JSON.stringify(cut)).not.toContain('90000 元')
    expect([await citation(hr), await citation()]).toEqual([200, 404])
    // while nobody knows who may read it, it is kept back
    place.neighbours.down = true
    expect([(await read()).status, await citation(), await citation(hr)]).toEqual([503, 503, 200])
    place.neighbours.down = false
    place.neighbours.restricted.clear()
  })

  test('another web site cannot use the sign-in of its visitor', async () => {
    const ask = (headers: Record<string, string>) => post(`${gateway.url}/api/v1/ask`, { question: 'x' }, { ...alice, ...headers })
    expect((await ask({ origin: 'https://evil.example' })).status).toBe(403)
    expect((await ask({ 'sec-fetch-site': 'cross-site' })).status).toBe(403)
    expect((await ask({ origin: 'https://good.example' })).status).toBe(200)
    expect((await ask({ origin: gateway.url, 'sec-fetch-site': 'same-origin' })).status).toBe(200)
  })

  test('a socket is let in with the sign-in and refused without', async () => {
    const open = async (headers: Record<string, string>) => {
      const socket = new WebSocket(`${gateway.url.replace('http', 'ws')}/ws/tab-1`, { headers })
      const outcome = await Promise.race([
        once(socket, 'open').then(() => 101),
        once(socket, 'unexpected-response').then(([, response]) => (response as { statusCode: number }).statusCode),
      ])
      socket.on('error', () => undefined)
      socket.terminate()
      return outcome
    }
    expect(await open(alice)).toBe(101)
    expect(await open({})).toBe(401)
    expect(await open({ ...alice, 'x-docent-proxy-secret': 'x' })).toBe(401)
    expect(await open({ ...alice, origin: 'https://evil.example' })).toBe(403)
  })
})

describe('signed in with a token', () => {
  const scope = new AsyncDisposableStack()
  let gateway: Gateway
  let issuer: string
  let isDown = false
  const fetched: string[] = []
  let keys: Awaited<ReturnType<typeof generateKeyPair>>
  beforeAll(async () => {
    keys = await generateKeyPair('RS256')
    const jwk = { ...(await exportJWK(keys.publicKey)), kid: 'one', alg: 'RS256', use: 'sig' }
    const server = createServer((req, res) => {
      fetched.push(req.url ?? '')
      if (isDown) return void res.writeHead(503).end()
      const body = req.url?.endsWith('openid-configuration') ? { issuer, jwks_uri: `${issuer}/keys` } : { keys: [jwk] }
      res.setHeader('content-type', 'application/json').end(JSON.stringify(body))
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    scope.defer(() => void server.close())
    issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const place = await openPlace(scope)
    // counts of this file only: the wrong keys of others come from the same address
    place.cacheUrl = `${place.cacheUrl.replace(/\/\d*$/, '')}/4`
    gateway = await startAt(place, scope, { ACCESS: 'keys', OIDC_ISSUER: issuer, OIDC_AUDIENCE: 'docent', ADMIN_GROUPS: '["ops"]' })
  })
  afterAll(() => scope.disposeAsync())

  type Claims = JWTPayload & { groups?: unknown }
  const sign = (claims: Claims = {}, key: CryptoKey = keys.privateKey) =>
    new SignJWT({ iss: issuer, aud: 'docent', sub: 'alice', exp: Math.floor(Date.now() / 1000) + 60, ...claims })
      .setProtectedHeader({ alg: 'RS256', kid: 'one' })
      .sign(key)
  const as = (token: string) => me(gateway, { authorization: `Bearer ${token}` })

  test('an outage of the provider is said to be one, and forgotten when it is over', async () => {
    isDown = true
    expect(await as(await sign())).toMatchObject({ status: 503, code: 'unavailable' })
    isDown = false
    expect(await as(await sign())).toMatchObject({ status: 200, id: 'user:alice', kind: 'user' })
  })

  test('the claims say who asks and of which groups', async () => {
    expect(await as(await sign({ groups: ['staff'] }))).toMatchObject({ id: 'user:alice', groups: ['staff'], scopes: ['chat', 'read'] })
    expect(await as(await sign({ groups: ['staff', 'ops'] }))).toMatchObject({ kind: 'admin' })
    for (const odd of [{ ops: true }, 7, null, [['ops']]])
      expect(await as(await sign({ groups: odd }))).toMatchObject({ kind: 'user', groups: [] })
  })

  test('a token that is false, late, or for something else is refused', async () => {
    const foreign = (await generateKeyPair('RS256')).privateKey
    const parts = (await sign()).split('.')
    const none = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${parts[1]}.`
    const own = await generateKeyPair('RS256')
    const payload = { iss: issuer, aud: 'docent', sub: 'root', exp: Math.floor(Date.now() / 1000) + 60 }
    const bad = [
      await sign({}, foreign),
      await sign({ exp: Math.floor(Date.now() / 1000) - 3_600 }),
      await sign({ aud: 'another' }),
      await sign({ iss: 'https://elsewhere.example' }),
      await sign({ sub: '' }),
      `${parts[0]}.${Buffer.from('{"sub":"root"}').toString('base64url')}.${parts[2]}`,
      none,
      'a.b.c',
      // the public key as the secret of an HMAC, a key that came along, an address to fetch one from
      await new SignJWT(payload)
        .setProtectedHeader({ alg: 'HS256', kid: 'one' })
        .sign(new TextEncoder().encode(await exportSPKI(keys.publicKey))),
      await new SignJWT(payload).setProtectedHeader({ alg: 'RS256', jwk: await exportJWK(own.publicKey) }).sign(own.privateKey),
      await new SignJWT(payload).setProtectedHeader({ alg: 'RS256', kid: 'two', jku: `${issuer}/evil` }).sign(own.privateKey),
      await new SignJWT(payload).setProtectedHeader({ alg: 'RS256', kid: '../one', x5u: `${issuer}/evil` }).sign(own.privateKey),
    ]
    for (const token of bad) expect(await as(token)).toMatchObject({ status: 401, code: 'unauthorized' })
    expect(fetched).not.toContain('/evil')
  })
})
