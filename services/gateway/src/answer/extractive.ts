import type { Passage, SentencesRequest, SentencesResponse } from '@docent/core/passage'
import { fold } from '@docent/core/text/fold'
import { languageOf } from '@docent/core/text/language'
import { ofYears } from './another-thing.ts'
import { type Candidate, candidatesOf } from './candidates.ts'
import { cover } from './cover.ts'
import { holdersOf, namesIn, namingsOf, shareOfCodes } from './named-rows.ts'
import { type Signs, signsOf, textOf, wordsOf } from './quote-signs.ts'
import { type Asking, holdsWords, isAnsweredByRow, mayBe, readQuestion, saysOnlyNames } from './read-question.ts'
import { inOne, type Wanted } from './search.ts'

export type Quote = { candidate: Candidate; passage: Passage }
export type Scorer = (sentences: SentencesRequest['sentences']) => Promise<SentencesResponse>

const MAX_PASSAGES = 5
// of the first passage's score; what was asked before blurs in which language a follow-up is answered
const TORN = { alone: 0.95, followUp: 0.85 }
const MAX_CANDIDATES = 80
const LEXICAL = 0.45
const PASSAGE = 0.25
const NEIGHBOUR = 0.15
// model numbers and figures of the question single a row out better than any score
const CODE = { own: 0.15, before: 0.3 }
// an identifier that stands in few sentences singles them out
const HOLDS = { own: 1, before: 0.3 }
// a row the question names by a whole cell; one whose name has more to it, or less, is about another thing
const NAMED = { asked: 0.15, other: -0.4 }
// whose sentence it is, but nothing of what is asked
const ONLY_NAMES = -0.2
// who asks for money or days is answered by a sum or a number of days
const KIND = 0.12
// the price list of 2025 is no answer about 2026
const YEAR = { true: 0.1, false: -0.2, undefined: 0 }

/**
 * The one to three sentences that best cover the question, in reading order, and what speaks for them; without signs there is nothing to
 * quote. What a follow-up does not name itself (codes, rows, the kind of thing asked for), the question before it names.
 */
export async function chooseQuotes(
  wanted: Wanted,
  passages: readonly Passage[],
  score: Scorer,
): Promise<{ quotes: Quote[]; degraded: string[]; signs?: Signs }> {
  const asking = readQuestion(wanted)
  const { top, isAcross } = worthReading(asking, passages)
  const candidates = candidatesOf(top).slice(0, MAX_CANDIDATES)
  if (candidates.length === 0) return { quotes: [], degraded: [] }
  const { scores, degraded } = await score(candidates.map(({ scored, context }) => ({ text: scored, context })))
  const own = candidates.map((_, i) => {
    const { lexical = 0, dense } = scores[i] ?? {}
    if (dense === undefined) return lexical
    return isAcross ? Math.max(dense, lexical) : LEXICAL * lexical + (1 - LEXICAL) * dense
  })
  const holders = holdersOf(asking.names, candidates, textOf)
  const rows = candidates.map(({ cells }) => cells)
  const ownNamings = namingsOf(asking.question, rows)
  const namings = ownNamings.includes('asked') ? ownNamings : namingsOf(inOne(wanted), rows)
  const best = Math.max(...top.map((passage) => passage.score), 1e-9)
  const passageOf = (candidate: Candidate) => top[candidate.passage]!
  const isOf = (years: readonly string[]) => (candidate: Candidate) => ofYears(years, candidate, passageOf(candidate))
  // “this year” singles out this year's list where there is one, and else says little
  const isMeant = asking.years.length === 0 && candidates.some((candidate) => isOf(asking.meantYears)(candidate) === true)
  const isOfYear = isOf(isMeant ? asking.meantYears : asking.years)
  const ranked = candidates
    .map((candidate, i) => ({
      candidate,
      score:
        (1 - PASSAGE) * withNeighbours(candidates, own, i) +
        PASSAGE * (passageOf(candidate).score / best) +
        (asking.isKind?.(fold(candidate.scored)) ? KIND : 0) +
        (holders.size > 0
          ? holders.has(candidate)
            ? HOLDS[asking.ownNames.length > 0 ? 'own' : 'before']
            : 0
          : CODE[asking.ownCodes.length > 0 ? 'own' : 'before'] * shareOfCodes(asking.codes, textOf(candidate))) +
        (namings[i] ? NAMED[namings[i]] : 0) +
        (saysOnlyNames(asking, candidate) ? ONLY_NAMES : 0) +
        YEAR[String(isOfYear(candidate)) as keyof typeof YEAR],
    }))
    .filter(({ candidate }) => candidate.kind === 'sentence' || candidate.kind === 'row')
    .sort((a, b) => b.score - a.score)
  // another row than the one that was named is no second answer, nor is last year's
  const isBeside = (candidate: Candidate) =>
    mayBe(asking, candidate) && isOfYear(candidate) !== false && (holders.size === 0 || holders.has(candidate) || candidate.kind !== 'row')
  const chosen = cover(asking.question, ranked, isBeside, (candidate) => passageOf(candidate).documentId)
  if (chosen.length === 0) return { quotes: [], degraded }
  const quotes = chosen.map(({ candidate }) => ({ candidate, passage: passageOf(candidate) }))
  const isNamed = quotes.some(({ candidate }) => namings[candidate.order] === 'asked' && isAnsweredByRow(asking, candidate))
  const signs = signsOf(asking, quotes, scores, { isRare: holders.size > 0, isNamed })
  return { quotes: readingOrder(withLists(quotes)), degraded, signs }
}

