import type { Passage } from '@docent/core/passage'
import { fold } from '@docent/core/text/fold'
import { type Identifier, identifiersOf } from '@docent/core/text/identifiers'
import { languageOf } from '@docent/core/text/language'
import { meantYears } from '@docent/core/text/years'
import { yearsIn } from './another-thing.ts'
import { answersKind, mayAnswerKind, withoutKind } from './asked-kind.ts'
import type { Candidate, Cell } from './candidates.ts'
import { contentWords } from './cite.ts'
import { isElliptic, rightBefore } from './follow-up.ts'
import { textOf, wordsOf } from './quote-signs.ts'
import type { Wanted } from './search.ts'

const ENOUGH_WORDS = 3

/** What a question asks for; what it does not name itself, the question before it names. */
export type Asking = {
  question: string
  previous: string
  language: 'zh' | 'en'
  /** folded words with a digit */
  codes: readonly string[]
  ownCodes: readonly string[]
  names: readonly Identifier[]
  ownNames: readonly Identifier[]
  years: readonly string[]
  /** this year and last year, where it gives no figure */
  meantYears: readonly string[]
  words: readonly string[]
  /** those of them that are written as names, in English */
  nameWords: ReadonlySet<string>
  /** whether a folded text holds the kind of thing it asks for, or may hold it; undefined where its form does not say */
  isKind: ReturnType<typeof answersKind>
  mayAnswer: ReturnType<typeof mayAnswerKind>
}

export function readQuestion(wanted: Wanted): Asking {
  const { query: question, previous = '' } = wanted
  const ownCodes = codesOf(question)
  const ownNames = identifiersOf(question)
  const before = isElliptic(wanted) ? fold(rightBefore(previous)) : ''
  return {
    question,
    previous,
    language: languageOf(question),
    codes: ownCodes.length > 0 ? ownCodes : codesOf(previous),
    ownCodes,
    names: ownNames.length > 0 ? ownNames : identifiersOf(previous),
    ownNames,
    years: yearsIn(question),
    meantYears: meantYears(question),
    words: contentWords(question),
    nameWords: new Set(contentWords((question.match(/(?<=\S\s+)\p{Lu}[\p{L}\p{N}-]*/gu) ?? []).join(' '))),
    isKind: answersKind(fold(question)) ?? answersKind(before),
    mayAnswer: mayAnswerKind(fold(question)) ?? mayAnswerKind(before),
  }
}

/** Whether a passage, with its names, has every word of a question that is more than a name. */
export function holdsWords(words: readonly string[], passage: Passage): boolean {
  if (words.length < ENOUGH_WORDS) return false
  const held = new Set(contentWords(wordsOf(passage)))
  return words.every((word) => held.has(word))
}

/** Of the question's words a sentence holds names and nothing else: it is about them, and not what is asked of them. */
export function saysOnlyNames({ words, nameWords, isKind }: Asking, candidate: Candidate): boolean {
  if (isKind?.(fold(candidate.scored)) === true || nameWords.size === 0 || nameWords.size === words.length) return false
  const held = new Set(contentWords(textOf(candidate)))
  const hits = words.filter((word) => held.has(word))
  return hits.length > 0 && hits.every((word) => nameWords.has(word))
}

/** Whether a row has the kind of thing that is asked for, or a column that the question names. */
export function isAnsweredByRow({ question, isKind, words }: Asking, { cells = [], scored }: Candidate): boolean {
  const asked = fold(question)
  if (isKind?.(fold(scored)) === true && isOnlyNamed(asked, cells)) return true
  return cells.some(({ column, cell }) => !asked.includes(fold(cell)) && namesColumn({ question, words }, column))
}

/** Whether a question names a column, whole but for its unit. */
export function namesColumn({ question, words }: Pick<Asking, 'question' | 'words'>, column: string): boolean {
  const name = fold(column)
    .replace(/\(.*\)/u, '')
    .trim()
  if (name.length < 2) return false
  if (/\p{Script=Han}/u.test(name)) return fold(question).includes(name)
  const parts = contentWords(name)
  return parts.length > 0 && parts.every((part) => words.includes(part))
}

/** Whether a question that asks for a kind of thing says nothing else than a name that stands in a cell. */
function isOnlyNamed(asked: string, cells: readonly Cell[]): boolean {
  const rest = withoutKind(asked)
  return cells.some(
    ({ cell }) => rest.includes(fold(cell)) && contentWords(rest.replace(fold(cell), ' ').replace(/[的了吗呢]/gu, ' ')).length === 0,
  )
}

/** Whether a sentence can be what was asked for by its form. */
export function mayBe({ isKind, mayAnswer }: Asking, candidate: Candidate): boolean {
  return isKind?.(fold(candidate.scored)) !== false && mayAnswer?.(fold(textOf(candidate))) !== false
}

function codesOf(question: string): string[] {
  return contentWords(question).filter((word) => /\d/.test(word))
}
