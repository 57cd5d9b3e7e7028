import { fold } from '@docent/core/text/fold'
import type { Identifier } from '@docent/core/text/identifiers'
import type { Cell } from './candidates.ts'

/** `asked`: a cell of the row stands in the question, whole. `other`: only a part of its name does, or only its name with more to it. */
export type Naming = 'asked' | 'other' | undefined

const MIN_NAME = 2
const MAX_NAME = 40
// what stands in more sentences is what a document is about
const FEW = 8

/** Which rows a question names: one that names “A1” asks for the row A1, and not for “A1 Pro” of the same column. */
export function namingsOf(question: string, rows: readonly (readonly Cell[] | undefined)[]): Naming[] {
  const names = new Map<string, RegExp>()
  for (const { cell } of rows.flatMap((cells) => cells ?? [])) {
    const name = plain(cell)
    if (isName(name)) names.set(name, whole(name))
  }
  // the longest first: what is named as “A1 Pro” does not name A1 as well
  let rest = plain(question)
  const asked = new Set<string>()
  for (const [name, pattern] of [...names].sort(([a], [b]) => b.length - a.length)) {
    if (!pattern.test(rest)) continue
    asked.add(name)
    rest = rest.replaceAll(new RegExp(pattern, 'gu'), '\n')
  }
  const columns = new Map<string, Set<string>>()
  for (const { column, cell } of rows.flatMap((cells) => cells ?? [])) {
    if (asked.has(plain(cell))) columns.set(column, (columns.get(column) ?? new Set()).add(plain(cell)))
  }
  return rows.map((cells) => {
    if (!cells) return undefined
    if (cells.some(({ cell }) => asked.has(plain(cell)))) return 'asked'
    const isOther = cells.some(({ column, cell }) => {
      const name = plain(cell)
      return isName(name) && [...(columns.get(column) ?? [])].some((known) => names.get(known)!.test(name) || names.get(name)!.test(known))
    })
    return isOther ? 'other' : undefined
  })
}

/** The share of `codes` (folded words with a digit) that stand in a text as words of their own: A1 is not in A10. */
export function shareOfCodes(codes: readonly string[], text: string): number {
  if (codes.length === 0) return 0
  const folded = plain(text)
  return codes.filter((code) => whole(code).test(folded)).length / codes.length
}

/** The versions of a question (4.3, 2.3.1) that stand nowhere in these texts: 4.2 and 4.3.1 are others. */
export function versionsNotIn(question: string, texts: readonly string[]): string[] {
  const versions = fold(question).match(/(?<![\d.])\d+(?:\.\d+)+(?![\d.]*\d)/g) ?? []
  const held = texts.map(fold)
  return versions.filter((version) => {
    const exactly = new RegExp(`(?<![\\d.])${version.replaceAll('.', '\\.')}(?!\\.?\\d)`)
    return !held.some((text) => exactly.test(text))
  })
}

/** The few of these whose text has all of the identifiers; none where many have, or there are none. */
export function holdersOf<T>(identifiers: readonly Identifier[], all: readonly T[], textOf: (one: T) => string): ReadonlySet<T> {
  if (identifiers.length === 0) return new Set()
  const found = all.filter((one) => countIn(identifiers, textOf(one)) === identifiers.length)
  return new Set(found.length <= FEW ? found : [])
}

/** Whether a text holds all of the identifiers, which few hold (`isRare`), or none; nothing else is a sign. */
export function namesIn(text: string, identifiers: readonly Identifier[], isRare: boolean): { names?: 'held' | 'missing' } {
  if (identifiers.length === 0) return {}
  const held = countIn(identifiers, text)
  if (held === 0) return { names: 'missing' }
  return isRare && held === identifiers.length ? { names: 'held' } : {}
}

function countIn(identifiers: readonly Identifier[], text: string): number {
  const folded = fold(text)
  return identifiers.filter(({ pattern }) => pattern.test(folded)).length
}

function plain(text: string): string {
  return fold(text).replace(/\s+/g, ' ').trim()
}

/** Amounts and remarks name nothing. */
function isName(name: string): boolean {
  return name.length >= MIN_NAME && name.length <= MAX_NAME && /\p{L}/u.test(name)
}

function whole(name: string): RegExp {
  const letter = '[\\p{Script=Latin}\\p{N}]'
  const before = /^[\p{Script=Latin}\p{N}]/u.test(name) ? `(?<!${letter})` : ''
  // a figure may have its unit on it: 12V
  const after = /^\d+$/.test(name) ? '(?!\\p{N})' : /[\p{Script=Latin}\p{N}]$/u.test(name) ? `(?!${letter})` : ''
  return new RegExp(`${before}${name.split(' ').map(RegExp.escape).join(' ?')}${after}`, 'u')
}
