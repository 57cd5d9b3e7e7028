import { first, hashTerm, second } from './term-hash.ts'

/** of a table as it lies in memory: its records, a power of two of them, and how many are taken */
export type TermTableParts = Pick<TermTable, 'records' | 'size'>

/**
 * Term → place in a hash table, without keeping the strings: the hashes of `term-hash` stand for the term.
 * All that is kept of a term lies in its place, FIELDS numbers: reading a text costs one look into memory per term.
 */
export type TermTable = {
  readonly size: number
  readonly bytes: number
  readonly records: Int32Array
  /** makes room, so that no place moves while up to so many new terms are added */
  reserve(terms: number): void
  /** -1 when it is not there */
  find(term: string): number
  /** the same for a term by its hashes, which is added where it is missing */
  findOrAdd(first: number, second: number): number
  /** looks at the places of all these at once: the processor fetches them side by side, and one by one from then on they are at hand */
  fetch(firsts: Int32Array, count: number): void
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
/** of the list of postings: how often it has grown, its first slice, where the next byte goes, where that slice ends (addresses + 1), its last chunk + 1 */
export const LEVEL = 3
export const HEAD = 4
export const TAIL = 5
export const END = 6
export const LAST = 7

export function createTermTable(from: number | TermTableParts = 0): TermTable {
  let records = typeof from === 'number' ? new Int32Array(sizeFor(from) * FIELDS) : from.records
  let mask = records.length / FIELDS - 1
  let count = typeof from === 'number' ? 0 : from.size
  const looks = { sum: 0 } // kept, or the compiler would leave the looks of `fetch` out

  /** the place of a term, or the empty one where it belongs */
  function locate(one: number, two: number): number {
    let place = one & mask
    for (;;) {
      const held = records[place * FIELDS]!
      if (held === 0 || (held === one && records[place * FIELDS + SECOND] === two)) return place
      place = (place + 1) & mask
    }
  }

  function findOrAdd(one: number, two: number): number {
    const place = locate(one, two)
    if (records[place * FIELDS] !== 0) return place
    records[place * FIELDS + FIRST] = one
    records[place * FIELDS + SECOND] = two
    count++
    return place
  }

  return {
    get size() {
      return count
    },
    get bytes() {
      return records.byteLength
    },
    get records() {
      return records
    },
    reserve(terms) {
      if (count + terms <= (mask + 1) * FULL) return
      const before = records
      records = new Int32Array(sizeFor(count + terms) * FIELDS)
      mask = records.length / FIELDS - 1
      for (let at = 0; at < before.length; at += FIELDS) {
        if (before[at] === 0) continue
        const to = locate(before[at]!, before[at + SECOND]!) * FIELDS
        for (let i = 0; i < FIELDS; i++) records[to + i] = before[at + i]!
      }
    },
    find(term) {
      hashTerm(term)
      const place = locate(first, second)
      return records[place * FIELDS] === 0 ? -1 : place
    },
    findOrAdd,
    fetch(firsts, length) {
      let sum = 0
      for (let i = 0; i < length; i++) sum ^= records[(firsts[i]! & mask) * FIELDS]!
      looks.sum = sum
    },
    *places() {
      for (let place = 0; place * FIELDS < records.length; place++) if (records[place * FIELDS] !== 0) yield place
    },
    adopt: (from, place) => findOrAdd(from.records[place * FIELDS + FIRST]!, from.records[place * FIELDS + SECOND]!),
  }
}

const FULL = 0.7

/** places for so many terms with room to grow: a power of two */
function sizeFor(terms: number): number {
  let size = 1 << 13
  while (terms > size * FULL) size *= 2
  return size
}

/** The same with half as much room again. */
export function grown<T extends Uint8Array | Uint32Array>(array: T): T {
  const larger = new (array.constructor as new (length: number) => T)(array.length + (array.length >> 1) + 1)
  larger.set(array)
  return larger
}
