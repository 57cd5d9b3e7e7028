import { AppError } from '@docent/core/errors'
import { parse } from '@docent/kit/parse'
import type { Reranker } from '@docent/models/reranker'
import { Router } from 'express'
import { z } from 'zod'

const request = z.object({
  query: z.string().min(1).max(8_000),
  documents: z.array(z.string()).min(1).max(256),
  top_n: z.int().min(1).optional(),
  model: z.string().optional(),
})

/** Cohere's rerank API over the configured reranker; without one the answer says how to get one. */
export function rerankRouter(reranker: Reranker | undefined): Router {
  const router = Router()
  router.post('/rerank', async (req, res) => {
    if (!reranker)
      throw new AppError(
        'not_found',
        'No reranker is configured: set RERANK_URL (and RERANK_API, RERANK_MODEL, RERANK_API_KEY) for the embedder.',
      )
    const { query, documents, top_n } = parse({ body: request }, req).body
    const left = new AbortController()
    res.once('close', () => left.abort())
    const scores = await reranker.rerank(query, documents, left.signal)
    const results = scores
      .map((relevance_score, index) => ({ index, relevance_score }))
      .sort((a, b) => b.relevance_score - a.relevance_score)
    res.json({ model: reranker.model, results: results.slice(0, top_n) })
  })
  return router
}
