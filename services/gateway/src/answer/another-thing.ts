import type { Passage } from '@docent/core/passage'
import { fold } from '@docent/core/text/fold'
import type { Candidate } from './candidates.ts'
import { places } from './places.ts'

/** Whether a question names a place that stands nowhere in these texts, in neither language. */
export function namesAnotherPlace(question: string, texts: readonly string[]): boolean {
  const asked = fold(question)
  const wanted = places.filter((names) => names.some((name) => name.test(asked)))
  if (wanted.length === 0) return false
  const said = fold(texts.join('\n'))
  return wanted.some((names) => !names.some((name) => name.test(said)))
}

/**
 * Whether a word of the question stands in these texts only as the end of another word whose first character makes it something
 * else: 陪产假 is no 产假.
 */
export function namesAnotherKind(question: string, texts: readonly string[]): boolean {
  const asked = fold(question)
  const said = fold(texts.join('\n'))
  const others = new Set(
    [...said.matchAll(/[陪副非代次](\p{Script=Han}{2})/gu)].filter(([whole]) => !asked.includes(whole)).map(([, word]) => word!),
  )
  return [...others].some((word) => asked.includes(word) && !new RegExp(`(?<![陪副非代次])${word}`, 'u').test(said))
}

export function yearsIn(text: string): string[] {
  return text.match(/(?<![\d.,])(?:19|20)\d\d(?![\d.,]*\d)/g) ?? []
}

/** Whether a sentence, or the name of its document, is of one of these years; false where the name tells of others only. */
export function ofYears(years: readonly string[], { context, scored }: Candidate, { path, title }: Passage): boolean | undefined {
  if (years.length === 0) return undefined
  const named = yearsIn(`${path} ${title}`)
  if ([...named, ...yearsIn(`${context} ${scored}`)].some((year) => years.includes(year))) return true
  return named.length > 0 ? false : undefined
}
