import { sentencesOf } from '@docent/core/text/sentences'
import { tokensOf } from '@docent/core/text/tokens'
import type { PlannedTerm } from './plan-query.ts'

const MAX = 240

/** The sentence that holds most of the question, with what follows as far as it fits. */
export function snippetOf(text: string, terms: readonly PlannedTerm[]): string {
  const weights = new Map(terms.map(({ term, weight, idf }) => [term, weight * idf]))
  const spans = sentencesOf(text)
  let best = 0
  let bestScore = -1
  spans.forEach(({ start, end }, i) => {
    let score = 0
    for (const token of new Set(tokensOf(text.slice(start, end)))) score += weights.get(token) ?? 0
    if (score > bestScore) [best, bestScore] = [i, score]
  })
  const start = spans[best]?.start ?? 0
  let end = spans[best]?.end ?? Math.min(text.length, MAX)
  for (const next of spans.slice(best + 1)) {
    if (next.end - start > MAX) break
    end = next.end
  }
  return end - start <= MAX ? text.slice(start, end) : `${text.slice(start, start + MAX - 1).replace(/[\ud800-\udbff]$/, '')}…`
}
