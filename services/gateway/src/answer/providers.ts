import { AppError } from '@docent/core/errors'
import type { ChatModel, ChatRequest, Hear, TokenCounts } from '@docent/models/chat-model'
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
import type { LimitName, LimitsView, ProviderGate } from '../guard/provider-limits.ts'
import { promptTokens } from './prompt.ts'
import { estimateTokens } from './tokens.ts'

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
  /** skipped: left alone or paused; limited: past one of its limits */
  calls: { answered: number; failed: number; skipped: number; limited: number }
  /** those that are set, and how much of them is used now */
  limits?: LimitsView
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
  /**
   * Tells text until the provider is complete. Tries again what may pass, before the first text only. Errors as of ChatModel.
   * Resolves with the name of the limit that has no room for it: then nothing was sent.
   */
  ask(request: ChatRequest, signal: AbortSignal, hear: Hear): Promise<LimitName | undefined>
  view(): Promise<ProviderView>
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
  options: { address: string; price: Price | undefined; firstTokenMs: number; breaker: BreakerLimits; gate: ProviderGate | undefined },
): Provider {
  const { gate } = options
  const { openMs, maxOpenMs, failures } = options.breaker
  const calls = { answered: 0, failed: 0, skipped: 0, limited: 0 }
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

  function isFree(): boolean {
    const state = stateNow()
    return state === 'ready' || (state === 'open' && performance.now() - openedAt >= waitMs)
  }

  /** Resolves with the first text; `ended` is the rest of the stream. `mayTryAgain` is asked before each try after the first. */
  async function firstText(
    request: ChatRequest,
    signal: AbortSignal,
    hear: Hear,
    mayTryAgain?: () => Promise<boolean>,
  ): Promise<{ ended: Promise<void> }> {
    const started = performance.now()
    let last: unknown
    const found = await withBackOff(
      async () => {
        const left = options.firstTokenMs - (performance.now() - started)
        if (left <= 0) throw last ?? new AppError('timeout', 'The model was silent for too long.')
        if (last !== undefined && mayTryAgain && !(await mayTryAgain())) return { refused: last }
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
    if ('refused' in found) throw found.refused
    lastFirstTokenMs = Math.round(performance.now() - started)
    return found
  }

  function noteFailure(thrown: unknown): void {
    if (!(thrown instanceof AppError)) return
    calls.failed++
    lastError = { code: thrown.code, message: thrown.message, at: new Date().toISOString() }
    if (thrown.code === 'rate_limited') pausedUntil = performance.now() + (thrown.retryAfterS ?? PAUSE_S) * 1000
  }

  function leftAlone(cause?: unknown): AppError {
    return new AppError('unavailable', `${chat.name} failed too often and is left alone for a while.`, { cause })
  }

  async function tell(...asked: Parameters<typeof firstText>): Promise<void> {
    try {
      const { ended } = await breaker.execute(() => firstText(...asked))
      await ended
      calls.answered++
    } catch (thrown) {
      if (thrown instanceof BrokenCircuitError) throw leftAlone(thrown)
      if (!asked[1].aborted) noteFailure(thrown)
      throw thrown
    }
  }

  return {
    name: chat.name,
    model: chat.model,
    price: options.price,
    mayAsk() {
      const may = isFree()
      if (!may) calls.skipped++
      return may
    },
    async ask(request, signal, hear) {
      if (!gate) {
        await tell(request, signal, hear)
        return undefined
      }
      const guessed = promptTokens(request.messages)
      const leave = await gate.enter(guessed)
      if (typeof leave === 'string') {
        calls.limited++
        return leave
      }
      let text = ''
      let usage: TokenCounts | undefined
      const count: Hear = (part) => {
        text += part.text
        usage = part.usage ?? usage
        return hear(part)
      }
      try {
        // while its room was asked for another question may have begun to try it
        if (!isFree()) throw leftAlone()
        await tell(request, signal, count, leave.again)
        return undefined
      } finally {
        await leave.end(usage ? usage.inputTokens + usage.outputTokens : guessed + estimateTokens(text))
      }
    },
    async view() {
      const state = stateNow()
      const retryAt = state === 'paused' ? pausedUntil : state === 'open' ? openedAt + waitMs : undefined
      return {
        name: chat.name,
        model: chat.model,
        address: options.address,
        state,
        ...(retryAt === undefined ? {} : { retryAt: new Date(Date.now() + retryAt - performance.now()).toISOString() }),
        calls: { ...calls },
        ...(gate ? { limits: await gate.view() } : {}),
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
