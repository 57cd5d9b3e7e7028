import { AppError, type ErrorCode, toAppError } from '@docent/core/errors'
import type { ChatRequest, TokenCounts, ToolCall } from '@docent/models/chat-model'
import type { LimitName } from '../guard/provider-limits.ts'
import type { Provider } from './providers.ts'

/** What came of a provider, for the record: `skipped` (left alone) and `limited` (past the limit that `code` names) were not asked. */
export type Attempt = {
  provider: string
  model: string
  outcome: 'answered' | 'failed' | 'skipped' | 'limited'
  code?: ErrorCode | LimitName
  ms: number
}
export type Generated =
  | { model: string; provider: string; usage?: TokenCounts; finish?: string; toolCalls?: ToolCall[] }
  | { failed: AppError }
export type Listener = {
  /** the provider that is about to be asked */
  asking(provider: Provider): void
  text(text: string): void
  attempted(attempt: Attempt, error?: AppError): void
}

const MAX_ANSWER_MS = 600_000
const MAX_CHARS_PER_TOKEN = 16 // far above any tokenizer's mean

/**
 * Asks the providers in order. Once text was shown no provider is called again: a failure then is thrown.
 * `failed` means that nobody said anything. A stream without an end is cut at `maxTokens` worth of text or after ten minutes.
 */
export async function generate(
  providers: readonly Provider[],
  request: ChatRequest,
  signal: AbortSignal,
  listener: Listener,
): Promise<Generated> {
  let failed: AppError | undefined
  for (const provider of providers) {
    const { name, model } = provider
    if (!provider.mayAsk()) {
      listener.attempted({ provider: name, model, outcome: 'skipped', ms: 0 })
      failed = new AppError('unavailable', `${name} failed too often or asked for a pause.`)
      continue
    }
    const started = performance.now()
    let chars = 0
    let usage: TokenCounts | undefined
    let finish: string | undefined
    let toolCalls: ToolCall[] | undefined
    const attempt = (outcome: Attempt['outcome'], code?: Attempt['code']): Attempt => ({
      provider: name,
      model,
      outcome,
      ...(code ? { code } : {}),
      ms: Math.round(performance.now() - started),
    })
    listener.asking(provider)
    try {
      const over = await provider.ask(request, signal, (part) => {
        if (part.text) listener.text(part.text)
        chars += part.text.length
        usage = part.usage ?? usage
        finish = part.finish ?? finish
        toolCalls = part.toolCalls ?? toolCalls
        const isOver = chars > request.maxTokens * MAX_CHARS_PER_TOKEN || performance.now() - started > MAX_ANSWER_MS
        if (isOver) finish = 'length'
        return !isOver
      })
      if (over) {
        listener.attempted(attempt('limited', over))
        failed = new AppError('rate_limited', `${name} is asked as much as its limit ${over} allows.`)
        continue
      }
      listener.attempted(attempt('answered'))
      return { model, provider: name, ...(usage ? { usage } : {}), ...(finish ? { finish } : {}), ...(toolCalls ? { toolCalls } : {}) }
    } catch (thrown) {
      if (signal.aborted) throw thrown
      const error = toAppError(thrown)
      listener.attempted(attempt('failed', error.code), error)
      if (chars > 0) throw error
      failed = error
    }
  }
  return { failed: failed ?? new AppError('upstream_failed', 'No model is configured.') }
}
