import type { Passage, SentencesResponse } from '@docent/core/passage'
import { fold } from '@docent/core/text/fold'
import { languageOf } from '@docent/core/text/language'
import { namesAnotherKind, namesAnotherPlace } from './another-thing.ts'
import { withoutKind } from './asked-kind.ts'
import type { Candidate } from './candidates.ts'
import { contentWords } from './cite.ts'
import type { Quote } from './extractive.ts'
import { ownWords } from './follow-up.ts'
import { namesIn, shareOfCodes, versionsNotIn } from './named-rows.ts'
import { type Asking, namesColumn } from './read-question.ts'

/** What speaks for quotations as an answer. */
export type Signs = {
  /** of the best one: the share of the question's words it holds, by how rare they are */
  words: number
  /** of the nearest one: how much nearer the question stands to it than questions about anything; absent without meaning */
  stands?: number
  /** they are written in the other language */
  isAcross: boolean
  /** of the identifiers, or the row, that the question names they hold all, or none; absent where it names none that singles few sentences out */
  names?: 'held' | 'missing'
  /** they hold no code that the question names, not its version, or nothing of the kind it asks for by its form: a sum, a number of things */
  lacks: boolean
  /** they are rows of which the question names a column and nothing else: it may be about another row */
  isUnnamed?: boolean
}

/**
 * `scores` of all candidates by their order; `isRare`: few sentences hold what the question names; `isNamed`: the row that it names by a
 * whole cell says what it asks for.
 */
export function signsOf(
  asking: Asking,
  quotes: readonly Quote[],
  scores: SentencesResponse['scores'],
  { isRare, isNamed }: { isRare: boolean; isNamed: boolean },
): Signs {
  const marks = quotes.map(({ candidate }) => scores[candidate.order])
  const stands = marks.flatMap((mark) => mark?.stands ?? [])
  const said = quotes.map(({ candidate, passage }) =>
    [candidate.context, candidate.scored, passage.title, passage.heading, passage.path].join(' '),
  )
  return {
    words: Math.max(0, ...marks.map((mark) => mark?.lexical ?? 0)),
    ...(stands.length === 0 ? {} : { stands: Math.max(...stands) }),
    isAcross: quotes.every(({ candidate }) => languageOf(candidate.scored) !== asking.language),
    ...(isNamed ? { names: 'held' } : {}),
    ...namesIn(said.join('\n'), asking.ownNames, isRare),
    lacks: lacksWhatIsAsked(asking, quotes, said),
    ...(namesNoRow(asking, quotes) ? { isUnnamed: true } : {}),
  }
}

function lacksWhatIsAsked(asking: Asking, quotes: readonly Quote[], said: readonly string[]): boolean {
  const { question, codes, ownCodes, isKind, mayAnswer } = asking
  // the place, or what the question before it named, may stand elsewhere in the section
  const around = quotes.map(({ passage }) => wordsOf(passage))
  return (
    (codes.length > 0 && (ownCodes.length > 0 ? said : around).every((text) => shareOfCodes(codes, text) === 0)) ||
    // what is said of 4.2 is no answer about 4.3
    versionsNotIn(question, said).length > 0 ||
    quotes.every(({ candidate }) => isKind?.(fold(candidate.scored)) === false) ||
    namesAnotherKind(question, said) ||
    namesAnotherPlace(question, [...said, ...around]) ||
    // a title says when it was written, not when it happens
    (mayAnswer !== undefined && !quotes.some(({ candidate, passage }) => mayAnswer(fold(`${headingOf(passage)} ${candidate.scored}`))))
  )
}

/** Whether rows hold the column that is asked for and nothing else of the question: “the rate of an architect” where no row is about one. */
function namesNoRow({ question, previous, words, language }: Asking, quotes: readonly Quote[]): boolean {
  const rows = quotes.map(({ candidate, passage }) => ({ ...candidate, cells: candidate.cells ?? [], path: passage.path }))
  // what a follow-up is about stands in the question before it
  if (previous !== '' || rows.some(({ scored }) => languageOf(scored) !== language)) return false
  if (!rows.every(({ cells }) => cells.some(({ column }) => namesColumn({ question, words }, column)))) return false
  const around = new Set(
    rows.flatMap(({ path, context, cells }) => contentWords([path, context, ...cells.map(({ column }) => column)].join('\n'))),
  )
  const held = new Set(rows.flatMap(({ cells }) => contentWords(cells.map(({ cell }) => cell).join('\n'))))
  const named = ownWords(withoutKind(fold(question))).filter((word) => word.length > 1 && !around.has(word))
  return named.length > 0 && !named.some((word) => held.has(word))
}

function headingOf({ heading = '', title }: Passage): string {
  return heading.startsWith(title) ? heading.slice(title.length) : heading
}

export function wordsOf({ path, title, heading, text, parent }: Passage): string {
  return [path, title, heading, text, parent.text].join('\n')
}

export function textOf({ context, scored }: Candidate): string {
  return `${context} ${scored}`
}
