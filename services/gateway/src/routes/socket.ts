import { randomUUID } from 'node:crypto'
import type { IncomingMessage, Server } from 'node:http'
import type { Duplex } from 'node:stream'
import { AppError, toAppError } from '@docent/core/errors'
import type { Principal } from '@docent/core/principal'
import { type WebSocket, WebSocketServer } from 'ws'
import { z } from 'zod'
import type { GatewayDeps } from '../deps.ts'
import { isOwnOrigin } from '../guard/headers.ts'
import { nameOfClient } from '../guard/principal.ts'
import { AskBody } from './ask-body.ts'
import { isPerson } from './follow.ts'

const path = /^\/ws\/([\w.:-]{1,128})$/
const Incoming = z.union([
  AskBody.pick({ question: true, conversationId: true, persona: true, collection: true, rerank: true }).extend({ type: z.literal('ask') }),
  z.strictObject({ type: z.literal('stop'), answerId: z.uuid() }),
  z.strictObject({ type: z.literal('ping') }),
])
const MAX_MESSAGE_BYTES = 64 * 1024
const PING_MS = 25_000
const MAX_BUFFERED_BYTES = 1024 * 1024

/** WS /ws/:clientId: {type: 'ask', question} in, answer events as {type, id, …data} out. */
export function acceptSockets(http: Server, deps: GatewayDeps, limit: (address: string) => Promise<void>): AsyncDisposable {
  const server = new WebSocketServer({ noServer: true, maxPayload: MAX_MESSAGE_BYTES, perMessageDeflate: false })
  http.on('upgrade', (req: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', () => socket.destroy())
    const { pathname } = new URL(req.url ?? '/', 'http://localhost')
    const clientId = path.exec(pathname)?.[1]
    if (!clientId) return refuse(socket, '404 Not Found')
    let person: Principal | undefined
    try {
      person = deps.signIn.byHeaders(req, 'POST') // what a socket brings are questions
    } catch (error) {
      return refuse(socket, toAppError(error).status === 403 ? '403 Forbidden' : '401 Unauthorized')
    }
    if (deps.config.guard.access === 'keys' && !person) return refuse(socket, '401 Unauthorized')
    // browsers send Origin with every upgrade and CORS does not guard it
    if (!isOwnOrigin(req.headers.origin, req.headers['x-forwarded-host']?.toString() ?? req.headers.host, deps.config.guard.allowedOrigins))
      return refuse(socket, '403 Forbidden')
    server.handleUpgrade(req, socket, head, (ws) => serve(ws, person ?? anonymous(clientId), req))
  })

  function serve(ws: WebSocket, principal: Principal, req: IncomingMessage): void {
    const address = addressOf(req, deps.config.http.trustProxy)
    const left = new AbortController()
    const send = (message: object) => {
      if (ws.readyState !== ws.OPEN) return
      // a reader that does not read is cut; the answer itself can be resumed over HTTP
      if (ws.bufferedAmount > MAX_BUFFERED_BYTES) ws.terminate()
      else ws.send(JSON.stringify(message))
    }
    const ping = setInterval(() => ws.ping(), PING_MS)
    ws.on('close', () => {
      clearInterval(ping)
      left.abort()
    })
    ws.on('error', () => ws.terminate())
    ws.on('message', (bytes, isBinary) => {
      answer(isBinary ? '' : bytes.toString()).catch((thrown: unknown) => {
        const error = toAppError(thrown)
        if (error.code === 'internal') deps.log.error({ err: error.cause }, 'a socket message failed')
        send({ type: 'error', state: 'error', code: error.code, message: error.message })
      })
    })

    async function answer(text: string): Promise<void> {
      let json: unknown
      try {
        json = JSON.parse(text)
      } catch {
        throw new AppError('invalid_json', 'Send JSON text, like {"type":"ask","question":"…"}.')
      }
      const message = Incoming.safeParse(json)
      if (!message.success) throw new AppError('validation', 'Send {"type":"ask","question":"…"} or {"type":"stop","answerId":"…"}.')
      if (message.data.type === 'ping') return send({ type: 'pong' })
      if (message.data.type === 'stop') {
        const asker = deps.answers.askerOf(message.data.answerId)
        const isOwn = asker === undefined || !isPerson(asker) || asker === principal.id || principal.kind === 'admin'
        return void (isOwn && (await deps.answers.stop(message.data.answerId)))
      }
      await limit(principal.kind === 'anonymous' ? address : principal.id)
      const { type: _type, collection, ...ask } = message.data
      const asker = { principal, requestId: randomUUID(), traceId: randomUUID().replaceAll('-', '') }
      const { answerId } = await deps.answers.begin({ ...ask, ...(collection ? { filters: { collection } } : {}) }, asker)
      for await (const batch of deps.streams.read(answerId, 0, left.signal)) {
        for (const { id: eventId, type, data } of batch) send({ type, id: eventId, answerId, ...(JSON.parse(data) as object) })
      }
    }
  }

  return {
    async [Symbol.asyncDispose]() {
      for (const ws of server.clients) ws.close(1001, 'restart')
      const cut = setTimeout(() => {
        for (const ws of server.clients) ws.terminate()
      }, 1_000)
      await new Promise((done) => server.close(done))
      clearTimeout(cut)
    },
  }
}

function anonymous(clientId: string): Principal {
  return { id: nameOfClient(clientId), kind: 'anonymous', scopes: ['chat'] }
}

function refuse(socket: Duplex, status: string): void {
  socket.end(`HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`)
}

/** The same rule as express' trust proxy: the n-th address from the right is believed. */
function addressOf(req: IncomingMessage, hops: number): string {
  const forwarded = (req.headers['x-forwarded-for'] ?? '')
    .toString()
    .split(',')
    .map((part) => part.trim())
    .filter(Boolean)
  return (hops > 0 ? forwarded.at(-hops) : undefined) ?? req.socket.remoteAddress ?? 'unknown'
}
