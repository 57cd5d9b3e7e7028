import type { CitationSpan } from '@docent/core/answer-event'
import type { Passage, SentencesRequest, SentencesResponse } from '@docent/core/passage'
import { fold } from '@docent/core/text/fold'
import { identifiersOf } from '@docent/core/text/identifiers'
import { languageOf } from '@docent/core/text/language'
import { answersKind, mayAnswerKind } from './asked-kind.ts'
import { type Candidate, candidatesOf } from './candidates.ts'
import { contentWords, isQuoted } from './cite.ts'
import { holdersOf, namesIn, namingsOf, shareOfCodes, versionsNotIn } from './named-rows.ts'
import { inOne, type Wanted } from './search.ts'

export type Quote = { candidate: Candidate; passage: Passage }
/** What speaks for quotations as an answer. */
export type Signs = {
  /** of the best one: the share of the question's words it holds, by how rare they are */
  words: number
  /** of the nearest one: how much nearer the question stands to it than questions about anything; absent without meaning */
  stands?: number
  /** they are written in the other language */
  isAcross: boolean
  /** of the identifiers that the question names they hold all, or none; absent where it names none that singles few sentences out */
  names?: 'held' | 'missing'
  /** they hold no code that the question names, not its version, or nothing of the kind it asks for by its form: a sum, a number of things */
  lacks: boolean
}
export type Scorer = (sentences: SentencesRequest['sentences']) => Promise<SentencesResponse>

const MAX_PASSAGES = 5
// of the first passage's score; what was asked before blurs in which language a follow-up is answered
const TORN = { alone: 0.95, followUp: 0.85 }
const MAX_CANDIDATES = 80
const MAX_QUOTES = 3
const LEXICAL = 0.45
const PASSAGE = 0.25
const NEIGHBOUR = 0.15
// model numbers and figures of the question single a row out better than any score
const CODE = 0.15
// an identifier that stands in few sentences singles them out
const HOLDS = { own: 1, before: 0.3 }
// a row the question names by a whole cell; one whose name has more to it, or less, is about another thing
const NAMED = { asked: 0.15, other: -0.4 }
// who asks for money or days is answered by a sum or a number of days
const KIND = 0.12
// a second quotation must come close to the first, or bring what the question asks and the first lacks
const CLOSE = 0.8
const CLOSE_WITH_NEWS = 0.55

/**
 * The one to three sentences that best cover the question, in reading order, and what speaks for them; without signs there is nothing to
 * quote. What a follow-up does not name itself (codes, rows, the kind of thing asked for), the question before it names.
 */
export async function chooseQuotes(
  wanted: Wanted,
  passages: readonly Passage[],
  score: Scorer,
): Promise<{ quotes: Quote[]; degraded: string[]; signs?: Signs }> {
  const { query: question, previous = '' } = wanted
  // across languages words say nothing, and every sentence in the question's own language looks near: the best passage's language decides;
  // where the own language comes as near, it does
  const asked = languageOf(question)
  const near = passages.slice(0, MAX_PASSAGES).map((passage) => ({ passage, language: languageOf(passage.text) }))
  const [first] = near
  const nearest = near.find(({ language }) => language === asked)?.passage
  const isTorn = nearest !== undefined && nearest.score >= TORN[previous ? 'followUp' : 'alone'] * first!.passage.score
  const language = isTorn ? asked : first?.language
  const isAcross = language !== asked
  // a passage of the question's own language in the first place keeps those of the other one
  const top = near.filter((one) => first!.language === asked || one.language === language).map(({ passage }) => passage)
  const candidates = candidatesOf(top).slice(0, MAX_CANDIDATES)
  if (candidates.length === 0) return { quotes: [], degraded: [] }
  const { scores, degraded } = await score(candidates.map(({ scored, context }) => ({ text: scored, context })))
  const own = candidates.map((_, i) => {
    const { lexical = 0, dense } = scores[i] ?? {}
    if (dense === undefined) return lexical
    return isAcross ? Math.max(dense, lexical) : LEXICAL * lexical + (1 - LEXICAL) * dense
  })
  const ownCodes = codesOf(question)
  const codes = ownCodes.length > 0 ? ownCodes : codesOf(previous)
  const ownNames = identifiersOf(question)
  const names = ownNames.length > 0 ? ownNames : identifiersOf(previous)
  const holders = holdersOf(names, candidates, textOf)
  const rows = candidates.map(({ cells }) => cells)
  const ownNamings = namingsOf(question, rows)
  const namings = ownNamings.includes('asked') ? ownNamings : namingsOf(inOne(wanted), rows)
  const isKind = answersKind(fold(question)) ?? answersKind(fold(previous))
  const mayAnswer = mayAnswerKind(fold(question))
  const best = Math.max(...top.map((passage) => passage.score), 1e-9)
  const ranked = candidates
    .map((candidate, i) => ({
      candidate,
      score:
        (1 - PASSAGE) * withNeighbours(candidates, own, i) +
        PASSAGE * (top[candidate.passage]!.score / best) +
        (isKind?.(fold(candidate.scored)) ? KIND : 0) +
        (holders.size > 0
          ? holders.has(candidate)
            ? HOLDS[ownNames.length > 0 ? 'own' : 'before']
            : 0
          : CODE * shareOfCodes(codes, textOf(candidate))) +
        (namings[i] ? NAMED[namings[i]] : 0),
    }))
    .filter(({ candidate }) => candidate.kind === 'sentence' || candidate.kind === 'row')
    .sort((a, b) => b.score - a.score)
  const isFit = (candidate: Candidate) => isKind?.(fold(candidate.scored)) !== false
  // another row than the one that was named is no second answer
  const isBeside = (candidate: Candidate) => isFit(candidate) && (holders.size === 0 || holders.has(candidate) || candidate.kind !== 'row')
  const chosen = cover(question, ranked, isBeside).map(({ candidate }) => candidate)
  if (chosen.length === 0) return { quotes: [], degraded }
  const quotes = chosen.map((candidate) => ({ candidate, passage: top[candidate.passage]! }))
  const said = quotes.map(({ candidate, passage }) =>
    [candidate.context, candidate.scored, passage.title, passage.heading, passage.path].join(' '),
  )
  const marks = chosen.map(({ order }) => scores[order])
  const stands = marks.flatMap((mark) => mark?.stands ?? [])
  const signs: Signs = {
    words: Math.max(0, ...marks.map((mark) => mark?.lexical ?? 0)),
    ...(stands.length === 0 ? {} : { stands: Math.max(...stands) }),
    isAcross: chosen.every(({ scored }) => languageOf(scored) !== asked),
    ...namesIn(said.join('\n'), ownNames, holders.size > 0),
    lacks:
      (codes.length > 0 && said.every((text) => shareOfCodes(codes, text) === 0)) ||
      // what is said of 4.2 is no answer about 4.3
      versionsNotIn(question, said).length > 0 ||
      chosen.every((candidate) => !isFit(candidate)) ||
      (mayAnswer !== undefined && !said.some((text) => mayAnswer(fold(text)))),
  }
  return { quotes: readingOrder(withLists(quotes)), degraded, signs }
}

