import { once } from 'node:events'
import { chmod, mkdir, rm } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { dirname } from 'node:path'
import { createLogger, type Log } from '@docent/kit/logger'
import { z } from 'zod'
import { type Children, createChildren } from './children.ts'
import { openCodeCache } from './code-cache.ts'
import { type Counters, countExtraction, createCounters } from './counters.ts'
import { ExtractFailure } from './failure.ts'
import { openDocument } from './open-document.ts'
import { layOutTessdata } from './tessdata.ts'
import type { Progress } from './types.ts'

export type ExtractorConfig = {
  root: string
  socket: string
  childMemoryMb?: number
  timeoutMs?: number
  maxOutputBytes?: number
  maxFileBytes?: number
  concurrency?: number
  /** absent: OCR is off */
  ocr?: { maxPages: number } | { whyNot: string }
  log?: string
  /** A log file instead of stdout: what `npm start` uses. */
  logFile?: string
}

const MB = 1024 * 1024
const MAX_BODY_BYTES = 64 * 1024
const LINES = 'application/x-ndjson'

const ExtractBody = z.object({
  path: z.string().min(1).max(4096),
  maxBytes: z.number().int().positive().optional(),
  progress: z.boolean().default(false),
})

type Deps = { config: ExtractorConfig; children: Children; counters: Counters; log: Log }

/** Answers over a Unix socket: the service needs no network, and has none. */
export async function startExtractor(config: ExtractorConfig, scope: AsyncDisposableStack): Promise<void> {
  const log = createLogger('extractor', config.log ?? 'info', config.logFile)
  const ocr = config.ocr && 'maxPages' in config.ocr ? { ...config.ocr, tessdata: await layOutTessdata(scope) } : config.ocr
  const memoryMb = config.childMemoryMb ?? 256
  const children = scope.use(
    createChildren({
      memoryMb,
      codeCache: openCodeCache(memoryMb, log, scope),
      timeoutMs: config.timeoutMs ?? 60_000,
      maxOutputBytes: config.maxOutputBytes ?? 20 * MB,
      concurrency: config.concurrency ?? 1,
      ...(ocr ? { ocr } : {}),
    }),
  )
  const deps: Deps = { config, children, counters: createCounters(), log }
  // requestTimeout bounds the sending of a request; the answer may take as long as the queue before it.
  const server = createServer({ requestTimeout: 30_000, headersTimeout: 10_000 }, (req, res) => void handle(req, res, deps))
  await mkdir(dirname(config.socket), { recursive: true })
  await rm(config.socket, { force: true })
  server.listen(config.socket)
  await once(server, 'listening')
  // Ingest runs in another container under the same user or group; nobody else may ask.
  await chmod(config.socket, 0o660)
  scope.defer(async () => {
    const closed = new Promise((resolve) => server.close(resolve))
    server.closeAllConnections()
    await closed
  })
  log.info({ socket: config.socket }, 'the extractor listens')
}

async function handle(req: IncomingMessage, res: ServerResponse, deps: Deps): Promise<void> {
  const route = `${req.method} ${req.url?.split('?')[0]}`
  if (route === 'GET /healthz') return send(res, 200, { status: 'ok' })
  if (route === 'GET /metrics.json') return send(res, 200, deps.counters)
  if (route !== 'POST /extract')
    return sendProblem(res, 404, { code: 'not_found', detail: 'There are POST /extract, GET /healthz and GET /metrics.json.' })
  const left = new AbortController()
  res.once('close', () => left.abort())
  try {
    const body = await extractOne(req, deps, left.signal, (progress) => sendLine(res, progress))
    send(res, 200, body)
  } catch (error) {
    if (left.signal.aborted) return
    if (error instanceof ExtractFailure) return sendProblem(res, error.status, error)
    deps.log.error({ err: error }, 'an unexpected error in the extractor')
    sendProblem(res, 500, { code: 'internal', detail: 'An unexpected error; the log of the extractor has the details.' })
  }
}

async function extractOne(
  req: IncomingMessage,
  { config, children, counters, log }: Deps,
  left: AbortSignal,
  tell: (progress: Progress) => void,
): Promise<Buffer> {
  const { path, maxBytes, progress } = await readBody(req)
  const started = performance.now()
  let outcome = 'ok'
  counters.active++
  try {
    const limit = Math.min(maxBytes ?? Number.POSITIVE_INFINITY, config.maxFileBytes ?? 50 * MB)
    const { handle, size } = await openDocument(config.root, path, limit)
    await using _file = { [Symbol.asyncDispose]: () => handle.close() }
    counters.bytesTotal += size
    return await children.run({ path, size, handle }, left, progress ? tell : undefined)
  } catch (error) {
    outcome = error instanceof ExtractFailure ? error.code : left.aborted ? 'left' : 'internal'
    if (error instanceof ExtractFailure) log.warn({ path, code: error.code, cause: error.cause }, 'a document was not extracted')
    throw error
  } finally {
    counters.active--
    countExtraction(counters, path, outcome, (performance.now() - started) / 1000)
  }
}

async function readBody(req: IncomingMessage): Promise<z.infer<typeof ExtractBody>> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of req as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > MAX_BODY_BYTES) throw new ExtractFailure('bad_request')
    chunks.push(chunk)
  }
  const body = ExtractBody.safeParse(parseJson(Buffer.concat(chunks).toString('utf8')))
  if (!body.success) throw new ExtractFailure('bad_request')
  return body.data
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new ExtractFailure('bad_request', undefined, { cause: error })
  }
}

/** How far the document is, before the answer; the first such line begins it. */
function sendLine(res: ServerResponse, line: object): void {
  if (res.destroyed) return
  if (!res.headersSent) res.writeHead(200, { 'content-type': LINES })
  res.write(`${JSON.stringify(line)}\n`)
}

/** After lines of progress the status is a line, too. */
function send(res: ServerResponse, status: number, content: object, type = 'application/json'): void {
  const body = Buffer.isBuffer(content) ? content : Buffer.from(JSON.stringify(content))
  if (res.headersSent) sendLine(res, { status })
  else res.writeHead(status, { 'content-type': type, 'content-length': body.length })
  res.end(body)
}

function sendProblem(res: ServerResponse, status: number, { code, detail }: { code: string; detail: string }): void {
  send(res, status, { type: 'about:blank', title: code, status, code, detail }, 'application/problem+json')
}