/**
 * Across languages words say nothing, and every sentence in the question's own language looks near: the best passage's language decides;
 * where the own language comes as near, or holds what the question names, it does.
 */
function worthReading({ previous, language, ownNames, words }: Asking, passages: readonly Passage[]) {
  const holds = (passage: Passage) => namesIn(wordsOf(passage), ownNames, true).names === 'held' || holdsWords(words, passage)
  // a row is one line of its passage: one further down may hold what the question names
  const near = passages
    .map((passage) => ({ passage, isOwn: languageOf(passage.text) === language, isNamed: holds(passage) }))
    .filter(({ isNamed }, i) => isNamed || i < MAX_PASSAGES)
    .slice(0, 2 * MAX_PASSAGES)
  const [first] = near
  if (!first) return { top: [], isAcross: false }
  const nearest = near.find(({ isOwn }) => isOwn)?.passage
  const isTorn =
    near.some(({ isNamed, isOwn }) => isNamed && isOwn) ||
    (nearest !== undefined && nearest.score >= TORN[previous ? 'followUp' : 'alone'] * first.passage.score)
  const isAcross = !first.isOwn && !isTorn
  // a passage of the question's own language in the first place keeps those of the other one
  const top = near.filter(({ isOwn, isNamed }) => first.isOwn || isOwn !== isAcross || isNamed).map(({ passage }) => passage)
  return { top, isAcross }
}

/** A question in the text, a heading or a line ending in a colon speaks for the sentence after it. */
function withNeighbours(candidates: readonly Candidate[], own: readonly number[], i: number): number {
  const before = candidates[i - 1]
  const score = own[i]!
  if (before?.next !== candidates[i]) return score
  if (before?.kind === 'question') return Math.max(score, 0.95 * own[i - 1]!)
  if (before?.kind === 'heading') return score + 0.3 * Math.max(0, own[i - 1]! - score)
  return score + NEIGHBOUR * Math.max(0, own[i - 1]! - score)
}

/** “The steps are:” alone says nothing: the lines after it come along. */
function withLists(quotes: Quote[]): Quote[] {
  const all = [...quotes]
  for (const { candidate, passage } of quotes) {
    if (!/[:：]$/.test(candidate.quote)) continue
    for (let next = candidate.next, i = 0; next && i < 4 && next.kind !== 'heading'; next = next.next, i++) {
      if (!all.some((quote) => quote.candidate === next)) all.push({ candidate: next, passage })
    }
  }
  return all
}

function readingOrder(quotes: Quote[]): Quote[] {
  return quotes.sort((a, b) => a.candidate.passage - b.candidate.passage || a.candidate.start - b.candidate.start)
}
