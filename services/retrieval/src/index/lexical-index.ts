import type { LexicalHit } from './best-hits.ts'
import { type Bm25, createBm25, type Meaning, type Scored, type Search, type WeightedTerm } from './bm25.ts'
import { createPostings, type PostingsParts } from './postings.ts'
import { createTermReader, type Fields } from './term-reader.ts'
import { COUNT, createTermTable, FIELDS, grown, type TermTableParts } from './term-table.ts'

export type { LexicalHit, Meaning, Search, WeightedTerm }

/** All that an index holds, as it lies in memory; `lengths` of its chunks by number, in terms, 0 = removed. */
export type LexicalParts = { lengths: Uint32Array; terms: TermTableParts; postings: PostingsParts }

/** BM25 over characters, bigrams and stems, in typed arrays. Chunks are numbers given in rising order. */
export type LexicalIndex = Omit<Bm25, 'changed'> & {
  add(fields: Fields): number
  /** needs the fields as they were added: the document frequencies stay exact */
  remove(chunk: number, fields: Fields): void
  /** chunks removed but still in the lists */
  readonly dead: number
  /** drops them; `moved` tells each living chunk's new number, in order */
  compact(moved: (from: number, to: number) => void): void
  parts(): LexicalParts
  /** an empty index takes over what another held: of its chunks those live that are claimed, before the frequencies are counted again */
  adopt(parts: LexicalParts): void
  claim(chunk: number): void
  recount(): void
}

export function createLexicalIndex(): LexicalIndex {
  const held: Scored = {
    terms: createTermTable(),
    postings: createPostings(),
    lengths: new Uint32Array(1 << 10), // 0 = removed
    next: 0,
    alive: 0,
    totalLength: 0,
  }
  const bm25 = createBm25(held)
  const reader = createTermReader()
  let places = new Int32Array(0) // of the terms of the chunk that is added
  let adopted: LexicalParts['lengths'] = new Uint32Array(0) // lengths of chunks that may be claimed

  function live(chunk: number, length: number): void {
    held.lengths[chunk] = length
    held.totalLength += length
    held.alive++
    bm25.changed()
  }

  /** Calls `visit` with each term and how much of `chunks` and `quarters` is its list. */
  function eachList(visit: (place: number, length: number, chunks: Uint32Array, quarters: Uint8Array) => void): void {
    const { terms, postings, next } = held
    const [chunks, quarters] = [new Uint32Array(next), new Uint8Array(next)]
    for (const place of terms.places()) visit(place, postings.read(terms.records, place, chunks, quarters), chunks, quarters)
  }

  return {
    ...bm25,
    get size() {
      return held.alive
    },
    get dead() {
      return held.next - held.alive
    },
    get bytes() {
      return held.postings.bytes + held.terms.bytes + bm25.bytes
    },

    add(fields) {
      const said = reader.read(fields)
      const { terms, postings } = held
      const chunk = held.next++
      if (chunk >= held.lengths.length) held.lengths = grown(held.lengths)
      live(chunk, said.length)
      terms.reserve(said.count)
      terms.fetch(said.firsts, said.count)
      const { records } = terms
      if (places.length < said.count) places = new Int32Array(said.firsts.length)
      for (let i = 0; i < said.count; i++) places[i] = terms.findOrAdd(said.firsts[i]!, said.seconds[i]!)
      postings.fetch(records, places, said.count)
      for (let i = 0; i < said.count; i++) {
        records[places[i]! * FIELDS + COUNT]!++
        postings.append(records, places[i]!, chunk, Math.min(255, said.quarters[i]!))
      }
      return chunk
    },

    remove(chunk, fields) {
      if (!held.lengths[chunk]) return
      const said = reader.read(fields)
      const { terms } = held
      terms.reserve(said.count)
      const { records } = terms
      for (let i = 0; i < said.count; i++) {
        const counted = terms.findOrAdd(said.firsts[i]!, said.seconds[i]!) * FIELDS + COUNT
        if (records[counted]! > 0) records[counted]!--
      }
      held.totalLength -= held.lengths[chunk]!
      held.lengths[chunk] = 0
      held.alive--
      bm25.changed()
    },

    compact(moved) {
      const numbers = new Int32Array(held.next).fill(-1)
      const kept = new Uint32Array(Math.max(1 << 10, held.alive))
      let count = 0
      for (let chunk = 0; chunk < held.next; chunk++) {
        if (held.lengths[chunk] === 0) continue
        kept[count] = held.lengths[chunk]!
        numbers[chunk] = count
        moved(chunk, count++)
      }
      const old = held.terms
      let living = 0
      for (const place of old.places()) if (old.records[place * FIELDS + COUNT]! > 0) living++
      const terms = createTermTable(living)
      const postings = createPostings()
      eachList((place, length, chunks, quarters) => {
        if (old.records[place * FIELDS + COUNT] === 0) return
        const target = terms.adopt(old, place)
        terms.records[target * FIELDS + COUNT] = old.records[place * FIELDS + COUNT]!
        for (let i = 0; i < length; i++) {
          const number = numbers[chunks[i]!]!
          if (number >= 0) postings.append(terms.records, target, number, quarters[i]!)
        }
      })
      Object.assign(held, { terms, postings, lengths: kept, next: count })
      bm25.changed()
    },

    parts: () => ({ lengths: held.lengths.subarray(0, held.next), terms: held.terms, postings: held.postings.parts() }),

    adopt({ lengths, terms, postings }) {
      adopted = lengths
      const room = new Uint32Array(Math.max(1 << 10, lengths.length))
      Object.assign(held, { terms: createTermTable(terms), postings: createPostings(postings), lengths: room, next: lengths.length })
      bm25.changed()
    },

    claim: (chunk) => live(chunk, adopted[chunk]!),

    recount() {
      adopted = new Uint32Array(0)
      const { terms, lengths } = held
      eachList((place, length, chunks) => {
        let count = 0
        for (let i = 0; i < length; i++) if (lengths[chunks[i]!] !== 0) count++
        terms.records[place * FIELDS + COUNT] = count
      })
    },
  }
}
