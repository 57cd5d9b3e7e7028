import { timingSafeEqual } from 'node:crypto'
import { AppError, isErrorCode } from '@docent/core/errors'
import { decodePrincipal, encodePrincipal, internalTokenHeader, type Principal, principalHeader } from '@docent/core/principal'
import type { Request, RequestHandler } from 'express'
import { leanFetch } from './lean-fetch.ts'

export function sameSecret(given: string, expected: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(expected)]
  return a.length === b.length && timingSafeEqual(a, b)
}

/** Services behind the gateway answer nobody without the internal token; health stays open. */
export function requireInternal(token: string): RequestHandler {
  return (req, _res, next) => {
    if (req.path === '/healthz' || req.path === '/readyz') return next()
    if (!sameSecret(req.get(internalTokenHeader) ?? '', token)) throw new AppError('unauthorized', 'Only the gateway is answered here.')
    next()
  }
}

/** The caller's principal, as the gateway established it. */
export function principalOf(req: Request): Principal {
  const header = req.get(principalHeader)
  if (!header) throw new AppError('unauthorized', 'The request carries no principal.')
  return decodePrincipal(header)
}

export function internalHeaders(
  token: string,
  principal: Principal,
  ids: { requestId?: string; traceId?: string } = {},
): Record<string, string> {
  return {
    [internalTokenHeader]: token,
    [principalHeader]: encodePrincipal(principal),
    ...(ids.requestId ? { 'x-request-id': ids.requestId } : {}),
    ...(ids.traceId ? { 'x-trace-id': ids.traceId } : {}),
  }
}

const LATE = new Error('It took too long.')

/** Asks a neighbour for JSON; its problem+json becomes the same AppError here, silence becomes `unavailable`. */
export async function askJson<T>(url: string | URL, init: RequestInit & { timeoutMs: number }, read: (body: unknown) => T): Promise<T> {
  const own = new AbortController()
  const limit = setTimeout(() => own.abort(LATE), init.timeoutMs)
  const forward = () => own.abort(init.signal!.reason)
  init.signal?.addEventListener('abort', forward, { once: true })
  if (init.signal?.aborted) forward()
  let response: Response
  let body: unknown
  try {
    response = await leanFetch(url, { ...init, signal: own.signal })
    body = await response.json().catch(() => undefined)
  } catch (cause) {
    if (init.signal?.aborted) throw cause
    // its address is for the log alone
    const error = new Error(`${new URL(url).host} did not answer`, { cause })
    throw new AppError(cause === LATE ? 'timeout' : 'unavailable', 'A part of Docent does not answer; try again in a moment.', {
      cause: error,
    })
  } finally {
    clearTimeout(limit)
    init.signal?.removeEventListener('abort', forward)
  }
  if (!response.ok) {
    const problem = (body ?? {}) as { code?: unknown; detail?: string }
    throw new AppError(
      isErrorCode(problem.code) ? problem.code : 'unavailable',
      problem.detail ?? 'A part of Docent gave an answer that is not understood; try again in a moment.',
      { cause: new Error(`${new URL(url).host} answered ${response.status}`) },
    )
  }
  return read(body)
}
