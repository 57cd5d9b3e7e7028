import { isUtf8 } from 'node:buffer'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { AppError, errorTable, toAppError } from '@docent/core/errors'
import express, { type ErrorRequestHandler, type Express, type Request, type RequestHandler, type Response, type Router } from 'express'
import type { Histogram } from 'prom-client'
import type { Log } from './logger.ts'

declare global {
  // biome-ignore lint/suspicious/noRedeclare: this is how @types/express lets a request be extended
  namespace Express {
    interface Request {
      requestId: string
      traceId: string
    }
  }
}

const IDLE_LOOK_MS = 25

export type AppOptions = {
  log: Log
  routers: readonly (Router | RequestHandler)[]
  seconds?: Histogram<'route' | 'method' | 'status'>
  bodyLimit?: string
  /** addresses whose JSON may be larger */
  largerBodies?: Record<string, string>
  /** e.g. CORS, security headers; run before everything else */
  before?: readonly RequestHandler[]
  /** what clients of some addresses look for in an error, beside the problem */
  besideProblem?: (problem: Problem, req: Request) => object
}

/** Request and trace ids, JSON bodies, routers, 404 and problem+json: the HTTP boundary of every service. */
export function createApp(options: AppOptions): Express {
  const { log, routers, seconds, bodyLimit = '256kb', largerBodies = {}, before = [], besideProblem = () => ({}) } = options
  const app = express()
  app.disable('x-powered-by')
  app.set('query parser', 'simple')
  app.use(identify)
  app.use((req, res, next) => {
    const started = performance.now()
    res.on('finish', () => {
      const route = req.route ? String(req.route.path) : 'none'
      seconds?.observe({ route, method: req.method, status: String(res.statusCode) }, (performance.now() - started) / 1000)
    })
    next()
  })
  for (const handler of before) app.use(handler)
  const json = (limit: string) => express.json({ limit, strict: false, verify: refuseBroken })
  for (const [path, limit] of Object.entries(largerBodies)) app.use(path, json(limit))
  app.use(json(bodyLimit))
  for (const router of routers) app.use(router)
  app.use((_req, _res, next) => next(new AppError('not_found', 'No such address; see /docs for those that exist.')))
  app.use(problemHandler(log, besideProblem))
  return app
}

const idPattern = /^[\w.:-]{1,128}$/
const traceparent = /^00-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}$/

function identify(req: Request, res: Response, next: () => void): void {
  const given = req.get('x-request-id')
  req.requestId = given && idPattern.test(given) ? given : randomUUID()
  const trace = req.get('x-trace-id')
  req.traceId =
    trace && idPattern.test(trace) ? trace : (traceparent.exec(req.get('traceparent') ?? '')?.[1] ?? randomUUID().replaceAll('-', ''))
  res.set('x-request-id', req.requestId)
  res.set('x-trace-id', req.traceId)
  next()
}

/** Broken bytes would be taken for replacement characters, and stored as if they had been said. */
function refuseBroken(_req: unknown, _res: unknown, body: Buffer, encoding: string): void {
  if (encoding === 'utf-8' && !isUtf8(body)) throw new Error('The body is not UTF-8.')
}

/** One JSON shape for every error: RFC 9457 problem details with a stable code. */
export type Problem = ReturnType<typeof problemOf>
export function problemOf(error: AppError, requestId: string) {
  return {
    type: `https://docent.invalid/problems/${error.code}`,
    title: errorTable[error.code][2],
    status: error.status,
    code: error.code,
    detail: error.message,
    requestId,
    ...(error.errors ? { errors: error.errors } : {}),
  }
}

function problemHandler(log: Log, beside: NonNullable<AppOptions['besideProblem']>): ErrorRequestHandler {
  return (thrown, req, res, next) => {
    const error = fromExpress(thrown)
    if (error.status >= 500) log.error({ requestId: req.requestId, code: error.code, err: error.cause ?? error }, 'request failed')
    if (res.headersSent) return void (res.writableEnded ? undefined : res.destroy())
    if (error.retryAfterS !== undefined) res.set('retry-after', String(Math.ceil(error.retryAfterS)))
    else if (error.status === 503) res.set('retry-after', '2')
    const problem = problemOf(error, req.requestId)
    res
      .status(error.status)
      .type('application/problem+json')
      .send(JSON.stringify({ ...problem, ...beside(problem, req) }))
    void next
  }
}

/** body-parser and the router throw errors of their own with a status and a type. */
function fromExpress(thrown: unknown): AppError {
  if (thrown instanceof AppError) return thrown
  const { status, type } = (typeof thrown === 'object' && thrown !== null ? thrown : {}) as { status?: number; type?: string }
  if (type === 'entity.parse.failed' || type === 'entity.verify.failed')
    return new AppError('invalid_json', 'Send a JSON object in UTF-8, with content-type application/json.', { cause: thrown })
  if (type === 'entity.too.large') return new AppError('payload_too_large', 'Send less in one request.', { cause: thrown })
  if (status === 415) return new AppError('unsupported_media_type', 'Send UTF-8 JSON without an unknown encoding.', { cause: thrown })
  if (typeof status === 'number' && status >= 400 && status < 500)
    return new AppError('bad_request', 'The request is malformed.', { cause: thrown })
  return toAppError(thrown)
}

/** Listens; disposal stops taking connections, lets requests finish for `drainMs`, then cuts them. */
export async function listen(
  app: Express,
  {
    host = '0.0.0.0',
    port,
    drainMs = 5_000,
    onUpgrade,
  }: { host?: string; port: number; drainMs?: number; onUpgrade?: (server: import('node:http').Server) => void },
): Promise<AsyncDisposable & { port: number; url: string }> {
  const server = createServer({ maxHeaderSize: 16_384, requestTimeout: 60_000, headersTimeout: 20_000 }, app)
  onUpgrade?.(server)
  // Connected and without a request yet: Node does not count these as idle, and would wait for them.
  const unused = new Set<Socket>()
  server.on('connection', (socket) => {
    unused.add(socket)
    socket.once('close', () => unused.delete(socket))
  })
  server.on('request', (req) => unused.delete(req.socket))
  server.on('upgrade', (req) => unused.delete(req.socket))
  server.listen(port, host)
  await once(server, 'listening')
  const bound = (server.address() as AddressInfo).port
  return {
    port: bound,
    url: `http://${host === '0.0.0.0' ? '127.0.0.1' : host}:${bound}`,
    async [Symbol.asyncDispose]() {
      const closed = new Promise((done) => server.close(done))
      const closeIdle = () => {
        server.closeIdleConnections()
        for (const socket of unused) socket.destroy()
      }
      closeIdle()
      // Again and again: a connection whose answer ends now would otherwise be kept alive for seconds.
      const again = setInterval(closeIdle, IDLE_LOOK_MS)
      const cut = setTimeout(() => server.closeAllConnections(), drainMs)
      await closed
      clearTimeout(cut)
      clearInterval(again)
    },
  }
}
