import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { nginxCommand } from '../../lib/testkit/assets/programs.ts'
import { type MockUpstream, openMockUpstream } from '../../lib/testkit/src/mock-upstream.ts'
import { type Nginx, startFrontNginx, startNginx } from '../../lib/testkit/src/start-nginx.ts'
import { until } from '../../lib/testkit/src/until.ts'
import type { Gateway } from '../src/gateway-service.ts'
import { startChild } from './child.ts'
import { follow } from './follow.ts'
import { eventsOf, openPlace, type Place, post, type Received, startAt, textOf } from './harness.ts'

const slow = { mode: 'slow', pieceMs: 20, pieces: Array.from({ length: 70 }, (_, i) => `词${i} `) } as const satisfies Parameters<
  typeof openMockUpstream
>[0]
const envOf = ({ url }: MockUpstream) => ({ LLM_BASE_URL: url, LLM_MODEL: 'mock', STREAM_FLUSH_MS: '20', TRUST_PROXY: '1' })

const inTurn = { concurrent: false }

// one nginx is reloaded and killed here: in turn, while the frozen gateway below is waited for
describe.concurrent('streams through nginx', () => {
  const scope = new AsyncDisposableStack()
  let place: Place
  let model: MockUpstream
  let gateway: Gateway
  let other: Gateway
  let nginx: Nginx
  beforeAll(async () => {
    place = await openPlace(scope)
    model = scope.use(await openMockUpstream(slow))
    gateway = await startAt(place, scope, envOf(model))
    other = await startAt(place, scope, envOf(model))
    nginx = await startNginx(nginxCommand(), gateway.port, scope)
  })
  afterAll(() => scope.disposeAsync())
  const begin = async () =>
    (await (await post(`${nginx.url}/api/v1/answers`, { question: `穿过 ${randomUUID()}`, async: true })).json()) as {
      answerId: string
      eventsUrl: string
    }

  test('a reload cuts no stream, not even when it leads to another replica; text still arrives in pieces', inTurn, async () => {
    const streams = await Promise.all(
      Array.from({ length: 5 }, () =>
        post(`${nginx.url}/api/v1/answers`, { question: `重载 ${randomUUID()}` }, { accept: 'text/event-stream' }),
      ),
    )
    const seen = streams.map((): Received[] => [])
    const reading = streams.map(async (response, i) => {
      for await (const event of eventsOf(response)) seen[i]!.push(event)
    })
    await until('every stream has text', () => seen.every((events) => textOf(events) !== '') || undefined)
    await nginx.reload(other.port)
    expect(seen.some((events) => events.at(-1)!.type === 'done')).toBe(false)
    const { eventsUrl } = await begin() // through the new workers
    await Promise.all(reading)
    for (const events of seen) {
      expect(events.map(({ id }) => id)).toEqual(events.map((_, i) => i + 1))
      expect(textOf(events)).toBe(model.pieces.join(''))
      expect(events.filter(({ type }) => type === 'delta').length).toBeGreaterThan(10)
    }
    expect(other.url).not.toBe(gateway.url)
    expect(eventsUrl).toMatch(/events$/)
    await nginx.reload(gateway.port)
  })

  test('a second proxy in front, which buffers and compresses as it comes: text arrives while it is being written', inTurn, async () => {
    const front = await startFrontNginx(nginxCommand(), nginx, scope)
    const question = () => ({ question: `两层代理 ${randomUUID()}` })
    const begun = await post(`${front}/api/v1/answers`, { ...question(), async: true })
    const { eventsUrl } = (await begun.json()) as { eventsUrl: string }
    const messages = [{ role: 'user', content: question().question }]
    for (const open of [
      () => fetch(front + eventsUrl),
      () => post(`${front}/api/v1/answers`, question(), { accept: 'text/event-stream' }),
      () => post(`${front}/api/ask_stream`, question()),
      () => post(`${front}/v1/chat/completions`, { stream: true, messages }),
    ]) {
      const response = await open()
      let atFirst: number | undefined
      let text = ''
      const decoder = new TextDecoder()
      for await (const bytes of response.body!) {
        text += decoder.decode(bytes as Uint8Array, { stream: true })
        if (text.includes('词0')) atFirst ??= text.length
      }
      expect(text).toContain('词69')
      expect(atFirst).toBeLessThan(text.length / 2)
    }
  })

  test('a link in an answer to an OpenAI client leads through nginx, at the port that was asked', inTurn, async () => {
    const messages = [{ role: 'user', content: `链接 ${randomUUID()}` }]
    const { choices } = (await (await post(`${nginx.url}/v1/chat/completions`, { messages })).json()) as {
      choices: { message: { annotations: { url_citation: { url: string } }[] } }[]
    }
    const { url } = choices[0]!.message.annotations[0]!.url_citation
    expect(new URL(url).origin).toBe(nginx.url)
    expect((await fetch(url)).status).toBe(200)
  })

  test('a page that was opened at another port than 443 may open its WebSocket, another web site may not', inTurn, async () => {
    const stateOf = async (origin: string) => {
      const socket = new WebSocket(`${nginx.url.replace('http', 'ws')}/ws/${randomUUID()}`, { origin })
      const state = await once(socket, 'open').then(
        () => 'open',
        (error: unknown) => String(error),
      )
      socket.terminate()
      return state
    }
    expect(await stateOf(nginx.url)).toBe('open')
    expect(await stateOf('https://elsewhere.example')).toContain('403')
  })

  test('nginx killed in mid-answer: every EventSource comes back and has the whole answer, byte for byte', inTurn, async () => {
    const begun = await Promise.all(Array.from({ length: 5 }, begin))
    const followed = begun.map(({ answerId, eventsUrl }) => ({ answerId, ...follow(nginx.url + eventsUrl) }))
    await until('every reader has text', () => followed.every(({ events }) => textOf(events) !== '') || undefined)
    await nginx.kill()
    await nginx.start()
    await Promise.all(followed.map(({ closed }) => closed))
    for (const { answerId, events } of followed) {
      expect(events.map(({ id }) => id)).toEqual(events.map((_, i) => i + 1))
      const stored = (await (await fetch(`${gateway.url}/api/v1/answers/${answerId}`)).json()) as { state: string; text: string }
      expect(stored).toMatchObject({ state: 'done', text: textOf(events) })
    }
  })

  test('no gateway behind nginx: an EventSource is told to come back, and does', inTurn, async () => {
    const { eventsUrl } = await begin()
    await nginx.reload(1) // a port where nobody listens
    // a connection kept alive is still the old worker's
    const said = await until('a new worker answers', async () => {
      const response = await fetch(nginx.url + eventsUrl)
      const text = await response.text()
      return text.includes('event:') ? undefined : { status: response.status, type: response.headers.get('content-type'), text }
    })
    expect(said).toEqual({ status: 200, type: 'text/event-stream', text: 'retry: 2000\n\n' })
    const { events, closed } = follow(nginx.url + eventsUrl)
    await nginx.reload(other.port)
    await closed
    expect(events.at(-1)!.type).toBe('done')
    expect(textOf(events)).toBe(model.pieces.join(''))
    await nginx.reload(gateway.port)
  })
})

