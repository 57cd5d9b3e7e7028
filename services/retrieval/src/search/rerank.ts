import type { Reranker } from '@docent/models/reranker'
import type { Fused } from './fuse.ts'

// no logit of a cross-encoder is as high, and a list of percentages has one above it
const HIGHEST_LOGIT = 20

/**
 * Scores of a reranker on the scale of 0 to 1, whichever it speaks: a list with a negative one, or with one above 1 and none above 20,
 * is of raw logits (through the logistic function); one above 20 is of percentages; else they are shares already. The order stays.
 */
export function toUnit(scores: readonly number[]): number[] {
  const low = Math.min(...scores)
  const high = Math.max(...scores)
  if (low < 0 || (high > 1 && high <= HIGHEST_LOGIT)) return scores.map((score) => 1 / (1 + Math.exp(-score)))
  return high > 1 ? scores.map((score) => score / Math.max(100, high)) : [...scores]
}

/** The first `top` in the reranker's order, the others behind them as they were. Nothing is dropped by its score. */
export async function rerank<C extends { text: string; header: string }>(
  ordered: readonly Fused<C>[],
  query: string,
  { reranker, top, timeoutMs, signal }: { reranker: Reranker; top: number; timeoutMs: number; signal: AbortSignal },
): Promise<Fused<C>[]> {
  const first = ordered.slice(0, top)
  if (first.length < 2) return [...ordered]
  const limit = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)])
  const aborted = Promise.withResolvers<never>()
  const stop = () => aborted.reject(limit.reason)
  limit.addEventListener('abort', stop, { once: true })
  try {
    const texts = first.map(({ chunk }) => (chunk.header ? `${chunk.header}\n${chunk.text}` : chunk.text))
    const scores = await Promise.race([reranker.rerank(query, texts, limit), aborted.promise])
    if (scores.length !== first.length || !scores.every(Number.isFinite)) throw new Error('the reranker did not score each passage')
    const units = toUnit(scores)
    const better = first
      .map((entry, i) => ({ ...entry, scores: { ...entry.scores, rerank: units[i]! }, raw: scores[i]! }))
      .sort((a, b) => b.raw - a.raw || a.ranks.fused - b.ranks.fused)
      .map(({ raw: _, ...entry }, i) => ({ ...entry, ranks: { ...entry.ranks, rerank: i + 1 } }))
    return [...better, ...ordered.slice(top)]
  } finally {
    limit.removeEventListener('abort', stop)
  }
}
