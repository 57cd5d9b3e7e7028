import { AppError } from '@docent/core/errors'
import cors from 'cors'
import type { RequestHandler } from 'express'

export const csp =
  "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

export const securityHeaders: RequestHandler = (_req, res, next) => {
  res.set({
    'content-security-policy': csp,
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'x-frame-options': 'DENY',
    'cross-origin-opener-policy': 'same-origin',
  })
  next()
}

/** The gateway alone answers CORS: listed origins only, never a reflected one. */
export function allowOrigins(allowed: readonly string[]): RequestHandler {
  const origins = new Set(allowed)
  return cors({
    origin: (origin, decide) => decide(null, origin !== undefined && (origins.has('*') ? '*' : origins.has(origin))),
    methods: ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'],
    allowedHeaders: ['Content-Type', 'Authorization', 'Last-Event-ID', 'Idempotency-Key', 'X-Trace-Id', 'X-Request-Id', 'X-Client-Id'],
    exposedHeaders: ['X-Trace-Id', 'X-Request-Id', 'Retry-After', 'RateLimit', 'RateLimit-Policy', 'Location'],
    maxAge: 600,
  })
}

const localHost = /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])(?::\d+)?$/i

// with --host, a machine's address is fine: rebinding needs a name
const byAddress = /^(?:\d+\.\d+\.\d+\.\d+|\[[\da-f:]+\])(?::\d+)?$/i

/** Under `npm start`: no web page reaches the API by another name (DNS rebinding) or from another origin. */
export function localOnly(allowed: readonly string[], listensOn: string): RequestHandler {
  const isOpen = !localHost.test(listensOn)
  return (req, _res, next) => {
    const host = req.headers.host ?? ''
    if (!localHost.test(host) && !(isOpen && byAddress.test(host)))
      throw new AppError('forbidden', 'Open this by http://127.0.0.1 or http://localhost.')
    if (!isOwnOrigin(req.headers.origin, req.headers.host, allowed))
      throw new AppError('forbidden', 'This web origin is not in ALLOWED_ORIGINS.')
    next()
  }
}

/** No origin (not a browser page), the page's own, or one that is allowed. */
export function isOwnOrigin(origin: string | undefined, host: string | undefined, allowed: readonly string[]): boolean {
  if (origin === undefined || allowed.includes(origin) || allowed.includes('*')) return true
  return URL.canParse(origin) && new URL(origin).host === host
}

const FAR_TOO_MUCH = 4 * 1024 * 1024

/** A body that announces far more than any JSON here may have is refused before it comes, and its connection ends. Uploads are streamed. */
export const refuseHuge: RequestHandler = (req, res, next) => {
  if (Number(req.headers['content-length'] ?? 0) > FAR_TOO_MUCH && !req.is('multipart/form-data')) {
    res.set('connection', 'close')
    throw new AppError('payload_too_large', 'Send less in one request.')
  }
  next()
}

const bodied = new Set(['POST', 'PUT', 'PATCH'])

/** Bodies are JSON; said before a missing field is complained about. */
export const requireJson: RequestHandler = (req, _res, next) => {
  if (!bodied.has(req.method) || req.headers['content-type'] === 'application/json') return next()
  const hasBody = req.headers['transfer-encoding'] !== undefined || Number(req.headers['content-length'] ?? 0) > 0
  if (hasBody && !req.is(['application/json', 'application/*+json'])) {
    throw new AppError('unsupported_media_type', 'Send JSON with content-type application/json.')
  }
  next()
}
