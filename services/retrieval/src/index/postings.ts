import { END, FIELDS, HEAD, LAST, LEVEL, TAIL } from './term-table.ts'

const PAGE_BITS = 18
/** in bytes */
export const PAGE = 1 << PAGE_BITS
// a list grows in slices: most terms occur once or twice, a few in every chunk
const SLICES = [8, 16, 32, 64, 128, 256, 512, 1024, 2048]
const LINK = 4
/** the weight that most entries have is not written: a term said once in the text */
export const ONCE = 4
/** the largest number that two bytes of a varint hold */
const MOST_OF_TWO = (1 << 14) - 1
/** in bytes, with a gap of two */
const MOST_OF_ENTRY = 3

/**
 * Lists of (number of a chunk, weight 1–255), numbers rising: differences as varints in slices of shared pages, each with one bit that
 * says whether a byte of weight follows. About 2 bytes an entry. Where a list stands is in its term's record.
 */
export type Postings = {
  append(records: Int32Array, term: number, chunk: number, weight: number): void
  /** looks at the end of each of these lists, so that the processor fetches them side by side before they are appended to */
  fetch(records: Int32Array, terms: Int32Array, count: number): void
  /** writes the list into both arrays, which must have room for all of it, and returns its length */
  read(records: Int32Array, term: number, chunks: Uint32Array, weights: Uint8Array): number
  readonly bytes: number
  /** as they lie in memory; `free`: where the next slice of the last page begins */
  parts(): PostingsParts
}
export type PostingsParts = { pages: Uint8Array[]; free: number }

export function createPostings(from: PostingsParts = { pages: [], free: PAGE }): Postings {
  const { pages } = from
  let { free } = from
  const looks = { sum: 0 } // kept, or the compiler would leave the looks of `fetch` out

  function allocate(size: number): number {
    if (free + size > PAGE) {
      pages.push(new Uint8Array(PAGE))
      free = 0
    }
    const address = (pages.length - 1) * PAGE + free
    free += size
    return address + 1 // 0 means none
  }

  function put(records: Int32Array, list: number, byte: number): void {
    if (records[list + TAIL] === records[list + END]) lengthen(records, list)
    const at = records[list + TAIL]!++ - 1
    pages[at >>> PAGE_BITS]![at & (PAGE - 1)] = byte
  }

  function lengthen(records: Int32Array, list: number): void {
    const isFirst = records[list + HEAD] === 0
    const level = isFirst ? 0 : Math.min(records[list + LEVEL]! + 1, SLICES.length - 1)
    const size = SLICES[level]!
    const slice = allocate(size)
    if (isFirst) records[list + HEAD] = slice
    else writeLink(records[list + END]! - 1, slice)
    records[list + LEVEL] = level
    records[list + TAIL] = slice
    records[list + END] = slice + size - LINK
  }

  function writeLink(at: number, to: number): void {
    const page = pages[at >>> PAGE_BITS]!
    const offset = at & (PAGE - 1)
    for (let i = 0; i < LINK; i++) page[offset + i] = (to >>> (8 * i)) & 255
  }

  return {
    append(records, term, chunk, weight) {
      const list = term * FIELDS
      let gap = (chunk + 1 - records[list + LAST]!) * 2 + (weight === ONCE ? 0 : 1)
      records[list + LAST] = chunk + 1
      const tail = records[list + TAIL]!
      if (gap <= MOST_OF_TWO && records[list + END]! - tail >= 3) {
        const page = pages[(tail - 1) >>> PAGE_BITS]!
        let at = (tail - 1) & (PAGE - 1)
        const from = at
        if (gap <= 127) page[at++] = gap
        else {
          page[at++] = (gap & 127) | 128
          page[at++] = gap >>> 7
        }
        if (weight !== ONCE) page[at++] = weight
        records[list + TAIL] = tail + at - from
        return
      }
      while (gap > 127) {
        put(records, list, (gap & 127) | 128)
        gap >>>= 7
      }
      put(records, list, gap)
      if (weight !== ONCE) put(records, list, weight)
    },

    fetch(records, terms, length) {
      let sum = 0
      for (let i = 0; i < length; i++) {
        const tail = records[terms[i]! * FIELDS + TAIL]!
        if (tail !== 0) sum ^= pages[(tail - 1) >>> PAGE_BITS]![(tail - 1) & (PAGE - 1)]!
      }
      looks.sum = sum
    },

    read(records, term, chunks, weights) {
      const list = term * FIELDS
      if (records[list + HEAD] === 0) return 0
      const stop = records[list + TAIL]! - 1
      let count = 0
      let level = 0
      let at = records[list + HEAD]! - 1
      let end = at + SLICES[0]! - LINK
      let page = pages[at >>> PAGE_BITS]!
      let chunk = -1
      let gap = 0
      let shift = 0
      let wantsWeight = false
      while (at !== stop) {
        if (at === end) {
          const o = at & (PAGE - 1)
          at = ((page[o]! | (page[o + 1]! << 8) | (page[o + 2]! << 16) | (page[o + 3]! << 24)) >>> 0) - 1
          if (level < SLICES.length - 1) level++
          page = pages[at >>> PAGE_BITS]!
          end = at + SLICES[level]! - LINK
        }
        // a whole entry at a time while it surely lies in this slice and has no more than two bytes of gap
        if (shift === 0 && !wantsWeight) {
          const safe = (stop > at && stop <= end ? stop : end) - MOST_OF_ENTRY
          while (at <= safe) {
            // no branch on what cannot be foreseen: whether a second byte and a weight follow
            const o = at & (PAGE - 1)
            const lower = page[o]!
            const long = lower >>> 7
            const upper = page[o + 1]! & -long
            if (upper > 127) break
            const both = (lower & 127) | (upper << 7)
            const said = both & 1
            chunk += both >>> 1
            chunks[count] = chunk
            weights[count++] = ONCE + ((page[o + 1 + long]! - ONCE) & -said)
            at += 1 + long + said
          }
          if (at === stop || at === end) continue
        }
        const byte = page[at & (PAGE - 1)]!
        at++
        if (wantsWeight) {
          wantsWeight = false
          weights[count++] = byte
        } else {
          gap |= (byte & 127) << shift
          if (byte & 128) shift += 7
          else {
            chunk += gap >>> 1
            chunks[count] = chunk
            if (gap & 1) wantsWeight = true
            else weights[count++] = ONCE
            gap = 0
            shift = 0
          }
        }
      }
      return count
    },

    get bytes() {
      return pages.length * PAGE
    },
    parts: () => ({ pages, free }),
  }
}
