import { AppError } from '@docent/core/errors'
import OpenAI, { APIConnectionTimeoutError, APIError, APIUserAbortError } from 'openai'
import { createRemoteEmbedder, type RemoteEmbedder, type RemoteEmbedderOptions } from '../remote-embedder.ts'
import { retryAfterOf, upstreamError } from '../upstream.ts'

export type OpenAiEmbedderOptions = RemoteEmbedderOptions & { baseUrl: string; dimensions?: number }

/** Any server that speaks OpenAI's `/v1/embeddings`. */
export function createOpenAiEmbedder({
  baseUrl,
  apiKey,
  dimensions,
  timeoutMs = 30_000,
  ...options
}: OpenAiEmbedderOptions): RemoteEmbedder {
  // Retries are ours: the client's would count against a question's patience too.
  const client = new OpenAI({
    baseURL: baseUrl,
    apiKey: apiKey ?? 'none',
    organization: null,
    project: null,
    maxRetries: 0,
    timeout: timeoutMs,
  })
  return createRemoteEmbedder(async (texts, signal) => {
    try {
      const reply = await client.embeddings.create(
        { model: options.model, input: [...texts], encoding_format: 'float', ...(dimensions ? { dimensions } : {}) },
        { signal },
      )
      if (!Array.isArray(reply.data))
        throw new AppError('embedding_failed', 'The embedding provider sent something that is not an embeddings reply.')
      const inOrder = reply.data.toSorted((a, b) => a.index - b.index)
      return {
        vectors: inOrder.map(({ embedding }) => (Array.isArray(embedding) ? embedding : [])),
        tokens: reply.usage?.prompt_tokens ?? 0,
      }
    } catch (error) {
      throw meaningOf(error, signal)
    }
  }, options)
}

function meaningOf(error: unknown, signal: AbortSignal): unknown {
  if (error instanceof AppError) return error
  if (error instanceof APIUserAbortError) return signal.aborted ? signal.reason : error
  if (error instanceof APIConnectionTimeoutError) return new AppError('timeout', 'The embedding provider took too long.', { cause: error })
  if (error instanceof APIError) return upstreamError('The embedding provider', error.status, error.message, retryAfterOf(error.headers))
  return new AppError('embedding_failed', 'The embedding provider sent something that cannot be read.', { cause: error })
}
