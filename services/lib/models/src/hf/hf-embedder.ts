import { AppError } from '@docent/core/errors'
import { InferenceClient, InferenceClientProviderApiError } from '@huggingface/inference'
import { createRemoteEmbedder, type RemoteEmbedder, type RemoteEmbedderOptions } from '../remote-embedder.ts'
import { retryAfterOf, upstreamError } from '../upstream.ts'

export type HfEmbedderOptions = RemoteEmbedderOptions & {
  /** a TEI server's /embed or an Inference Endpoint; unset: Hugging Face itself */ endpointUrl?: string
}

/** Hugging Face's feature extraction: hosted, an Inference Endpoint, or text-embeddings-inference. */
export function createHfEmbedder({ endpointUrl, apiKey, timeoutMs = 30_000, ...options }: HfEmbedderOptions): RemoteEmbedder {
  const client = new InferenceClient(apiKey)
  return createRemoteEmbedder(async (texts, signal) => {
    const limit = AbortSignal.timeout(timeoutMs)
    let retryAfterS: number | undefined
    try {
      const vectors = await client.featureExtraction(
        {
          ...(endpointUrl ? { endpointUrl } : { provider: 'hf-inference', model: options.model }),
          inputs: [...texts],
          normalize: true,
          truncate: true,
        },
        {
          retry_on_error: false, // else every 503 is asked again at once, for ever
          signal: AbortSignal.any([signal, limit]),
          // The client's errors leave the headers out.
          fetch: async (url, init) => {
            const response = await fetch(url, init)
            retryAfterS = retryAfterOf(response.headers)
            return response
          },
        },
      )
      if (!Array.isArray(vectors))
        throw new AppError('embedding_failed', 'The embedding provider sent something that is not a list of vectors.')
      return { vectors: vectors.map((vector) => (Array.isArray(vector) ? vector : [])), tokens: 0 }
    } catch (error) {
      if (error instanceof AppError) throw error
      signal.throwIfAborted()
      if (limit.aborted) throw new AppError('timeout', 'The embedding provider took too long.')
      if (error instanceof InferenceClientProviderApiError)
        throw upstreamError('The embedding provider', error.httpResponse.status, error.message, retryAfterS)
      const message = error instanceof Error ? error.message : String(error)
      if (error instanceof TypeError && /fetch failed/i.test(message)) throw upstreamError('The embedding provider', undefined, message)
      throw new AppError('embedding_failed', 'The embedding provider sent something that cannot be read.', { cause: new Error(message) })
    }
  }, options)
}
