import { AppError } from '@docent/core/errors'
import { z } from 'zod'
import type { Reranker } from './reranker.ts'
import { retryAfterOf, upstreamError } from './upstream.ts'

export type HttpRerankerOptions = { url: string; api: 'cohere' | 'tei'; apiKey?: string; model?: string; timeoutMs?: number }

const cohereReply = z.object({ results: z.array(z.object({ index: z.int(), relevance_score: z.number() })) })
const teiReply = z.array(z.object({ index: z.int(), score: z.number() }))

/** A remote reranker in Cohere's shape (Jina, vLLM, SiliconFlow speak it too) or in text-embeddings-inference's. */
export function createHttpReranker({ url, api, apiKey, model, timeoutMs = 10_000 }: HttpRerankerOptions): Reranker {
  const headers = { 'content-type': 'application/json', ...(apiKey ? { authorization: `Bearer ${apiKey}` } : {}) }

  async function send(body: unknown, signal: AbortSignal): Promise<unknown> {
    const limit = AbortSignal.timeout(timeoutMs)
    try {
      const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body), signal: AbortSignal.any([signal, limit]) })
      if (!response.ok) throw upstreamError('The reranker', response.status, await response.text(), retryAfterOf(response.headers))
      return await response.json()
    } catch (error) {
      if (error instanceof AppError) throw error
      signal.throwIfAborted()
      if (limit.aborted) throw new AppError('timeout', 'The reranker took too long.')
      throw upstreamError('The reranker', undefined, error instanceof Error ? error.message : String(error))
    }
  }

  return {
    model: model ?? new URL(url).host,
    async rerank(query, texts, signal) {
      const body =
        api === 'tei' ? { query, texts, truncate: true } : { query, documents: texts, top_n: texts.length, ...(model ? { model } : {}) }
      const reply = await send(body, signal)
      const pairs =
        api === 'tei'
          ? teiReply.safeParse(reply).data?.map(({ index, score }) => [index, score] as const)
          : cohereReply.safeParse(reply).data?.results.map(({ index, relevance_score }) => [index, relevance_score] as const)
      const scores = new Map(pairs)
      if (scores.size !== texts.length || texts.some((_, index) => !scores.has(index))) {
        throw new AppError('upstream_failed', 'The reranker did not score each text once.')
      }
      return texts.map((_, index) => scores.get(index)!)
    },
  }
}
