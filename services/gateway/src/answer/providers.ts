import { AppError } from '@docent/core/errors'
import type { ChatModel, ChatRequest, Hear } from '@docent/models/chat-model'
import { withBackOff } from '@docent/models/upstream'
import {
  BrokenCircuitError,
  type CircuitBreakerPolicy,
  CircuitState,
  ConsecutiveBreaker,
  circuitBreaker,
  DelegateBackoff,
  handleWhen,
} from 'cockatiel'

export type Price = { input: number; output: number; currency: string }
export type BreakerLimits = { failures: number; openMs: number; maxOpenMs: number }
export type ProviderView = {
  name: string
  model: string
  address: string
  /** ready | open: left alone after failures | probing: one question tries it | paused: it asked for a pause (429) */
  state: 'ready' | 'open' | 'probing' | 'paused'
  /** when an open or paused provider is asked again */
  retryAt?: string
  calls: { answered: number; failed: number; skipped: number }
  lastFirstTokenMs?: number
  lastError?: { code: string; message: string; at: string }
  price?: Price
}
export type Provider = {
  name: string
  model: string
  price: Price | undefined
  /** false while its breaker is open or its pause lasts: asking would fail at once */
  mayAsk(): boolean
  /** Tells text until the provider is complete. Tries again what may pass, before the first text only. Errors as of ChatModel. */
  ask(request: ChatRequest, signal: AbortSignal, hear: Hear): Promise<void>
  view(): ProviderView
}

const PATIENCE = { attempts: 3, firstWaitMs: 300, maxWaitMs: 3_000 }
const PASSES = new Set(['unavailable', 'rate_limited'])
const PAUSE_S = 2 // after a 429 that names no time

/**
 * A provider behind its breaker: `failures` questions in a row without a first text open it, after `openMs` (doubling up to
 * `maxOpenMs`) one question tries it. Each process has its own view.
 */
export function createProvider(
  chat: ChatModel,
  options: { address: string; price: Price | undefined; firstTokenMs: number; breaker: BreakerLimits },
): Provider {
  const { openMs, maxOpenMs, failures } = options.breaker
  const calls = { answered: 0, failed: 0, skipped: 0 }
  // moments of the process's own clock: one that is set must not lengthen a pause
  let pausedUntil = 0
  let openedAt = 0
  let waitMs = openMs
  let lastError: ProviderView['lastError']
  let lastFirstTokenMs: number | undefined

  const breaker: CircuitBreakerPolicy = circuitBreaker(
    // whatever keeps a probe from an answer leaves the breaker open; else only the provider's own faults count
    handleWhen((error) => (breaker.state === CircuitState.HalfOpen ? !isOurs(error) : isFault(error))),
    {
      breaker: new ConsecutiveBreaker(failures),
      halfOpenAfter: new DelegateBackoff(({ attempt }: { attempt: number }) => {
        openedAt = performance.now()
        waitMs = Math.min(maxOpenMs, openMs * 2 ** (attempt - 1))
        return waitMs
      }),
    },
  )

  function stateNow(): ProviderView['state'] {
    if (performance.now() < pausedUntil) return 'paused'
    if (breaker.state === CircuitState.HalfOpen) return 'probing'
    return breaker.state === CircuitState.Open ? 'open' : 'ready'
  }

  /** Resolves with the first text; `ended` is the rest of the stream. */
  async function firstText(request: ChatRequest, signal: AbortSignal, hear: Hear): Promise<{ ended: Promise<void> }> {
    const started = performance.now()
    let last: unknown
    const found = await withBackOff(
      async () => {
        const left = options.firstTokenMs - (performance.now() - started)
        if (left <= 0) throw last ?? new AppError('timeout', 'The model was silent for too long.')
        const first = Promise.withResolvers<boolean>()
        let isSaid = false
        const ended = chat.stream({ ...request, firstTokenMs: left }, signal, (part) => {
          isSaid ||= Boolean(part.text || part.toolCalls)
          if (!isSaid) return true
          first.resolve(true)
          return hear(part)
        })
        ended.then(() => first.resolve(false), first.reject)
        const hasBegun = await first.promise.catch((error: unknown) => {
          last = error
          throw error
        })
        return hasBegun ? { ended } : undefined
      },
      { ...PATIENCE, maxWaitMs: Math.min(PATIENCE.maxWaitMs, options.firstTokenMs) },
      signal,
      PASSES,
    )
    if (!found) throw new AppError('upstream_failed', 'The model ended without a word.')
    lastFirstTokenMs = Math.round(performance.now() - started)
    return found
  }

  function noteFailure(thrown: unknown): void {
    if (!(thrown instanceof AppError)) return
    calls.failed++
    lastError = { code: thrown.code, message: thrown.message, at: new Date().toISOString() }
    if (thrown.code === 'rate_limited') pausedUntil = performance.now() + (thrown.retryAfterS ?? PAUSE_S) * 1000
  }

  return {
    name: chat.name,
    model: chat.model,
    price: options.price,
    mayAsk() {
      const state = stateNow()
      const may = state === 'ready' || (state === 'open' && performance.now() - openedAt >= waitMs)
      if (!may) calls.skipped++
      return may
    },
    async ask(request, signal, hear) {
      try {
        const { ended } = await breaker.execute(() => firstText(request, signal, hear))
        await ended
        calls.answered++
      } catch (thrown) {
        if (thrown instanceof BrokenCircuitError)
          throw new AppError('unavailable', `${chat.name} failed too often and is left alone for a while.`, { cause: thrown })
        if (!signal.aborted) noteFailure(thrown)
        throw thrown
      }
    },
    view() {
      const state = stateNow()
      const retryAt = state === 'paused' ? pausedUntil : state === 'open' ? openedAt + waitMs : undefined
      return {
        name: chat.name,
        model: chat.model,
        address: options.address,
        state,
        ...(retryAt === undefined ? {} : { retryAt: new Date(Date.now() + retryAt - performance.now()).toISOString() }),
        calls: { ...calls },
        ...(lastFirstTokenMs === undefined ? {} : { lastFirstTokenMs }),
        ...(lastError ? { lastError } : {}),
        ...(options.price ? { price: options.price } : {}),
      }
    },
  }
}

/** A request that the provider refuses as such would be refused by a well one too. */
function isOurs(error: unknown): boolean {
  return error instanceof AppError && error.code === 'bad_request'
}

/** A stop by the reader is none, and a 429 pauses instead. */
function isFault(error: unknown): boolean {
  return error instanceof AppError && !isOurs(error) && error.code !== 'rate_limited'
}
