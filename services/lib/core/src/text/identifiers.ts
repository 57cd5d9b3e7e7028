import { fold } from './fold.ts'

/** A name that stands for one thing: `key` is its folded form, `pattern` finds it in a folded text, also with other joiners (RFC 9457). */
export type Identifier = { key: string; pattern: RegExp }

const MOST = 8
const LONGEST = 80

const mail = /[a-z0-9][\w.%+-]{0,63}@[a-z0-9-]{1,63}(?:\.[a-z0-9-]+)+/gi
const date = /(?<!\d)((?:19|20)\d\d)(?:[-/.]|\s?年\s?)(\d{1,2})(?:[-/.]|\s?月\s?)(\d{1,2})(?!\d)(?:\s?日)?/g
export const months = 'january february march april may june july august september october november december'.split(' ')
const monthName = `(${months.map((name) => `${name}|${name.slice(0, 3)}\\.?`).join('|')})`
const nth = '(\\d{1,2})(?:st|nd|rd|th)?'
const dayFirst = new RegExp(`(?<!\\d)${nth} (?:of )?${monthName},? ((?:19|20)\\d\\d)(?!\\d)`, 'gi')
const monthFirst = new RegExp(`(?<![a-z])${monthName} ${nth},? ((?:19|20)\\d\\d)(?!\\d)`, 'gi')
// RFC 9457, ISO 27001: capitals and a number
const spaced = /(?<![\p{L}\p{N}])[A-Z]{2,8} \d{2,}(?![\p{L}\p{N}])/gu
const joined = /[a-z0-9]+(?:[-_.][a-z0-9]+)*/gi

/**
 * The part numbers, versions, error codes, e-mail addresses, order numbers and dates of a text, as it was written: capitals tell. Amounts,
 * ordinals, years and plain words are none.
 */
export function identifiersOf(text: string): Identifier[] {
  const found = new Map<string, RegExp>()
  let rest = text.normalize('NFKC')
  const take = (kind: RegExp, patternOf: (match: RegExpExecArray) => RegExp | undefined) => {
    for (const match of rest.matchAll(kind)) {
      if (found.size >= MOST) break
      const pattern = patternOf(match)
      if (pattern) found.set(fold(match[0]), pattern)
    }
    rest = rest.replace(kind, '\n')
  }
  take(mail, ([whole]) => new RegExp(`(?<![\\w.+-])${RegExp.escape(fold(whole))}(?![\\w-]|\\.\\w)`))
  take(date, ([, year, month, day]) => dated(year!, Number(month), Number(day)))
  take(dayFirst, ([, day, month, year]) => dated(year!, monthOf(month!), Number(day)))
  take(monthFirst, ([, month, day, year]) => dated(year!, monthOf(month!), Number(day)))
  take(spaced, ([whole]) => pieced(fold(whole)))
  take(joined, ([whole]) => (isIdentifier(whole) ? pieced(fold(whole)) : undefined))
  return [...found].map(([key, pattern]) => ({ key, pattern }))
}

function isIdentifier(word: string): boolean {
  if (word.length > LONGEST) return false
  // ERR_OOM
  if (/^[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+$/.test(word)) return true
  // A1 and B4 are what a folder calls its products, in many places
  if (!/\d/.test(word) || word.replace(/[^a-z\d]/gi, '').length < (/[-_.]/.test(word) ? 3 : 4)) return false
  if (/^[\d._-]+$/.test(word)) return isNumber(word)
  // 12V, 19th, 1990s, 10km are amounts, 5-year-old and mid-1990s are no names
  return !/^\d+(?:\.\d+)?[a-z]{1,3}$|^\d+-[a-z]|^(?:early|mid|late|pre|post)-/i.test(word)
}

/** 2.3.1, 2024-0042 and 4830091; but not 4.5, 10-20 or 1990-95. */
function isNumber(word: string): boolean {
  if (/^\d+(?:\.\d+)+$/.test(word)) return word.split('.').length > 2
  return word.replace(/\D/g, '').length > 5 && !/^(?:19|20)\d\d-(?:(?:19|20)\d\d|\d\d)$/.test(word)
}

/** The same letters and digits in the same order, whatever joins them, and nothing more to either side. */
function pieced(key: string): RegExp {
  const version = /^v?(\d+(?:\.\d+)+)$/.exec(key)?.[1]
  if (version) return new RegExp(`(?<![a-z\\d.])v?${version.replaceAll('.', '\\.')}(?!\\.?\\d|[a-z])`)
  const pieces = key.match(/[a-z]+|\d+/g) ?? [key]
  const body = pieces.join('[-_./ ]?')
  return new RegExp(`(?<![a-z\\d]|\\d[-_./])${body}(?![a-z\\d]|[-_./]\\d)`)
}

function monthOf(name: string): number {
  return months.findIndex((month) => month.startsWith(name.toLowerCase().slice(0, 3))) + 1
}

function dated(year: string, month: number, day: number): RegExp | undefined {
  if (month < 1 || month > 12 || day < 1 || day > 31) return undefined
  const name = `(?:${months[month - 1]}|${months[month - 1]!.slice(0, 3)})`
  const nthDay = `0?${day}(?:th|st|nd|rd)?`
  const ways = [
    `${year}(?:[-/.]|\\s?年\\s?)0?${month}(?:[-/.]|\\s?月\\s?)0?${day}(?!\\d)`,
    `${nthDay}\\.? (?:of )?${name},? ${year}`,
    `${name}\\.? ${nthDay},? ${year}`,
  ]
  return new RegExp(`(?<!\\d)(?:${ways.join('|')})`)
}
