import { setTimeout as sleep } from 'node:timers/promises'
import { AppError } from '@docent/core/errors'

export type Patience = { attempts: number; firstWaitMs: number; maxWaitMs: number }

/** A question waits for nobody long: lexical search answers meanwhile. */
export const queryPatience: Patience = { attempts: 2, firstWaitMs: 200, maxWaitMs: 1_000 }
export const passagePatience: Patience = { attempts: 5, firstWaitMs: 1_000, maxWaitMs: 60_000 }

/** A provider's HTTP status → what it means here. The cause is a plain error: a vendor's may carry the key in its request. */
export function upstreamError(vendor: string, status: number | undefined, message: string, retryAfterS?: number): AppError {
  const options = {
    cause: new Error(`${vendor} ${status ?? 'no answer'}: ${message.slice(0, 500)}`),
    ...(retryAfterS === undefined ? {} : { retryAfterS }),
  }
  if (status === undefined) return new AppError('unavailable', `${vendor} does not answer.`, options)
  if (status === 401 || status === 402 || status === 403) {
    return new AppError('upstream_unauthorized', `${vendor} refuses the key or the account (${status}): check its key.`, options)
  }
  if (status === 429) return new AppError('rate_limited', `${vendor} limits the rate (429).`, options)
  if (status === 404)
    return new AppError(
      'embedding_failed',
      `${vendor} knows no such model or address (404): check the model's name and the base URL.`,
      options,
    )
  if (status < 500 && status !== 408) return new AppError('bad_request', `${vendor} refuses these texts (${status}).`, options)
  return new AppError('upstream_failed', `${vendor} failed (${status}).`, options)
}

const passing = new Set(['rate_limited', 'upstream_failed', 'unavailable', 'timeout'])

/** Tries again what may pass, as the provider's Retry-After says or with growing, jittered waits; gives up when told to wait too long. */
export async function withBackOff<T>(
  work: () => Promise<T>,
  { attempts, firstWaitMs, maxWaitMs }: Patience,
  signal: AbortSignal,
  passes: ReadonlySet<string> = passing,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work()
    } catch (error) {
      signal.throwIfAborted()
      if (!(error instanceof AppError) || !passes.has(error.code) || attempt >= attempts) throw error
      const grown = firstWaitMs * 2 ** (attempt - 1) * (0.75 + Math.random() / 2)
      const waitMs = error.retryAfterS === undefined ? Math.min(grown, maxWaitMs) : error.retryAfterS * 1000
      if (waitMs > maxWaitMs) throw error
      await sleep(waitMs, undefined, { signal })
    }
  }
}

/** Retry-After in seconds, from its two forms, or the `retry-after-ms` that OpenAI and Azure send. */
export function retryAfterOf(headers: Headers | undefined, now = Date.now()): number | undefined {
  const ms = headers?.get('retry-after-ms')
  if (ms && /^\d+(\.\d+)?$/.test(ms)) return Number(ms) / 1000
  const value = headers?.get('retry-after')
  if (!value) return undefined
  const seconds = /^\d+(\.\d+)?$/.test(value) ? Number(value) : (Date.parse(value) - now) / 1000
  return Number.isFinite(seconds) ? Math.max(0, seconds) : undefined
}
