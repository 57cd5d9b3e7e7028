import { type IncomingMessage, request } from 'node:http'
import { Extracted, Progress } from '@docent/core/document'
import { AppError, isErrorCode } from '@docent/core/errors'

/** Asks the extractor over its Unix socket. Its codes arrive as AppErrors; silence is `unavailable`. */
export type Extractor = {
  extract(path: string, signal: AbortSignal, watch?: Watch): Promise<Extracted>
  alive(signal: AbortSignal): Promise<void>
  counters(signal: AbortSignal): Promise<Record<string, unknown>>
}

/** What happens before a text is here. Nothing more is read while one of them runs, and what it throws is the extraction's error. */
export type Watch = {
  /** how far the document is; of several lines at once the last */
  progress(progress: Progress): Promise<void>
  /** when the text begins to arrive, before it is taken in */
  arrives(): Promise<void>
}

type Answer = { status: number; body: unknown }

const LINE_BYTES = 1_000
const EXTRACT_MS = 25 * 60_000 // the extractor bounds each document itself: a minute, and ten more for 100 pages by OCR; one may wait for another

export function createExtractClient(socketPath: string): Extractor {
  async function call(method: string, path: string, body: unknown, signal: AbortSignal, watch?: Watch): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const fail = (cause: unknown) => {
        if (signal.aborted) reject(signal.reason)
        else reject(cause instanceof AppError ? cause : new AppError('unavailable', 'The extractor does not answer.', { cause }))
      }
      const req = request({ socketPath, method, path, signal, headers: { 'content-type': 'application/json' } }, async (res) => {
        try {
          resolve(await readAnswer(res, watch))
        } catch (cause) {
          fail(cause)
        }
      })
      req.on('error', fail)
      req.end(body === undefined ? undefined : JSON.stringify(body))
    })
  }
  return {
    async extract(path, signal, watch) {
      const body = { path, progress: watch !== undefined }
      const answer = await call('POST', '/extract', body, AbortSignal.any([signal, AbortSignal.timeout(EXTRACT_MS)]), watch)
      if (answer.status === 200) return Extracted.parse(answer.body)
      const { code, detail } = answer.body as { code?: unknown; detail?: string }
      throw new AppError(isErrorCode(code) ? code : 'unavailable', detail ?? 'The extractor answered without a reason.')
    },
    async alive(signal) {
      const { status } = await call('GET', '/healthz', undefined, signal)
      if (status !== 200) throw new AppError('unavailable', `The extractor answered ${status}.`)
    },
    async counters(signal) {
      return (await call('GET', '/metrics.json', undefined, signal)).body as Record<string, unknown>
    },
  }
}

/** The answer; or lines of progress and one with the status before it. */
async function readAnswer(res: IncomingMessage, watch: Watch | undefined): Promise<Answer> {
  let status = res.headers['content-type'] === 'application/x-ndjson' ? undefined : (res.statusCode ?? 0)
  let parts: Buffer[] = []
  if (status === 200) await watch?.arrives()
  for await (const part of res) {
    parts.push(part as Buffer)
    if (status !== undefined) continue
    const begun = readLines(Buffer.concat(parts))
    status = begun.status
    parts = [begun.rest]
    if (begun.progress) await watch?.progress(begun.progress)
    if (status === 200) await watch?.arrives()
  }
  if (status === undefined) throw new Error('the answer was cut off')
  return { status, body: JSON.parse(Buffer.concat(parts).toString('utf8')) }
}

/** Whole lines up to the one with the status: the last progress among them, that status, and what follows. */
function readLines(bytes: Buffer): { progress?: Progress; status?: number; rest: Buffer } {
  let from = 0
  let progress: Progress | undefined
  for (let end = bytes.indexOf(10, from); end >= 0; end = bytes.indexOf(10, from)) {
    const line = JSON.parse(bytes.toString('utf8', from, end)) as { status?: unknown }
    from = end + 1
    if (typeof line.status === 'number') return { ...(progress ? { progress } : {}), status: line.status, rest: bytes.subarray(from) }
    progress = Progress.parse(line)
  }
  if (bytes.length - from > LINE_BYTES) throw new Error('a line of progress has no end')
  return { ...(progress ? { progress } : {}), rest: bytes.subarray(from) }
}
