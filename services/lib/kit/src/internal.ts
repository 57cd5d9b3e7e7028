import { timingSafeEqual } from 'node:crypto'
import { AppError, isErrorCode } from '@docent/core/errors'
import { decodePrincipal, encodePrincipal, internalTokenHeader, type Principal, principalHeader } from '@docent/core/principal'
import type { Request, RequestHandler } from 'express'

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

/** Asks a neighbour for JSON; its problem+json becomes the same AppError here, silence becomes `unavailable`. */
export async function askJson<T>(url: string, init: RequestInit & { timeoutMs: number }, read: (body: unknown) => T): Promise<T> {
  const limit = AbortSignal.timeout(init.timeoutMs)
  const signal = init.signal ? AbortSignal.any([init.signal, limit]) : limit
  let response: Response
  try {
    response = await fetch(url, { ...init, signal })
  } catch (cause) {
    if (init.signal?.aborted) throw cause
    throw new AppError(limit.aborted ? 'timeout' : 'unavailable', `${new URL(url).host} did not answer.`, { cause })
  }
  const body: unknown = await response.json().catch(() => undefined)
  if (!response.ok) {
    const problem = (body ?? {}) as { code?: unknown; detail?: string }
    throw new AppError(
      isErrorCode(problem.code) ? problem.code : 'unavailable',
      problem.detail ?? `${new URL(url).host} answered ${response.status}.`,
    )
  }
  return read(body)
}
