import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { errorTable } from '@docent/core/errors'
import { listen } from '@docent/kit/http-app'
import { createLogger } from '@docent/kit/logger'
import express from 'express'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { until } from '../../lib/testkit/src/until.ts'
import { type Gateway, startGateway } from '../src/gateway-service.ts'
import { ask, badRequests, esc, json, missing, owner } from './bad-requests.ts'
import { adminKey, configOf, eachOf, openPlace, type Place, post } from './harness.ts'

describe('bad input', () => {
  const scope = new AsyncDisposableStack()
  const folder = mkdtempSync(join(tmpdir(), 'docent-bad-'))
  const logFile = join(folder, 'log')
  let place: Place
  let gateway: Gateway
  beforeAll(async () => {
    place = await openPlace(scope)
    place.cacheUrl = `${place.cacheUrl.replace(/\/\d*$/, '')}/9`
    gateway = await startGateway(configOf(place, { ALLOWED_ORIGINS: 'https://good.example' }), scope, {
      log: createLogger('gateway', 'debug', logFile),
    })
  })
  afterAll(async () => {
    await scope.disposeAsync()
    rmSync(folder, { recursive: true })
  })

  async function expectProblem(response: Response, statuses: number[], code?: string): Promise<void> {
    const text = await response.text()
    expect(statuses, text.slice(0, 300)).toContain(response.status)
    expect(response.headers.get('content-type')).toContain('application/problem+json')
    const problem = JSON.parse(text) as { code: keyof typeof errorTable; status: number; requestId: string }
    expect(errorTable).toHaveProperty(problem.code)
    if (code) expect(problem.code).toBe(code)
    expect(problem).toMatchObject({ status: response.status, requestId: response.headers.get('x-request-id') })
    expect(text).not.toMatch(/\.ts:\d|\bat \w+ \(|node_modules|SELECT |docent_chat/)
  }

  test.for(badRequests)('$name', async ({ path = '/api/v1/ask', method = 'POST', headers = json, body, status, code }) => {
    const type = method === 'GET' || 'content-type' in headers ? headers : { ...headers, ...json }
    const response = await fetch(gateway.url + path, { method, headers: type, ...(body === undefined ? {} : { body }) })
    await expectProblem(response, [status].flat(), code)
  })

  test('H1 to H18 at every address: nothing that can be sent is a 500', async () => {
    const bodies = [
      'null',
      '[]',
      '7',
      '"x"',
      '{',
      '{"__proto__":{"a":1}}',
      '{"question":{"$gt":""},"settings":[],"name":7,"answerId":"x","rating":9}',
      `${'{"a":'.repeat(500)}1${'}'.repeat(500)}`,
    ]
    const calls = gateway.routes.flatMap((route) => {
      const [method, path] = route.split(' ') as [string, string]
      const at = (id: string) => path.replace(/:\w+/g, id)
      const tried = method === 'GET' || method === 'DELETE' ? [undefined] : bodies
      const broken = path.includes(':') ? ['x', '%00'].map((id) => ({ method, target: at(id), body: tried[0] })) : []
      return [...broken, ...tried.map((body) => ({ method, target: at(missing), body }))]
    })
    const wrong: string[] = []
    await eachOf(calls, 8, async ({ method, target, body }) => {
      const stop = new AbortController()
      const response = await fetch(gateway.url + target, {
        method,
        headers: { ...owner, ...json },
        signal: stop.signal,
        ...(body ? { body } : {}),
      })
      if (response.status >= 500) wrong.push(`${method} ${target}: ${response.status}`)
      else if (response.headers.get('content-type')?.includes('event-stream')) stop.abort()
      else if (response.status >= 400) await expectProblem(response, [400, 401, 403, 404, 409, 412, 413, 415])
      else await response.body?.cancel()
    })
    expect(wrong).toEqual([])
  })

  test('H6 of duplicate keys the last one counts', async () => {
    expect((await post(`${gateway.url}/api/v1/ask`, undefined, {})).status).toBe(400)
    expect(
      (await fetch(`${gateway.url}/api/v1/ask`, { method: 'POST', headers: json, body: '{"question":7,"question":"保修期"}' })).status,
    ).toBe(200)
  })

  /** What a raw request is answered: its status lines, until the socket ends or `ms` of silence. */
  async function raw(lines: string, ms = 300): Promise<string> {
    const socket = connect(gateway.port, '127.0.0.1')
    socket.setTimeout(ms, () => socket.destroy())
    let said = ''
    socket.on('data', (bytes) => {
      said += bytes.toString('latin1')
    })
    socket.on('error', () => undefined)
    socket.write(lines)
    await new Promise((done) => socket.on('close', done))
    return said
  }
  const statuses = (said: string) => [...said.matchAll(/HTTP\/1\.1 (\d{3})/g)].map((match) => Number(match[1]))
  const host = 'Host: docent\r\n'
  const smuggled = 'GET /api/v1/system/info HTTP/1.1\r\nHost: smuggled\r\n\r\n'

  test('H3 50 MB that are announced are refused before they come', async () => {
    const said = await raw(
      `POST /api/v1/ask HTTP/1.1\r\n${host}content-type: application/json\r\ncontent-length: 52428800\r\n\r\n{"question":"`,
    )
    expect(statuses(said)).toEqual([413])
  })

  test.for([
    ['H21 CL.TE', `POST /api/v1/ask HTTP/1.1\r\n${host}Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${smuggled}`],
    [
      'H21 TE.CL',
      `POST /api/v1/ask HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n5c\r\n${smuggled}\r\n0\r\n\r\n`,
    ],
    ['H21 two lengths', `POST /api/v1/ask HTTP/1.1\r\n${host}Content-Length: 2\r\nContent-Length: 40\r\n\r\n{}${smuggled}`],
    ['H21 a chunk of no size', `POST /api/v1/ask HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n\r\nzz\r\n${smuggled}`],
    ['H21 an unknown transfer encoding', `POST /api/v1/ask HTTP/1.1\r\n${host}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n`],
    ['H21 a bare line feed in a header', `GET /healthz HTTP/1.1\r\n${host}a: b\nc\r\n\r\n`],
    ['H22 a header of 64 KB', `GET /healthz HTTP/1.1\r\n${host}a: ${'x'.repeat(65_536)}\r\n\r\n`],
    ['H24 no host', 'GET /healthz HTTP/1.1\r\n\r\n'],
    ['H30 an HTTP/2 preface', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    [
      'H37 a Last-Event-ID of 1 MB',
      `GET /api/v1/answers/${missing}/events HTTP/1.1\r\n${host}last-event-id: ${'1'.repeat(1_000_000)}\r\n\r\n`,
    ],
    ['H38 an Idempotency-Key of 1 MB', `POST /api/v1/ask HTTP/1.1\r\n${host}idempotency-key: ${'1'.repeat(1_000_000)}\r\n\r\n`],
    ['H35 a key of 100 KB', `GET /api/v1/records HTTP/1.1\r\n${host}authorization: Bearer ${'x'.repeat(100_000)}\r\n\r\n`],
  ])('%s is refused, and nothing behind it is answered', async ([, lines]) => {
    const said = await raw(lines!)
    // a socket that is reset while it still sends has said enough
    for (const status of statuses(said)) expect([400, 415, 431]).toContain(status)
    expect(said).not.toContain('"Docent"')
  })

  test('H21 chunk extensions and H24 an absolute address are read as HTTP says', async () => {
    const body = `${ask('x').length.toString(16)};ext=1\r\n${ask('x')}\r\n0\r\n\r\n`
    expect(
      statuses(
        await raw(
          `POST /api/v1/ask HTTP/1.1\r\n${host}content-type: application/json\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n${body}`,
          3_000,
        ),
      )[0],
    ).toBeLessThan(500)
    expect(
      statuses(await raw(`GET http://evil.example/metrics HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n`, 3_000)),
    ).toEqual([404])
  })

  test('H22 1,000 headers are no 500; H23 what is echoed is clean', async () => {
    const many = Array.from({ length: 1_000 }, (_, i) => `h${i}: 1\r\n`).join('')
    for (const status of statuses(await raw(`GET /healthz HTTP/1.1\r\n${host}Connection: close\r\n${many}\r\n`, 3_000)))
      expect(status).toBeLessThan(500)
    for (const id of ['a%0d%0aset-cookie:x', 'x'.repeat(200), '<script>', 'ä']) {
      const response = await fetch(`${gateway.url}/system/info`, { headers: { 'x-request-id': id, 'x-trace-id': id } })
      expect(response.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/)
      expect(response.headers.get('x-trace-id')).toMatch(/^[0-9a-f]{32}$/)
      expect(response.headers.get('set-cookie')).toBeNull()
    }
  })

  test('H26 what an address does not do is refused, even to the admin', async () => {
    const known = new Set(gateway.routes)
    const paths = [...new Set(gateway.routes.map((route) => route.split(' ')[1]!))]
    // GET takes HEAD along, and OPTIONS is CORS's
    const calls = paths.flatMap((path) =>
      ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'].filter((method) => !known.has(`${method} ${path}`)).map((method) => ({ method, path })),
    )
    const wrong: string[] = []
    await eachOf(calls, 8, async ({ method, path }) => {
      const target = path.replace(/:\w+/g, missing)
      const body = method === 'GET' ? {} : { body: '{}' }
      const { status } = await fetch(gateway.url + target, { method, headers: { ...owner, ...json }, ...body })
      // the last word of an address may be read as an id of another, which it is not: 400
      if (![400, 404, 405].includes(status)) wrong.push(`${method} ${path}: ${status}`)
    })
    expect(calls.length).toBeGreaterThan(100)
    expect(wrong).toEqual([])
  })

  test('H26 TRACE and CONNECT get nothing', async () => {
    for (const status of statuses(await raw(`TRACE / HTTP/1.1\r\n${host}x-secret: 1\r\nConnection: close\r\n\r\n`, 2_000)))
      expect([400, 404, 405]).toContain(status)
    expect(statuses(await raw(`CONNECT evil.example:443 HTTP/1.1\r\n${host}\r\n`, 2_000)).filter((status) => status < 300)).toEqual([])
  })

  test('H28 slow heads and bodies have an end', async () => {
    let seen: import('node:http').Server | undefined
    await using _server = await listen(express(), { host: '127.0.0.1', port: 0, onUpgrade: (server) => (seen = server) })
    expect(seen!.headersTimeout).toBe(20_000)
    expect(seen!.requestTimeout).toBe(60_000)
  })

  test('H17 an upload that is dropped half-way ends at both sides', async () => {
    const before = place.neighbours.seen.length
    const socket = connect(gateway.port, '127.0.0.1')
    socket.on('error', () => undefined)
    socket.write(
      `POST /api/v1/documents HTTP/1.1\r\n${host}authorization: Bearer ${adminKey}\r\ncontent-type: multipart/form-data; boundary=b\r\ncontent-length: 100000\r\n\r\n--b\r\n`,
    )
    await until('the upload has begun', () => place.neighbours.open() > 0 || undefined)
    socket.destroy()
    await until('the upload has ended', () => place.neighbours.open() === 0 || undefined)
    expect(place.neighbours.seen.length).toBe(before)
  })

  test('H29 idle connections hold nobody up', async () => {
    const sockets: Socket[] = []
    for (let i = 0; i < 500; i++) {
      const socket = connect(gateway.port, '127.0.0.1')
      socket.on('error', () => undefined)
      sockets.push(socket)
    }
    await Promise.all(sockets.map((socket) => (socket.connecting ? once(socket, 'connect') : undefined)))
    expect((await post(`${gateway.url}/api/v1/ask`, { question: '保修期是多久？' })).status).toBe(200)
    for (const socket of sockets) socket.destroy()
  })

  test('H33, H34 a WebSocket from a page of somebody else is refused, from a program it is answered', async () => {
    const url = `${gateway.url.replace('http', 'ws')}/ws/client-1`
    for (const origin of ['null', 'https://good.example.evil.com', 'http://good.example']) {
      const [error] = (await once(new WebSocket(url, { origin }), 'error')) as [Error]
      expect(error.message).toContain('403')
    }
    for (const options of [{}, { origin: 'https://good.example' }]) {
      const socket = new WebSocket(url, options)
      await once(socket, 'open')
      for (const text of [
        '',
        'null',
        '[]',
        '{"type":"ask"}',
        '{"type":"ask","question":"a\\u0000"}',
        '{"type":"stop","answerId":"x"}',
        '{"type":"root"}',
      ]) {
        socket.send(text)
        expect(JSON.parse(String((await once(socket, 'message'))[0]))).toMatchObject({
          type: 'error',
          code: expect.stringMatching(/^(invalid_json|validation)$/),
        })
      }
      socket.close()
    }
  })

  test('H38 a key of another user is another key', async () => {
    const answers = await Promise.all(
      ['one', 'two'].map(async (client) => {
        const response = await post(
          `${gateway.url}/api/v1/ask`,
          { question: '保修期？' },
          { 'x-client-id': client, 'idempotency-key': 'same' },
        )
        return ((await response.json()) as { id: string }).id
      }),
    )
    expect(new Set(answers).size).toBe(2)
  })

  test('H41 any language is a question, and nothing of it, escape codes least, reaches the log', async () => {
    const words = [
      '保修',
      'ضمان',
      'гарантия',
      '保証',
      '보증',
      'ประกัน',
      'אחריות',
      'εγγύηση',
      'वारंटी',
      'garantía',
      'bảo hành',
      'გარანტია',
      'երաշխիք',
      'গ্যারান্টি',
      'உத்தரவாதம்',
      'ዋስትና',
      'ការធានា',
      'garantie',
      'záruka',
      '🧑‍🚀',
    ]
    await eachOf(words, 8, async (word) => {
      const question = `${word} ${esc}[31mROOT${esc}[0m\r\n{"level":60,"msg":"forged"}?`
      const response = await post(`${gateway.url}/api/v1/ask`, { question })
      expect(response.status).toBe(200)
      await response.body?.cancel()
    })
    const log = readFileSync(logFile, 'utf8')
    expect(log).not.toContain(esc)
    expect(log).not.toContain('forged')
    expect(log).not.toContain('гарантия')
    for (const line of log.trim().split('\n')) expect(() => JSON.parse(line) as unknown).not.toThrow()
    // nothing above was an unexpected error
    expect(log).not.toContain('"code":"internal"')
  })
})
