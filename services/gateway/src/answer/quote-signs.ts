import type { Passage, SentencesResponse } from '@docent/core/passage'
import { fold } from '@docent/core/text/fold'
import { languageOf } from '@docent/core/text/language'
import { namesAnotherKind, namesAnotherPlace } from './another-thing.ts'
import type { Candidate } from './candidates.ts'
import type { Quote } from './extractive.ts'
import { namesIn, shareOfCodes, versionsNotIn } from './named-rows.ts'
import type { Asking } from './read-question.ts'

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

function headingOf({ heading = '', title }: Passage): string {
  return heading.startsWith(title) ? heading.slice(title.length) : heading
}

export function wordsOf({ path, title, heading, text, parent }: Passage): string {
  return [path, title, heading, text, parent.text].join('\n')
}

export function textOf({ context, scored }: Candidate): string {
  return `${context} ${scored}`
}
