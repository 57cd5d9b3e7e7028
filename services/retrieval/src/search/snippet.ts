import { sentencesOf } from '@docent/core/text/sentences'
import { eachTermKey, keyOfTerm } from '@docent/core/text/tokens'
import type { PlannedTerm } from './plan-query.ts'

const MAX = 240

/** The sentence that holds most of the question, with what follows as far as it fits. */
export function snippetOf(text: string, terms: readonly PlannedTerm[]): string {
  const weights = new Map(terms.map(({ term, weight, idf }) => [keyOfTerm(term), { weight: weight * idf, saidIn: -1 }]))
  const spans = sentencesOf(text)
  let best = 0
  let bestScore = -1
  spans.forEach(({ start, end }, i) => {
    let score = 0
    eachTermKey(text.slice(start, end), (key) => {
      const known = weights.get(key)
      if (!known || known.saidIn === i) return
      known.saidIn = i
      score += known.weight
    })
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
