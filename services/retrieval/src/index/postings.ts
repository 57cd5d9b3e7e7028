import { grown } from './term-table.ts'

const PAGE_BITS = 18
const PAGE = 1 << PAGE_BITS
// a list grows in slices: most terms occur once or twice, a few in every chunk
const SLICES = [8, 16, 32, 64, 128, 256, 512, 1024, 2048]
const LINK = 4

/**
 * Lists of (number of a chunk, weight 1–255), numbers rising: differences as varints in slices of shared pages.
 * About 2.5 bytes an entry.
 */
export type Postings = {
  append(term: number, chunk: number, weight: number): void
  visit(term: number, each: (chunk: number, weight: number) => void): void
  readonly bytes: number
}

export function createPostings(): Postings {
  const pages: Uint8Array[] = []
  let free = PAGE // offset in the last page; full at first
  let heads = new Uint32Array(1 << 12)
  let tails = new Uint32Array(1 << 12)
  let ends = new Uint32Array(1 << 12)
  let lasts = new Uint32Array(1 << 12)
  let levels = new Uint8Array(1 << 12)

  function allocate(size: number): number {
    if (free + size > PAGE) {
      pages.push(new Uint8Array(PAGE))
      free = 0
    }
    const address = (pages.length - 1) * PAGE + free
    free += size
    return address + 1 // 0 means none
  }

  function ensure(term: number): void {
    if (term < heads.length) return
    const length = Math.max(term + 1, heads.length * 2)
    heads = grown(heads, length)
    tails = grown(tails, length)
    ends = grown(ends, length)
    lasts = grown(lasts, length)
    const wider = new Uint8Array(length)
    wider.set(levels)
    levels = wider
  }

  function put(term: number, byte: number): void {
    if (tails[term] === ends[term]) {
      const level = heads[term] === 0 ? 0 : Math.min(levels[term]! + 1, SLICES.length - 1)
      const size = SLICES[level]!
      const slice = allocate(size)
      if (heads[term] === 0) heads[term] = slice
      else writeLink(ends[term]! - 1, slice)
      levels[term] = level
      tails[term] = slice
      ends[term] = slice + size - LINK
    }
    const at = tails[term]! - 1
    pages[at >>> PAGE_BITS]![at & (PAGE - 1)] = byte
    tails[term] = at + 2
  }

  function writeLink(at: number, to: number): void {
    const page = pages[at >>> PAGE_BITS]!
    const offset = at & (PAGE - 1)
    for (let i = 0; i < LINK; i++) page[offset + i] = (to >>> (8 * i)) & 255
  }

  return {
    append(term, chunk, weight) {
      ensure(term)
      let gap = chunk + 1 - lasts[term]!
      lasts[term] = chunk + 1
      while (gap > 127) {
        put(term, (gap & 127) | 128)
        gap >>>= 7
      }
      put(term, gap)
      put(term, weight)
    },

    visit(term, each) {
      if (term < 0 || term >= heads.length || heads[term] === 0) return
      const stop = tails[term]! - 1
      let level = 0
      let at = heads[term]! - 1
      let end = at + SLICES[0]! - LINK
      let page = pages[at >>> PAGE_BITS]!
      let chunk = -1
      let gap = 0
      let shift = 0
      let wantsWeight = false
      for (;;) {
        if (at === stop) return
        if (at === end) {
          const o = at & (PAGE - 1)
          at = ((page[o]! | (page[o + 1]! << 8) | (page[o + 2]! << 16) | (page[o + 3]! << 24)) >>> 0) - 1
          if (level < SLICES.length - 1) level++
          page = pages[at >>> PAGE_BITS]!
          end = at + SLICES[level]! - LINK
        }
        const byte = page[at & (PAGE - 1)]!
        at++
        if (wantsWeight) {
          wantsWeight = false
          each(chunk, byte)
        } else {
          gap |= (byte & 127) << shift
          if (byte & 128) shift += 7
          else {
            chunk += gap
            gap = 0
            shift = 0
            wantsWeight = true
          }
        }
      }
    },

    get bytes() {
      return pages.length * PAGE + heads.length * 17
    },
  }
}
