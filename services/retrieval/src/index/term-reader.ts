import { fold } from '@docent/core/text/fold'
import { tokensOfWord, visitFolded } from '@docent/core/text/tokens'
import { first, firstOf, hashTerm, pairOf, second, secondOf } from './term-hash.ts'

/** weights are kept in steps of a quarter */
export const STEP = 4
const TEXT_QUARTERS = 4
const HEADER_QUARTERS = 4
const PATH_QUARTERS = 2
const WORDS_KEPT = 1 << 15
const MANY = 0 // no term's first hash

export type Fields = { header: string; text: string; path: string }

/** What a chunk says: each term once, by its hashes, with its weight in quarters. Valid until the next is read. */
export type ReadTerms = {
  count: number
  firsts: Int32Array
  seconds: Int32Array
  quarters: Int32Array
  /** in terms; title and headings count as text, the path helps to find but makes no chunk longer */
  length: number
}

/** Reads a chunk into its terms without an object for each, and without a look outside of what is read. */
export type TermReader = {
  read(fields: Fields): ReadTerms
  /** what one text says, of which no header and no path is known */
  readText(text: string): ReadTerms
  /** whether what was read last says it */
  says(one: number, two: number): boolean
}

export function createTermReader(): TermReader {
  const said: ReadTerms = { count: 0, firsts: new Int32Array(0), seconds: new Int32Array(0), quarters: new Int32Array(0), length: 0 }
  // hash table of what the chunk has said so far: number in `said` + 1
  let slots = new Int32Array(1)
  let slotOf = new Int32Array(0)
  let weight = TEXT_QUARTERS
  let reading = ''
  // the terms of words met before: two hashes stand for the word, one of them is its place, and the newest word keeps it
  const firsts = new Int32Array(WORDS_KEPT)
  const seconds = new Int32Array(WORDS_KEPT)
  const soleFirsts = new Int32Array(WORDS_KEPT) // MANY: they stand in termsOf
  const soleSeconds = new Int32Array(WORDS_KEPT)
  const termsOf = new Map<number, Int32Array>()
  let path = { text: '', terms: new Int32Array(0) }

  /** Forgets what was said, and makes room for so many terms. */
  function begin(most: number): void {
    for (let i = 0; i < said.count; i++) slots[slotOf[i]!] = 0
    said.count = 0
    said.length = 0
    if (most <= said.firsts.length) return
    const size = 1 << Math.ceil(Math.log2(most + 1))
    said.firsts = new Int32Array(size)
    said.seconds = new Int32Array(size)
    said.quarters = new Int32Array(size)
    slotOf = new Int32Array(size)
    slots = new Int32Array(size * 2)
  }

  function say(one: number, two: number): void {
    said.length++
    const mask = slots.length - 1
    let slot = one & mask
    for (;;) {
      const number = slots[slot]! - 1
      if (number < 0) break
      if (said.firsts[number] === one && said.seconds[number] === two) {
        said.quarters[number]! += weight
        return
      }
      slot = (slot + 1) & mask
    }
    const number = said.count++
    slots[slot] = number + 1
    slotOf[number] = slot
    said.firsts[number] = one
    said.seconds[number] = two
    said.quarters[number] = weight
  }

  function sayUnits(units: number): void {
    say(firstOf(units), secondOf(units))
  }

  function sayCharacter(code: number, previous: number): void {
    if (code > 0xffff || previous > 0xffff) saySurrogates(code, previous)
    else {
      if (previous !== 0) sayUnits(pairOf(previous, code))
      sayUnits(code)
    }
  }

  function saySurrogates(code: number, previous: number): void {
    const char = String.fromCodePoint(code)
    for (const term of previous === 0 ? [char] : [String.fromCodePoint(previous) + char, char]) {
      hashTerm(term)
      say(first, second)
    }
  }

  function sayWord(start: number, end: number): void {
    const text = reading
    let one = end - start
    let two = 0x9747b28c | 0
    for (let i = start; i < end; i++) {
      const unit = text.charCodeAt(i)
      one = Math.imul(one ^ unit, 0x01000193)
      two = Math.imul(two ^ unit, 0x5bd1e995)
    }
    const place = (one ^ (one >>> 15)) & (WORDS_KEPT - 1)
    if (firsts[place] !== one || seconds[place] !== two) {
      firsts[place] = one
      seconds[place] = two
      keepTerms(place, tokensOfWord(text.slice(start, end)))
    }
    if (soleFirsts[place] !== MANY) say(soleFirsts[place]!, soleSeconds[place]!)
    else sayHashes(termsOf.get(place)!)
  }

  function keepTerms(place: number, tokens: readonly string[]): void {
    if (tokens.length === 1) {
      hashTerm(tokens[0]!)
      soleFirsts[place] = first
      soleSeconds[place] = second
      termsOf.delete(place)
      return
    }
    soleFirsts[place] = MANY
    const terms = new Int32Array(tokens.length * 2)
    tokens.forEach((token, i) => {
      hashTerm(token)
      terms[2 * i] = first
      terms[2 * i + 1] = second
    })
    termsOf.set(place, terms)
  }

  function sayHashes(terms: Int32Array): void {
    for (let i = 0; i < terms.length; i += 2) say(terms[i]!, terms[i + 1]!)
  }

  function sayAll(folded: string, quarters: number): void {
    weight = quarters
    reading = folded
    visitFolded(reading, sayCharacter, sayWord)
  }

  function termsOfPath(named: string): Int32Array {
    if (path.text === named) return path.terms
    begin(2 * named.length)
    sayAll(named, PATH_QUARTERS)
    const terms = new Int32Array(said.count * 2)
    for (let i = 0; i < said.count; i++) {
      terms[2 * i] = said.firsts[i]!
      terms[2 * i + 1] = said.seconds[i]!
    }
    path = { text: named, terms }
    return terms
  }

  return {
    readText(text) {
      const folded = fold(text)
      begin(2 * folded.length)
      sayAll(folded, TEXT_QUARTERS)
      return said
    },
    says(one, two) {
      const mask = slots.length - 1
      for (let slot = one & mask; ; slot = (slot + 1) & mask) {
        const number = slots[slot]! - 1
        if (number < 0) return false
        if (said.firsts[number] === one && said.seconds[number] === two) return true
      }
    },
    read(fields) {
      const [text, header, named] = [fold(fields.text), fold(fields.header), fold(fields.path)]
      const pathTerms = termsOfPath(named)
      begin(2 * (text.length + header.length) + pathTerms.length)
      sayAll(text, TEXT_QUARTERS)
      sayAll(header, HEADER_QUARTERS)
      const length = Math.max(1, said.length)
      weight = PATH_QUARTERS
      sayHashes(pathTerms)
      said.length = length
      return said
    },
  }
}

/** For what passages say beside the index: what it has read holds until somebody reads the next. */
export const passageReader: TermReader = createTermReader()
