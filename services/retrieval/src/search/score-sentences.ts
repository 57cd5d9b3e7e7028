import type { SentencesRequest, SentencesResponse } from '@docent/core/passage'
import { tokensOf } from '@docent/core/text/tokens'
import type { ChunkIndex } from '../index/chunk-index.ts'
import type { DenseLeg } from './dense-leg.ts'
import { type PlannedTerm, planQuery } from './plan-query.ts'

type Sentence = SentencesRequest['sentences'][number]

/** a long sentence holds more words by chance */
const LONG = 0.15
/** words of the question in the headings over a sentence: it need not say them again */
const OVERHEAD = 0.85

/** How well each sentence covers the question: by its words (share of idf) and by meaning (rescaled over the candidates). */
export async function scoreSentences(
  { query, sentences }: SentencesRequest,
  { index, dense }: { index: ChunkIndex; dense: DenseLeg },
  signal: AbortSignal,
): Promise<SentencesResponse> {
  const plan = planQuery({ query }, index.lexical)
  const texts = sentences.map(({ text, context }) => (context ? `${context}\n${text}` : text))
  const cosines = sentences.length === 0 ? [] : await dense.compare(query, texts, signal)
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
export function coverage(terms: readonly PlannedTerm[], sentences: readonly Sentence[]): number[] {
  const content = terms.some((term) => term.content) ? terms.filter((term) => term.content) : terms
  const total = content.reduce((sum, { weight, idf }) => sum + weight * idf, 0)
  const tokens = sentences.map(({ text }) => tokensOf(text))
  const average = tokens.reduce((sum, list) => sum + list.length, 0) / Math.max(1, tokens.length)
  const over = new Map<string, Set<string>>()
  return sentences.map(({ context }, i) => {
    if (total === 0) return 0
    const held = new Set(tokens[i])
    const above = over.get(context) ?? new Set(tokensOf(context))
    over.set(context, above)
    const share = (term: string) => (held.has(term) ? 1 : above.has(term) ? OVERHEAD : 0)
    const covered = content.reduce((sum, { term, weight, idf }) => sum + share(term) * weight * idf, 0)
    const excess = Math.max(0, tokens[i]!.length / Math.max(1, average) - 1)
    return covered / total / (1 + LONG * excess)
  })
}
