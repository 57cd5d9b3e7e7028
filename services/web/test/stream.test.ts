import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { EventSource } from 'eventsource'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'

const id = '6f1c2f6e-9d0f-4a35-8a57-3d1f9a0c1b11'
const events = [
  ['meta', { answerId: id, conversationId: 'c' }],
  ['delta', { text: '保修期' }],
  ['delta', { text: '为 24 个月。' }],
  ['done', { state: 'done' }],
].map(([name, data], i) => `id: ${i + 1}\nevent: ${name}\ndata: ${JSON.stringify(data)}\n\n`)

let base: string
let script: (req: IncomingMessage, res: ServerResponse) => unknown
const seen: { method: string | undefined; lastId: string | string[] | undefined }[] = []
const server = createServer((req, res) => {
  seen.push({ method: req.method, lastId: req.headers['last-event-id'] })
  script(req, res)
})
const realFetch = globalThis.fetch
const stream = (res: ServerResponse, ...parts: string[]) => {
  res.writeHead(200, { 'content-type': 'text/event-stream' })
  for (const part of parts) res.write(part)
}

beforeAll(async () => {
  const kept = new Map<string, string>()
  const storage = { getItem: (key: string) => kept.get(key) ?? null, setItem: (key: string, value: string) => void kept.set(key, value) }
  Object.assign(globalThis, { localStorage: storage, sessionStorage: storage })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  globalThis.fetch = (path, init) => realFetch(new URL(String(path), base), init)
  class OnServer extends EventSource {
    constructor(path: string) {
      super(new URL(path, base), { fetch: (url, init) => realFetch(url, init) })
    }
  }
  Object.assign(globalThis, { EventSource: OnServer })
})
afterAll(() => {
  globalThis.fetch = realFetch
  server.closeAllConnections()
  server.close()
})
beforeEach(() => {
  seen.length = 0
})

async function askAll() {
  const { ask } = await import('../static/stream.js')
  const got: [string, string][] = []
  let cuts = 0
  await ask('how long?', undefined, (name, data) => got.push([name, data.text ?? data.state ?? '']), { onCut: () => void cuts++ })
  return { got, cuts }
}
const whole = [
  ['meta', ''],
  ['delta', '保修期'],
  ['delta', '为 24 个月。'],
  ['done', 'done'],
]

describe('asking', () => {
  it('reads a stream that arrives byte by byte', async () => {
    script = async (_req, res) => {
      stream(res)
      for (const byte of Buffer.from(`: \n\n${events.join('')}`)) if (!res.write(Buffer.of(byte))) await once(res, 'drain')
      res.end()
    }
    expect(await askAll()).toEqual({ got: whole, cuts: 0 })
  })

  it('goes on through an EventSource after a cut, with nothing lost or doubled', async () => {
    script = (req, res) => {
      if (req.method === 'POST') {
        stream(res, events[0]!, events[1]!, 'id: 3\nevent: del')
        setTimeout(() => res.destroy(), 20)
      } else if (seen.length === 2) {
        stream(res, 'retry: 10\n\n', events[0]!, events[1]!, events[2]!)
        setTimeout(() => res.destroy(), 20)
      } else {
        stream(res, events[3]!)
        res.end()
      }
    }
    expect(await askAll()).toEqual({ got: whole, cuts: 1 })
    expect(seen.map(({ lastId }) => lastId)).toEqual([undefined, undefined, '3'])
  })

  it('takes the stored answer when the events are no longer kept', async () => {
    script = (req, res) => {
      if (req.method === 'POST') {
        stream(res, events[0]!, events[1]!)
        setTimeout(() => res.destroy(), 20)
      } else if (req.url?.endsWith('/events')) res.writeHead(204).end()
      else
        res.writeHead(200, { 'content-type': 'application/json' }).end(
          JSON.stringify({
            id,
            conversationId: 'c',
            state: 'interrupted',
            text: '保修期为',
            sources: [],
            citations: [],
            warnings: [{ code: 'length', message: '被截断。' }],
          }),
        )
    }
    const { got } = await askAll()
    expect(got.slice(-3)).toEqual([
      ['delta', '保修期为'],
      ['warning', ''],
      ['interrupted', 'interrupted'],
    ])
  })

  it('throws the problem of a refused question', async () => {
    script = (_req, res) =>
      res
        .writeHead(429, { 'content-type': 'application/problem+json', 'retry-after': '7' })
        .end(JSON.stringify({ code: 'rate_limited', detail: 'Slower.' }))
    await expect(askAll()).rejects.toMatchObject({ status: 429, code: 'rate_limited', message: 'Slower.', retryAfterS: 7 })
  })
})
