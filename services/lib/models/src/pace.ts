import { setTimeout as sleep } from 'node:timers/promises'
import { AppError } from '@docent/core/errors'

export type PaceLimits = { requestsPerMinute?: number | undefined; tokensPerMinute?: number | undefined }
export type Pace = {
  /** Waits for one's turn; `rate_limited` at once where that would take longer than a minute. Returns the milliseconds it waited. */
  enter(tokens: number, signal: AbortSignal): Promise<number>
  /** what is taken without waiting, or was not known before: it delays those who come later */
  book(cost: { requests?: number; tokens: number }): void
}

const clock = {
  now: () => performance.now(),
  wait: (ms: number, signal: AbortSignal): Promise<unknown> => sleep(ms, undefined, { signal }),
}
const MINUTE_MS = 60_000
const BYTES_PER_TOKEN = 3 // of UTF-8, on the safe side in Chinese and in English

/**
 * Evenly spaced requests under a provider's limits of requests and tokens a minute (the generic cell rate algorithm, ITU-T I.371,
 * without a burst): each request moves the time of the next one by what it costs.
 */
export function createPace({ requestsPerMinute, tokensPerMinute }: PaceLimits, { now, wait } = clock): Pace {
  const msPerRequest = requestsPerMinute ? MINUTE_MS / requestsPerMinute : 0
  const msPerToken = tokensPerMinute ? MINUTE_MS / tokensPerMinute : 0
  let requestsFrom = 0
  let tokensFrom = 0

  function book({ requests = 0, tokens }: { requests?: number; tokens: number }): void {
    requestsFrom = Math.max(now(), requestsFrom) + requests * msPerRequest
    tokensFrom = Math.max(now(), tokensFrom) + tokens * msPerToken
  }

  return {
    book,
    async enter(tokens, signal) {
      const waitMs = Math.max(requestsFrom, tokensFrom) - now()
      if (waitMs > MINUTE_MS)
        throw new AppError('rate_limited', "The embedding provider's limits per minute, as configured, are used up.", {
          retryAfterS: Math.ceil(waitMs / 1000),
        })
      book({ requests: 1, tokens })
      if (waitMs > 0) await wait(waitMs, signal)
      return Math.max(0, waitMs)
    },
  }
}

/** Before the provider has counted them. */
export function guessTokens(texts: readonly string[]): number {
  return texts.reduce((sum, text) => sum + Math.ceil(Buffer.byteLength(text) / BYTES_PER_TOKEN), 0)
}
