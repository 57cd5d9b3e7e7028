import { request } from 'node:http'
import { pipeline } from 'node:stream'
import { AppError } from '@docent/core/errors'
import type { Principal } from '@docent/core/principal'
import { internalHeaders } from '@docent/kit/internal'
import type { Request, Response } from 'express'

const passedUp = [
  'accept',
  'accept-language',
  'content-type',
  'content-length',
  'range',
  'if-range',
  'if-none-match',
  'if-modified-since',
  'last-event-id',
  'idempotency-key',
]
const passedDown = [
  'content-type',
  'content-length',
  'content-range',
  'content-disposition',
  'accept-ranges',
  'etag',
  'last-modified',
  'cache-control',
  'location',
  'retry-after',
  'x-accel-buffering',
]
const HEADERS_MS = 60_000

/**
 * Hands a request on to a neighbour and its answer back, streamed both ways, with the principal and the internal token.
 * Only the headers that mean something there are passed; whoever hangs up first ends both.
 */
export function pipeTo(
  base: string,
  token: string,
  options: { path: string; principal?: Principal; change?: (headers: Record<string, string | string[] | undefined>) => void },
) {
  return (req: Request, res: Response): Promise<void> =>
    new Promise((done, fail) => {
      const target = new URL(base)
      const headers: Record<string, string> = internalHeaders(token, options.principal ?? req.principal, {
        requestId: req.requestId,
        traceId: req.traceId,
      })
      for (const name of passedUp) if (typeof req.headers[name] === 'string') headers[name] = req.headers[name]
      // express.json has read a JSON body already
      const parsed = req.body === undefined ? undefined : Buffer.from(JSON.stringify(req.body))
      if (parsed) headers['content-length'] = String(parsed.length)
      const upstream = request(
        { host: target.hostname, port: target.port, method: req.method, path: target.pathname.replace(/\/$/, '') + options.path, headers },
        (answer) => {
          upstream.setTimeout(0)
          const kept: Record<string, string | string[] | undefined> = {}
          for (const name of passedDown) kept[name] = answer.headers[name]
          options.change?.(kept)
          for (const [name, value] of Object.entries(kept)) if (value !== undefined) res.setHeader(name, value)
          res.status(answer.statusCode ?? 502)
          res.flushHeaders()
          pipeline(answer, res, () => done())
        },
      )
      upstream.setTimeout(HEADERS_MS, () => upstream.destroy(new Error('timeout')))
      upstream.on('error', (cause) => {
        if (res.headersSent || res.destroyed) return done()
        fail(
          new AppError(
            cause.message === 'timeout' ? 'timeout' : 'unavailable',
            'The part of Docent that keeps the documents does not answer; try again in a moment.',
            { cause, retryAfterS: 2 },
          ),
        )
      })
      res.on('close', () => upstream.destroy())
      if (parsed) upstream.end(parsed)
      // not `complete`: a short body has arrived whole before it is read
      else if (req.readableEnded) upstream.end()
      else pipeline(req, upstream, () => undefined)
    })
}