describe.concurrent('a frozen gateway behind nginx', () => {
  const scope = new AsyncDisposableStack()
  afterAll(() => scope.disposeAsync())

  test('a gateway that freezes in mid-answer: nginx ends what says nothing, and the EventSource ends at the other with the stored text', {
    timeout: 180_000,
  }, async () => {
    const place = await openPlace(scope)
    const model = scope.use(await openMockUpstream(slow))
    const victim = await startChild(place, scope, envOf(model))
    const sweeping = await startAt(place, scope, envOf(model), { orphanMs: 4_000, sweepMs: 300, settleMs: 1_200 })
    // a heartbeat comes each 10 s
    const own = await startNginx(nginxCommand(), victim.port, scope, { silenceS: 12 })
    const asked = await post(`${own.url}/api/v1/answers`, { question: `冻住 ${randomUUID()}`, async: true })
    const { answerId, eventsUrl } = (await asked.json()) as { answerId: string; eventsUrl: string }
    const { events, closed } = follow(own.url + eventsUrl)
    await until('text is shown', () => textOf(events) !== '' || undefined)
    const calls = model.requests.length
    victim.process.kill('SIGSTOP')
    await own.reload(sweeping.port)
    await closed
    expect(events.map(({ id }) => id)).toEqual(events.map((_, i) => i + 1))
    expect(events.at(-1)!.type).toBe('interrupted')
    const stored = (await (await fetch(`${sweeping.url}/api/v1/answers/${answerId}`)).json()) as { state: string; text: string }
    expect(stored).toMatchObject({ state: 'interrupted', text: textOf(events) })
    expect(model.requests.length).toBe(calls)
  })
})
