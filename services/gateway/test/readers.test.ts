import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { openProxy } from '../../lib/testkit/src/tcp-proxy.ts'
import { until } from '../../lib/testkit/src/until.ts'
import { follow } from './follow.ts'
import { allEvents, changeSettings, eventsOf, post, type Received, textOf } from './harness.ts'
import { withModel } from './with-model.ts'

/** PROMISES row 46, beside crowd.test.ts and resume.test.ts: readers that are slow, that leave at each moment, that come back all at once. */
describe('readers who are slow, leave and come back', () => {
  const { scope, model, gateway } = withModel({ env: { STREAM_FLUSH_MS: '20' } })
  beforeAll(() => changeSettings(gateway, { maxTokens: 32_000 }))
  beforeEach(() => {
    model.mode = 'slow'
    model.pieceMs = 10
    model.pieces = Array.from({ length: 60 }, (_, i) => `词${i} [1]。`)
  })

  const begin = async () =>
    (await (await post(`${gateway.url}/api/v1/answers`, { question: `问 ${randomUUID()}`, async: true })).json()) as {
      answerId: string
      eventsUrl: string
    }

  /** Takes one byte off its socket each `everyMs`, until it is told to hurry. */
  async function drip(path: string, everyMs: number): Promise<{ socket: Socket; hurry(): void; taken: () => string }> {
    const bytes: number[] = []
    let isSlow = true
    const one = Buffer.alloc(1)
    const socket = connect({
      port: gateway.port,
      host: '127.0.0.1',
      onread: {
        buffer: one,
        callback: () => {
          bytes.push(one[0]!)
          return !isSlow
        },
      },
    })
    socket.on('error', () => undefined)
    await once(socket, 'connect')
    socket.write(`GET ${path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`)
    const timer = setInterval(() => socket.resume(), everyMs)
    scope.defer(() => {
      clearInterval(timer)
      socket.destroy()
    })
    return {
      socket,
      hurry() {
        isSlow = false
        socket.resume()
      },
      taken: () => Buffer.from(bytes).toString('utf8'),
    }
  }

  test('one that takes a byte a second holds up nobody, and has every byte in the end', async () => {
    const { eventsUrl } = await begin()
    const slow = await drip(eventsUrl, 1_000)
    const events = await allEvents(await fetch(gateway.url + eventsUrl))
    expect(events.at(-1)!.type).toBe('done')
    expect(textOf(events)).toBe(model.pieces.join(''))
    await until('it has taken some', () => slow.taken().length > 2 || undefined)
    expect('HTTP/1.1 200 OK'.startsWith(slow.taken().slice(0, 15))).toBe(true)
    slow.hurry()
    await once(slow.socket, 'close')
    const ids = [...slow.taken().matchAll(/^id: (\d+)$/gm)].map(([, id]) => Number(id))
    expect(ids).toEqual(events.map(({ id }) => id))
  })

  test('an answer whose only reader has stalled is stopped all the same, and the model is let go within a second', async () => {
    model.pieceMs = 20
    model.pieces = Array.from({ length: 120 }, () => '字'.repeat(4_000))
    const { answerId, eventsUrl } = await begin()
    const stalled = await drip(eventsUrl, 1_000)
    await until('it has begun to read', () => stalled.taken() !== '' || undefined)
    const before = model.hangUps.length
    const asked = performance.now()
    expect(await (await post(`${gateway.url}/api/v1/answers/${answerId}/stop`, {})).json()).toMatchObject({ state: 'stopped' })
    await until('the model saw the hang-up', () => model.hangUps.length > before || undefined)
    expect(model.hangUps.at(-1)! - asked).toBeLessThan(1_000)
  })

  test('a socket that never reads is cut, its answer is not', async () => {
    model.pieceMs = 0
    model.pieces = Array.from({ length: 120 }, () => '字'.repeat(4_000))
    const socket = new WebSocket(`${gateway.url.replace('http', 'ws')}/ws/stuck`)
    await once(socket, 'open')
    socket.on('error', () => undefined)
    const closed = once(socket, 'close')
    socket.pause()
    // more than the kernel takes, with what the gateway holds for one reader
    const before = model.requests.length
    for (let i = 0; i < 12; i++) socket.send(JSON.stringify({ type: 'ask', question: `塞满 ${randomUUID()}` }))
    await until('the gateway has cut it', () => !isEstablished(socket))
    await until('what was asked before is answered', () => model.requests.length > before && model.open() === 0)
    socket.resume()
    await closed
    model.pieces = ['在', '。']
    expect((await post(`${gateway.url}/api/v1/ask`, { question: '还在吗' })).status).toBe(200)
  })

  for (const [moment, type] of [
    ['S2, the question committed', undefined],
    ['S3, before the first word', 'sources'],
    ['S4, in mid-text', 'delta'],
    ['S5, after the last word', 'citation'],
    ['S6, before the end', 'usage'],
  ] as const) {
    test(`one that leaves at ${moment}, and comes back, gets each event once`, async () => {
      const leave = new AbortController()
      const response = await fetch(`${gateway.url}/api/v1/answers`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
        body: JSON.stringify({ question: `离开 ${randomUUID()}` }),
        signal: leave.signal,
      })
      const path = response.headers.get('location')!
      const events: Received[] = []
      if (type !== undefined) {
        for await (const event of eventsOf(response)) {
          events.push(event)
          if (event.type === type) break
        }
        expect(events.at(-1)!.type).toBe(type)
      }
      leave.abort()
      const rest = await fetch(`${gateway.url}${path}/events`, { headers: { 'last-event-id': String(events.at(-1)?.id ?? 0) } })
      events.push(...(await allEvents(rest)))
      expect(events.map(({ id }) => id)).toEqual(events.map((_, i) => i + 1))
      expect(events.at(-1)!.type).toBe('done')
      expect(await (await fetch(gateway.url + path)).json()).toMatchObject({ state: 'done', text: textOf(events) })
    })
  }

  test('H31 five hundred open streams of one reader hold nobody up', async () => {
    model.mode = 'silent'
    const mine = await begin()
    const sockets = Array.from({ length: 500 }, () => connect(gateway.port, '127.0.0.1').on('error', () => undefined))
    const said = sockets.map((socket) => {
      const heard = { text: '' }
      socket.on('data', (bytes) => {
        heard.text += String(bytes)
      })
      socket.write(`GET ${mine.eventsUrl} HTTP/1.1\r\nhost: x\r\n\r\n`)
      return heard
    })
    await until('all of them read', () => said.every(({ text }) => text.includes('event: sources')) || undefined)
    model.mode = 'good'
    model.pieceMs = 0
    expect(await (await post(`${gateway.url}/api/v1/ask`, { question: `另一问 ${randomUUID()}` })).json()).toMatchObject({ state: 'done' })
    for (const socket of sockets) socket.destroy()
    await post(`${gateway.url}/api/v1/answers/${mine.answerId}/stop`, {})
  })

  test('H32 a hundred that lose their connection at once and come back at once get each event once; a new question is answered meanwhile', async () => {
    model.pieceMs = 20
    model.pieces = Array.from({ length: 250 }, (_, i) => `词${i} `)
    const door = scope.use(await openProxy(gateway.port))
    const { eventsUrl } = await begin()
    const readers = Array.from({ length: 100 }, () => follow(`http://127.0.0.1:${door.port}${eventsUrl}`))
    await until('every reader has text', () => readers.every(({ events }) => textOf(events) !== '') || undefined)
    door.cut()
    model.pieces = ['很快', '。']
    expect(await (await post(`${gateway.url}/api/v1/ask`, { question: `插队 ${randomUUID()}` })).json()).toMatchObject({ text: '很快。' })
    await Promise.all(readers.map(({ closed }) => closed))
    const [first] = readers
    expect(first!.events.map(({ id }) => id)).toEqual(first!.events.map((_, i) => i + 1))
    expect(first!.events.at(-1)!.type).toBe('done')
    for (const { events } of readers) expect(events).toEqual(first!.events)
  })
})

/** The gateway's end of it, as the kernel has it: a socket that does not read hears of nothing. */
function isEstablished(socket: WebSocket): boolean {
  const { localPort } = (socket as unknown as { _socket: Socket })._socket
  const own = `:${localPort!.toString(16).toUpperCase().padStart(4, '0')}`
  const rows = readFileSync('/proc/net/tcp', 'utf8').split('\n')
  return rows.map((row) => row.trim().split(/\s+/)).some(([, , remote, state]) => remote?.endsWith(own) && state === '01')
}
