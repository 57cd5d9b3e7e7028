import { request } from 'node:http'
import { Extracted } from '@docent/core/document'
import { AppError, isErrorCode } from '@docent/core/errors'

/** Asks the extractor over its Unix socket. Its codes arrive as AppErrors; silence is `unavailable`. */
export type Extractor = {
  /** `arrives` runs when the answer begins, before any of its text is taken in */
  extract(path: string, signal: AbortSignal, arrives?: () => Promise<void>): Promise<Extracted>
  alive(signal: AbortSignal): Promise<void>
  counters(signal: AbortSignal): Promise<Record<string, unknown>>
}

const EXTRACT_MS = 25 * 60_000 // the extractor bounds each document itself: a minute, and ten more for 100 pages by OCR; one may wait for another

export function createExtractClient(socketPath: string): Extractor {
  async function call(
    method: string,
    path: string,
    body: unknown,
    signal: AbortSignal,
    arrives?: () => Promise<void>,
  ): Promise<{ status: number; body: unknown }> {
    return new Promise((resolve, reject) => {
      const fail = (cause: unknown) =>
        reject(signal.aborted ? signal.reason : new AppError('unavailable', 'The extractor does not answer.', { cause }))
      const req = request({ socketPath, method, path, signal, headers: { 'content-type': 'application/json' } }, async (res) => {
        try {
          if (res.statusCode === 200) await arrives?.()
          const parts: Buffer[] = []
          for await (const part of res) parts.push(part as Buffer)
          resolve({ status: res.statusCode ?? 0, body: JSON.parse(Buffer.concat(parts).toString('utf8')) })
        } catch (cause) {
          fail(cause)
        }
      })
      req.on('error', fail)
      req.end(body === undefined ? undefined : JSON.stringify(body))
    })
  }
  return {
    async extract(path, signal, arrives) {
      const answer = await call('POST', '/extract', { path }, AbortSignal.any([signal, AbortSignal.timeout(EXTRACT_MS)]), arrives)
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
