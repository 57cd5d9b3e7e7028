import type { Passage, SearchResponse } from '@docent/core/passage'
import { contentWords } from './cite.ts'
import { isDoubtful } from './judge-quotes.ts'
import type { Wanted } from './search.ts'

const another =
  /^(?:那么?|还有|换成|如果是)?\s*\S.{0,24}(?:呢|又如何|怎么样)\s*[?？]*$|^(?:and|or|so|but|then|what about|how about)\b.{1,48}$/iu
const verb = /\b(?:is|are|was|does|do|did|can|has|have|will)\b/i
// what stands for something that was named before
const standIn =
  /[它他她其该此]|^[这那]|[这那][个些种款台条份次里边样]|上述|前者|后者|同样|\b(?:it|its|they|them|their|theirs|this|that|these|those|he|she|his|her|him|there|same|one|ones|above|latter|former)\b/iu
const asks =
  /什么时候|多长时间|多[久长大高重远]|何时|为什么|是什么|怎么样|多少钱|什么|多少|怎么|怎样|如何|哪里|哪个|哪些|哪天|哪|几|谁|吗|呢|能不能|可不可以|有没有|是不是|可以|需要|应该|请问|是|的|有|在|能|会|要|了/gu
// words of the question that are more than a name of an attribute (“押金是多少？”)
const LEAST = { han: 4, words: 2 }
// share of the words of the question before it that a passage must hold to speak of it, and how much less of the question's own
const BEFORE = 0.5
const LESS = 0.1
const TOP = 5
const MOST_FOLLOWED = 3

/** A follow-up that asks the same of another thing (“and the M30?”): what it asks stands in the question before it. */
export function isElliptic({ query, previous }: Wanted): boolean {
  return previous !== undefined && asksOfAnother(query)
}

function asksOfAnother(question: string): boolean {
  return another.test(question.trim()) && !verb.test(question)
}

/** Whether a question cannot be read without what was said before it. */
export function leansOn(question: string): boolean {
  if (standIn.test(question) || asksOfAnother(question)) return true
  const han = question.replace(asks, ' ').match(/\p{Script=Han}/gu)?.length ?? 0
  const words = contentWords(question).filter((word) => /[a-z]/.test(word) || /\d/.test(word)).length
  return han < LEAST.han && words < LEAST.words
}

/**
 * What a question follows: the one before it (`asked`: the earlier ones, in order; each a line), and where that one only asks something else of the same
 * (“有效期多久？”) what it followed itself.
 */
export function followed(asked: readonly string[]): string | undefined {
  const from = asked.findLastIndex((question) => !leansOn(question) || asksOfAnother(question))
  const inOneLine = (question: string) => question.replace(/\s*\n\s*/g, ' ')
  return (
    asked
      .slice(Math.max(from, asked.length - MOST_FOLLOWED, 0))
      .map(inOneLine)
      .join('\n') || undefined
  )
}

/** Of what `followed` gives the question right before: one that only names another thing asks what that one asked. */
export function rightBefore(previous: string): string {
  return previous.slice(previous.lastIndexOf('\n') + 1)
}

/**
 * Whether a question that can be read alone begins something else: what was found for it alone may answer it, and no passage that was found
 * together with the question before it speaks of both as well.
 */
export function standsAlone({ query, previous = '' }: Wanted, together: SearchResponse, alone: SearchResponse): boolean {
  const words = ownWords(query)
  const before = ownWords(previous)
  if (!alone.answerable && !isDoubtful(alone)) return false
  const best = Math.max(0, ...alone.passages.slice(0, TOP).map((passage) => shareOf(words, saidIn(passage))))
  const speaksOfBoth = (said: ReadonlySet<string>) => shareOf(before, said) >= BEFORE && shareOf(words, said) >= best - LESS
  return !together.passages.slice(0, TOP).map(saidIn).some(speaksOfBoth)
}

/** The words of a question that are more than asking. */
export function ownWords(question: string): string[] {
  return contentWords(question.replace(asks, ' '))
}

function saidIn({ path, title, heading, text }: Passage): Set<string> {
  return new Set(contentWords([path, title, heading, text].join('\n')))
}

function shareOf(words: readonly string[], said: ReadonlySet<string>): number {
  return words.filter((word) => said.has(word)).length / Math.max(1, words.length)
}
