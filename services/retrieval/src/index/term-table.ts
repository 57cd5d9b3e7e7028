/**
 * Term → place in a hash table, without keeping the strings: two 32-bit hashes stand for the term
 * (10 million terms collide with a probability of about 3 in a million).
 * All that is kept of a term lies in its place, FIELDS numbers: reading a text costs one look into memory per term.
 */
export type TermTable = {
  readonly size: number
  readonly bytes: number
  readonly records: Uint32Array
  /** counts up when the table was widened: then every place is another one */
  readonly widened: number
  /** makes room, so that no place moves while up to so many new terms are added */
  reserve(terms: number): void
  /** -1 when it is not there */
  find(term: string): number
  findOrAdd(term: string): number
  /** the same for one character, or for the two characters of a bigram, without a string of it */
  findOrAddCharacters(code: number, previous: number): number
  /** the places that are taken */
  places(): Iterable<number>
  /** puts a term of another table into this one, with an empty record */
  adopt(from: TermTable, place: number): number
}

export const FIELDS = 8
const FIRST = 0 // 0 = nobody's place
const SECOND = 1
/** in how many chunks the term occurs */
export const COUNT = 2
/** of the chunk that is being read, in quarters; and, in its top byte, how often the list of postings has grown */
export const WEIGHT = 3
export const LEVEL_SHIFT = 24
/** of the list of postings: its first slice, where the next byte goes, where that slice ends (addresses + 1), its last chunk + 1 */
export const HEAD = 4
export const TAIL = 5
export const END = 6
export const LAST = 7

export function createTermTable(expected = 0): TermTable {
  let records = new Uint32Array(sizeFor(expected) * FIELDS)
  let count = 0
  let widened = 0
  const characters = new Int32Array(0x10000).fill(-1) // the place of each single character met so far

  /** the place of the term just hashed, or the empty one where it belongs */
  function locate(): number {
    const mask = records.length / FIELDS - 1
    let place = first & mask
    for (;;) {
      const held = records[place * FIELDS]!
      if (held === 0 || (held === first && records[place * FIELDS + SECOND] === second)) return place
      place = (place + 1) & mask
    }
  }

  function addHashed(): number {
    const place = locate()
    if (records[place * FIELDS] !== 0) return place
    records[place * FIELDS + FIRST] = first
    records[place * FIELDS + SECOND] = second
    count++
    return place
  }

  function* places(): Iterable<number> {
    for (let place = 0; place * FIELDS < records.length; place++) if (records[place * FIELDS] !== 0) yield place
  }

  function reserve(terms: number): void {
    if (count + terms <= (records.length / FIELDS) * FULL) return
    const before = records
    records = new Uint32Array(sizeFor(count + terms) * FIELDS)
    for (let at = 0; at < before.length; at += FIELDS) {
      if (before[at] === 0) continue
      first = before[at]!
      second = before[at + SECOND]!
      const to = locate() * FIELDS
      for (let i = 0; i < FIELDS; i++) records[to + i] = before[at + i]!
    }
    characters.fill(-1)
    widened++
  }

  return {
    get size() {
      return count
    },
    get bytes() {
      return records.byteLength + characters.byteLength
    },
    get records() {
      return records
    },
    get widened() {
      return widened
    },
    reserve,
    find(term) {
      hash(term)
      const place = locate()
      return records[place * FIELDS] === 0 ? -1 : place
    },
    findOrAdd(term) {
      hash(term)
      return addHashed()
    },
    findOrAddCharacters(code, previous) {
      const single = previous === 0 && code <= 0xffff
      if (single && characters[code] !== -1) return characters[code]!
      hashCharacters(code, previous)
      const place = addHashed()
      if (single) characters[code] = place
      return place
    },
    places,
    adopt(from, place) {
      first = from.records[place * FIELDS + FIRST]!
      second = from.records[place * FIELDS + SECOND]!
      return addHashed()
    },
  }
}

const FULL = 0.7

/** places for so many terms with room to grow: a power of two */
function sizeFor(terms: number): number {
  let size = 1 << 13
  while (terms > size * FULL) size *= 2
  return size
}

export function grown(array: Uint32Array, length = array.length + (array.length >> 1) + 1): Uint32Array<ArrayBuffer> {
  const larger = new Uint32Array(length)
  larger.set(array)
  return larger
}

let first = 0
let second = 0

/** Sets `first` and `second`: two hashes in one pass, without an object for each of millions of terms. */
function hash(term: string): void {
  begin()
  for (let i = 0; i < term.length; i++) unit(term.charCodeAt(i))
  end()
}

function hashCharacters(code: number, previous: number): void {
  begin()
  if (previous !== 0) character(previous)
  character(code)
  end()
}

function character(code: number): void {
  if (code > 0xffff) {
    unit(0xd800 + ((code - 0x10000) >> 10))
    unit(0xdc00 + ((code - 0x10000) & 0x3ff))
  } else unit(code)
}

function begin(): void {
  first = 0x811c9dc5
  second = 0x9747b28c
}

function unit(code: number): void {
  first = Math.imul(first ^ code, 0x01000193)
  second = Math.imul(second ^ code, 0x5bd1e995)
}

function end(): void {
  first = mixed(first) || 1 // 0 is nobody's
  second = mixed(second)
}

function mixed(h: number): number {
  const half = Math.imul(h ^ (h >>> 15), 0x2c1b3c6d)
  return (half ^ (half >>> 13)) >>> 0
}
