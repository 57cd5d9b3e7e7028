import type { Candidate } from './candidates.ts'
import { contentWords } from './cite.ts'

const MAX_QUOTES = 3
// a second quotation must come close to the first, or bring what the question asks and the first lacks
const CLOSE = 0.8
const CLOSE_WITH_NEWS = 0.55

/**
 * Of candidates, best first, the best and up to two more that come close to it, or bring what the question asks and it lacks, and do not
 * repeat it. `isFit` tells which may stand beside the best.
 */
export function cover<R extends { candidate: Candidate; score: number }>(
  question: string,
  all: readonly R[],
  isFit: (candidate: Candidate) => boolean,
  documentOf: (candidate: Candidate) => string,
): R[] {
  const [first] = all
  if (!first) return []
  // beside a sum that was asked for, what names none is no second answer
  const ranked = isFit(first.candidate) ? all.filter(({ candidate }) => isFit(candidate)) : all
  const wanted = new Set(contentWords(question))
  const chosen = [first]
  const covered = new Set(contentWords(first.candidate.scored))
  for (const next of ranked.slice(1, 16)) {
    if (chosen.length >= MAX_QUOTES || next.score < first.score * CLOSE_WITH_NEWS) break
    const words = contentWords(next.candidate.scored)
    const news = words.filter((word) => wanted.has(word) && !covered.has(word)).length
    const isRepeat = chosen.some(
      ({ candidate }) =>
        overlap(words, contentWords(candidate.scored)) > 0.6 &&
        !(documentOf(candidate) !== documentOf(next.candidate) && saysOtherwise(candidate, next.candidate)),
    )
    if (isRepeat || !(next.score >= first.score * CLOSE || news * 4 >= wanted.size)) continue
    chosen.push(next)
    for (const word of words) covered.add(word)
  }
  return chosen
}

/** Rows of the same thing with other figures: this year's price and last year's. A reader must see both. */
function saysOtherwise(a: Candidate, b: Candidate): boolean {
  const namesOf = ({ cells = [] }: Candidate) =>
    cells.filter(({ cell }) => /^\P{N}*\p{L}/u.test(cell)).map(({ column, cell }) => `${column}: ${cell}`)
  const others = new Set(namesOf(b))
  return a.kind === 'row' && b.kind === 'row' && a.from !== b.from && namesOf(a)[0] !== undefined && others.has(namesOf(a)[0]!)
}

function overlap(a: readonly string[], b: readonly string[]): number {
  const other = new Set(b)
  return a.filter((word) => other.has(word)).length / Math.max(1, Math.min(a.length, other.size))
}
