import { sentencesOf } from '@docent/core/text/sentences'
import { first, hashTerm, second } from '../index/term-hash.ts'
import { passageReader } from '../index/term-reader.ts'
import type { PlannedTerm } from './plan-query.ts'

const MAX = 240

/** Finds in a text the sentence that holds most of a question, with what follows as far as it fits. */
export function createSnippets(terms: readonly PlannedTerm[]): (text: string) => string {
  const worth = new Map<number, { second: number; weight: number }>() // by the first hash of a term
  for (const { term, weight, idf } of terms) {
    hashTerm(term)
    worth.set(first, { second, weight: weight * idf })
  }

  function scoreOf(sentence: string): number {
    const { firsts, seconds, count } = passageReader.readText(sentence)
    let score = 0
    for (let i = 0; i < count; i++) {
      const known = worth.get(firsts[i]!)
      if (known?.second === seconds[i]) score += known!.weight
    }
    return score
  }

  return (text) => {
    const spans = sentencesOf(text)
    let best = 0
    let bestScore = -1
    spans.forEach(({ start, end }, i) => {
      const score = scoreOf(text.slice(start, end))
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
}
