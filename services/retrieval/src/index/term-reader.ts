import { fold } from '@docent/core/text/fold'
import { tokensOfWord, visitFolded } from '@docent/core/text/tokens'
import { FIELDS, grown, LEVEL_SHIFT, type TermTable, WEIGHT } from './term-table.ts'

/** weights are kept in steps of a quarter */
export const STEP = 4
const TEXT_QUARTERS = 4
const HEADER_QUARTERS = 4
const PATH_QUARTERS = 2
const WORDS_KEPT = 1 << 15
const MANY = -1
const ONLY_WEIGHT = (1 << LEVEL_SHIFT) - 1

export type Fields = { header: string; text: string; path: string }

/** Reads a chunk into the terms of a table, each once with its weight, without an object for each. */
export type TermReader = {
  /** returns the chunk's length in terms; title and headings count as text, the path helps to find but makes no chunk longer */
  read(fields: Fields): number
  /** hands over what was read, once */
  take(each: (term: number, quarters: number) => void): void
}

export function createTermReader(terms: TermTable): TermReader {
  let read = new Uint32Array(1 << 10)
  let distinct = 0
  let length = 0
  let quarters = 0
  let reading = ''
  // the terms of words met before: two hashes stand for the word, one of them is its place, and the newest word keeps it
  const firsts = new Int32Array(WORDS_KEPT)
  const seconds = new Int32Array(WORDS_KEPT)
  const soleTerms = new Int32Array(WORDS_KEPT) // MANY: they stand in termsOf
  const termsOf = new Map<number, readonly number[]>()
  let path = { text: '', terms: [] as number[] }
  let { widened } = terms

  function say(term: number): void {
    const { records } = terms
    const at = term * FIELDS + WEIGHT
    length++
    if ((records[at]! & ONLY_WEIGHT) === 0) {
      if (distinct === read.length) read = grown(read, read.length * 2)
      read[distinct++] = term
    }
    records[at]! += quarters
  }

  function sayCharacter(code: number, previous: number): void {
    if (previous !== 0) say(terms.findOrAddCharacters(code, previous))
    say(terms.findOrAddCharacters(code, 0))
  }

  function sayWord(start: number, end: number): void {
    let first = end - start
    let second = 0x9747b28c
    for (let i = start; i < end; i++) {
      const code = reading.charCodeAt(i)
      first = Math.imul(first ^ code, 0x01000193)
      second = Math.imul(second ^ code, 0x5bd1e995)
    }
    const place = (first ^ (first >>> 15)) & (WORDS_KEPT - 1)
    if (firsts[place] !== first || seconds[place] !== second) {
      const found = tokensOfWord(reading.slice(start, end)).map((token) => terms.findOrAdd(token))
      soleTerms[place] = found.length === 1 ? found[0]! : MANY
      if (found.length === 1) termsOf.delete(place)
      else termsOf.set(place, found)
      firsts[place] = first
      seconds[place] = second
    }
    const term = soleTerms[place]!
    if (term !== MANY) say(term)
    else for (const one of termsOf.get(place)!) say(one)
  }

  function sayAll(folded: string, weight: number): void {
    quarters = weight
    reading = folded
    visitFolded(reading, sayCharacter, sayWord)
  }

  function sayOnce(list: readonly number[]): void {
    quarters = PATH_QUARTERS
    for (const term of list) say(term)
  }

  function take(each: (term: number, quarters: number) => void): void {
    for (let i = 0; i < distinct; i++) {
      const at = read[i]! * FIELDS + WEIGHT
      const weight = terms.records[at]! & ONLY_WEIGHT
      terms.records[at]! -= weight
      each(read[i]!, weight)
    }
    distinct = 0
  }

  /** after the table was widened its terms stand elsewhere */
  function forget(): void {
    widened = terms.widened
    firsts.fill(0)
    seconds.fill(0)
    termsOf.clear()
    path = { text: '', terms: [] }
  }

  return {
    read(fields) {
      const [text, header, named] = [fold(fields.text), fold(fields.header), fold(fields.path)]
      terms.reserve(2 * (text.length + header.length + named.length))
      if (widened !== terms.widened) forget()
      if (path.text !== named) {
        sayAll(named, PATH_QUARTERS)
        const found: number[] = []
        take((term) => found.push(term))
        path = { text: named, terms: found }
      }
      length = 0
      sayAll(text, TEXT_QUARTERS)
      sayAll(header, HEADER_QUARTERS)
      const said = Math.max(1, length)
      sayOnce(path.terms)
      return said
    },
    take,
  }
}
