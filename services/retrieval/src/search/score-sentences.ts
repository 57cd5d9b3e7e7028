import type { SentencesRequest, SentencesResponse } from '@docent/core/passage'
import { tokensOf } from '@docent/core/text/tokens'
import type { z } from 'zod'
import type { ChunkIndex } from '../index/chunk-index.ts'
import type { DenseLeg } from './dense-leg.ts'
import { type PlannedTerm, planQuery } from './plan-query.ts'

/** a long sentence holds more words by chance */
const LONG = 0.15

/** How well each sentence covers the question: by its words (share of idf) and by meaning (rescaled over the candidates). */
export async function scoreSentences(
  { query, sentences }: z.infer<typeof SentencesRequest>,
  { index, dense }: { index: ChunkIndex; dense: DenseLeg },
  signal: AbortSignal,
): Promise<SentencesResponse> {
  const plan = planQuery({ query }, index.lexical)
  const cosines = sentences.length === 0 ? [] : await dense.compare(query, sentences, signal)
  const lexical = coverage(plan.terms, sentences)
  const low = Math.min(...(cosines ?? []))
  const span = Math.max(...(cosines ?? [])) - low
  return {
    scores: sentences.map((_, i) => ({
      lexical: lexical[i]!,
      ...(cosines ? { dense: span > 1e-6 ? (cosines[i]! - low) / span : 1 } : {}),
    })),
    degraded: cosines ? [] : ['dense'],
  }
}

/** Share of the question's idf that a sentence holds; words that only ask count when the question has no others. */
export function coverage(terms: readonly PlannedTerm[], sentences: readonly string[]): number[] {
  const content = terms.some((term) => term.content) ? terms.filter((term) => term.content) : terms
  const total = content.reduce((sum, { weight, idf }) => sum + weight * idf, 0)
  const tokens = sentences.map((sentence) => tokensOf(sentence))
  const average = tokens.reduce((sum, list) => sum + list.length, 0) / Math.max(1, tokens.length)
  return tokens.map((list) => {
    if (total === 0) return 0
    const held = new Set(list)
    const covered = content.reduce((sum, { term, weight, idf }) => sum + (held.has(term) ? weight * idf : 0), 0)
    const excess = Math.max(0, list.length / Math.max(1, average) - 1)
    return covered / total / (1 + LONG * excess)
  })
}
