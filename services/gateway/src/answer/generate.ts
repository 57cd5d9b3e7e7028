import { AppError, toAppError } from '@docent/core/errors'
import type { ChatModel, ChatRequest, TokenCounts } from '@docent/models/chat-model'

export type Generated = { model: string; usage?: TokenCounts; finish?: string } | { failed: AppError }

/**
 * Asks the providers in order. Once text was shown no provider is called again: a failure then is thrown.
 * `failed` means that nobody said anything.
 */
export async function generate(
  models: readonly ChatModel[],
  request: ChatRequest,
  signal: AbortSignal,
  say: (text: string) => void,
  onFailure: (provider: string, error: AppError) => void,
): Promise<Generated> {
  let failed = new AppError('upstream_failed', 'No model is configured.')
  for (const model of models) {
    let shown = false
    let usage: TokenCounts | undefined
    let finish: string | undefined
    try {
      for await (const part of model.stream(request, signal)) {
        if (part.text) {
          shown = true
          say(part.text)
        }
        usage = part.usage ?? usage
        finish = part.finish ?? finish
      }
      if (!shown) throw new AppError('upstream_failed', 'The model ended without a word.')
      return { model: model.model, ...(usage ? { usage } : {}), ...(finish ? { finish } : {}) }
    } catch (thrown) {
      if (signal.aborted) throw thrown
      const error = toAppError(thrown)
      onFailure(model.name, error)
      if (shown) throw error
      failed = error
    }
  }
  return { failed }
}
