import { type Span, sentencesOf } from '@docent/core/text/sentences'
import { first, hashTerm, second } from '../index/term-hash.ts'
import { passageReader } from '../index/term-reader.ts'
import type { PlannedTerm } from './plan-query.ts'

const MAX_SNIPPET = 240

type Read = { spans: readonly Span[]; best: number; score: number }

/** What the sentences of passages hold of one question; each text is read once. */
export type SentenceReader = {
  /** share, 0 to 1, of the question's words by how rare they are, each once, that the best sentence of a text holds */
  shareOf(text: string): number
  /** that sentence, with what follows as far as it fits */
  snippetOf(text: string): string
}

/** `total`: the weight of all words of the question, as of the plan's `idfTotal`. */
export function createSentenceReader(terms: readonly PlannedTerm[], total: number): SentenceReader {
  const worth = new Map<number, { second: number; weight: number }>() // by the first hash of a term
  for (const { term, weight, idf } of terms) {
    hashTerm(term)
    worth.set(first, { second, weight: weight * idf })
  }
  const known = new Map<string, Read>()

  function read(text: string): Read {
    const before = known.get(text)
    if (before) return before
    const spans = sentencesOf(text)
    let best = 0
    let score = -1
    spans.forEach(({ start, end }, i) => {
      const own = scoreOf(text.slice(start, end))
      if (own > score) [best, score] = [i, own]
    })
    const now = { spans, best, score: Math.max(0, score) }
    known.set(text, now)
    return now
  }

  function scoreOf(sentence: string): number {
    const { firsts, seconds, count } = passageReader.readText(sentence)
    let score = 0
    for (let i = 0; i < count; i++) {
      const term = worth.get(firsts[i]!)
      if (term?.second === seconds[i]) score += term!.weight
    }
    return score
  }

  return {
    shareOf: (text) => (total > 0 ? Math.min(1, read(text).score / total) : 0),
    snippetOf(text) {
      const { spans, best } = read(text)
      const start = spans[best]?.start ?? 0
      let end = spans[best]?.end ?? Math.min(text.length, MAX_SNIPPET)
      for (const next of spans.slice(best + 1)) {
        if (next.end - start > MAX_SNIPPET) break
        end = next.end
      }
      return end - start <= MAX_SNIPPET
        ? text.slice(start, end)
        : `${text.slice(start, start + MAX_SNIPPET - 1).replace(/[\ud800-\udbff]$/, '')}…`
    },
  }
}