function codesOf(question: string): string[] {
  return contentWords(question).filter((word) => /\d/.test(word))
}

function textOf({ context, scored }: Candidate): string {
  return `${context} ${scored}`
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

function cover<R extends { candidate: Candidate; score: number }>(
  question: string,
  all: readonly R[],
  isFit: (candidate: Candidate) => boolean,
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
    const isRepeat = chosen.some(({ candidate }) => overlap(words, contentWords(candidate.scored)) > 0.6)
    if (isRepeat || !(next.score >= first.score * CLOSE || news * 4 >= wanted.size)) continue
    chosen.push(next)
    for (const word of words) covered.add(word)
  }
  return chosen
}

function overlap(a: readonly string[], b: readonly string[]): number {
  const other = new Set(b)
  return a.filter((word) => other.has(word)).length / Math.max(1, Math.min(a.length, other.size))
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

/** The text of an extractive answer under its `lead`, and its citations; `numberOf` says which source a passage is. */
export function writeQuotes(
  quotes: readonly Quote[],
  lead: string,
  numberOf: (passage: Passage) => number,
): { text: string; citations: CitationSpan[] } {
  let text = `${lead}\n`
  const citations: CitationSpan[] = []
  let section = ''
  for (const { candidate, passage } of quotes) {
    text += '\n'
    // a heading often holds what its sentences leave out: the release, the model, the question
    const above = sectionOf(passage)
    if (above !== '' && `${passage.documentId}/${above}` !== section) text += `${above}${colon(above)}\n`
    section = `${passage.documentId}/${above}`
    const start = text.length
    text += candidate.quote
    const source = numberOf(passage)
    citations.push({ start, end: text.length, source, verified: isVerbatim(candidate, passage) })
    text += ` [${source}]\n`
  }
  return { text: text.trimEnd(), citations }
}

/** The headings over a passage without the title and their numbers. */
function sectionOf({ heading, title }: Passage): string {
  const parts = (heading ?? '').split(' › ').map((part) => part.trim())
  return parts
    .filter((part) => part !== '' && part !== title)
    .map((part) => part.replace(/^(?:\d+(?:\.\d+)*\.?|[一二三四五六七八九十]+、)\s*(?=\S)/, ''))
    .join(' › ')
}

function colon(heading: string): string {
  if (/[?？:：!！。.]$/.test(heading)) return ''
  return /\p{Script=Han}/u.test(heading) ? '：' : ':'
}

function isVerbatim(candidate: Candidate, passage: Passage): boolean {
  return isQuoted(candidate.from, passage.text) || isQuoted(candidate.from, passage.parent.text)
}
