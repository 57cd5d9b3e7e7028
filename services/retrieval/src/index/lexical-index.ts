import { createPostings } from './postings.ts'
import { createTermReader, type Fields, STEP } from './term-reader.ts'
import { COUNT, createTermTable, FIELDS, grown } from './term-table.ts'

const K1 = 1.2
const B = 0.75

export type WeightedTerm = { term: string; weight: number }
/** one word of a question with all that it may be called: of the alternatives, whose terms all count, only the best counts in a chunk */
export type Meaning = { weight: number; alternatives: readonly (readonly string[])[] }
export type LexicalHit = { chunk: number; score: number }

/** BM25 over characters, bigrams and stems, in typed arrays. Chunks are numbers given in rising order. */
export type LexicalIndex = {
  readonly size: number
  readonly bytes: number
  add(fields: Fields): number
  /** needs the fields as they were added: the document frequencies stay exact */
  remove(chunk: number, fields: Fields): void
  idf(term: string): number
  /** in how many chunks the term occurs */
  frequency(term: string): number
  search(terms: readonly WeightedTerm[], limit: number, allowed?: (chunk: number) => boolean): LexicalHit[]
  /** `total`: what a chunk would score that holds every meaning once; `known`: the share of it that occurs at all */
  searchMeanings(
    wanted: readonly Meaning[],
    limit: number,
    allowed?: (chunk: number) => boolean,
  ): { hits: LexicalHit[]; total: number; known: number }
  /** chunks removed but still in the lists */
  readonly dead: number
  /** drops them; `moved` tells each living chunk's new number, in order */
  compact(moved: (from: number, to: number) => void): void
}

export function createLexicalIndex(): LexicalIndex {
  let terms = createTermTable()
  let postings = createPostings()
  const reader = createTermReader()
  let lengths = new Uint32Array(1 << 10) // 0 = removed
  let room = roomFor(1 << 10)
  let places = new Int32Array(0) // of the terms of the chunk that is added
  let next = 0
  let alive = 0
  let totalLength = 0

  function idfOf(frequency: number): number {
    return Math.log(1 + (alive - frequency + 0.5) / (frequency + 0.5))
  }

  /** Into the first of `chunks` and `worths`: each living chunk that holds the term, and what the term is worth there. Returns how many. */
  function weigh(term: string, weight: number, average: number): number {
    const id = terms.find(term)
    const frequency = id < 0 ? 0 : terms.records[id * FIELDS + COUNT]!
    if (frequency === 0) return 0
    const gain = weight * idfOf(frequency) * (K1 + 1)
    const { chunks, quarters, worths } = room
    const held = postings.read(terms.records, id, chunks, quarters)
    let count = 0
    for (let i = 0; i < held; i++) {
      const chunk = chunks[i]!
      const length = lengths[chunk]!
      if (length === 0) continue
      const tf = quarters[i]! / STEP
      chunks[count] = chunk
      worths[count++] = (gain * tf) / (tf + K1 * (1 - B + (B * length) / average))
    }
    return count
  }

  function frequencyOf(term: string): number {
    const id = terms.find(term)
    return id < 0 ? 0 : terms.records[id * FIELDS + COUNT]!
  }

  return {
    get size() {
      return alive
    },
    get dead() {
      return next - alive
    },
    get bytes() {
      return postings.bytes + terms.bytes + lengths.length * ROOM_BYTES
    },

    add(fields) {
      const said = reader.read(fields)
      const chunk = next++
      if (chunk >= lengths.length) {
        lengths = grown(lengths)
        room = roomFor(lengths.length)
      }
      lengths[chunk] = said.length
      totalLength += said.length
      alive++
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
      if (!lengths[chunk]) return
      const said = reader.read(fields)
      terms.reserve(said.count)
      const { records } = terms
      for (let i = 0; i < said.count; i++) {
        const counted = terms.findOrAdd(said.firsts[i]!, said.seconds[i]!) * FIELDS + COUNT
        if (records[counted]! > 0) records[counted]!--
      }
      totalLength -= lengths[chunk]!
      lengths[chunk] = 0
      alive--
    },

    idf: (term) => idfOf(frequencyOf(term)),
    frequency: frequencyOf,

    search(wanted, limit, allowed) {
      const average = totalLength / Math.max(1, alive)
      const { chunks, worths, scores, touched } = room
      let count = 0
      for (const { term, weight } of wanted) {
        const held = weigh(term, weight, average)
        for (let i = 0; i < held; i++) {
          const chunk = chunks[i]!
          if (scores[chunk] === 0) touched[count++] = chunk
          scores[chunk]! += worths[i]!
        }
      }
      const hits = topOf(touched.subarray(0, count), scores, limit, allowed)
      for (let i = 0; i < count; i++) scores[touched[i]!] = 0
      return hits
    },

    searchMeanings(wanted, limit, allowed) {
      const average = totalLength / Math.max(1, alive)
      const { chunks, worths, scores, touched, best, reached, gains, holding } = room
      let count = 0
      let total = 0
      let known = 0
      for (const { weight, alternatives } of wanted) {
        let idf = 0
        let reaches = 0
        for (const alternative of alternatives) {
          const held = alternative.filter((term) => frequencyOf(term) > 0)
          if (held.length === 0) continue
          // a phrase counts like one word, by the share of it that is there
          const each = (weight * held.length) / alternative.length ** 2
          idf = Math.max(idf, each * held.reduce((sum, term) => sum + idfOf(frequencyOf(term)), 0))
          let holds = 0
          for (const term of held) {
            const living = weigh(term, each, average)
            for (let i = 0; i < living; i++) {
              const chunk = chunks[i]!
              if (gains[chunk] === 0) holding[holds++] = chunk
              gains[chunk]! += worths[i]!
            }
          }
          for (let i = 0; i < holds; i++) {
            const chunk = holding[i]!
            if (best[chunk] === 0) reached[reaches++] = chunk
            best[chunk] = Math.max(best[chunk]!, gains[chunk]!)
            gains[chunk] = 0
          }
        }
        known += idf
        total += idf || weight * idfOf(0)
        for (let i = 0; i < reaches; i++) {
          const chunk = reached[i]!
          if (scores[chunk] === 0) touched[count++] = chunk
          scores[chunk]! += best[chunk]!
          best[chunk] = 0
        }
      }
      const hits = topOf(touched.subarray(0, count), scores, limit, allowed)
      for (let i = 0; i < count; i++) scores[touched[i]!] = 0
      return { hits, total, known: total === 0 ? 0 : known / total }
    },

    compact(moved) {
      const old = { terms, postings, lengths }
      const numbers = new Int32Array(next).fill(-1)
      const kept = new Uint32Array(Math.max(1 << 10, alive))
      let count = 0
      for (let chunk = 0; chunk < next; chunk++) {
        if (old.lengths[chunk] === 0) continue
        kept[count] = old.lengths[chunk]!
        numbers[chunk] = count
        moved(chunk, count++)
      }
      const { records } = old.terms
      const { chunks, quarters } = room
      let living = 0
      for (const id of old.terms.places()) if (records[id * FIELDS + COUNT]! > 0) living++
      terms = createTermTable(living)
      postings = createPostings()
      for (const id of old.terms.places()) {
        if (records[id * FIELDS + COUNT] === 0) continue
        const target = terms.adopt(old.terms, id)
        terms.records[target * FIELDS + COUNT] = records[id * FIELDS + COUNT]!
        const held = old.postings.read(records, id, chunks, quarters)
        for (let i = 0; i < held; i++) {
          const number = numbers[chunks[i]!]!
          if (number >= 0) postings.append(terms.records, target, number, quarters[i]!)
        }
      }
      lengths = kept
      room = roomFor(kept.length)
      next = count
    },
  }
}

/**
 * What one search works in, by number of chunk or by place in a list; all scores are 0 between searches. Arrays of its own each time would
 * be most of what a search leaves to collect.
 */
function roomFor(chunks: number) {
  return {
    chunks: new Uint32Array(chunks),
    quarters: new Uint8Array(chunks),
    worths: new Float64Array(chunks),
    scores: new Float32Array(chunks),
    touched: new Uint32Array(chunks),
    best: new Float32Array(chunks),
    reached: new Uint32Array(chunks),
    gains: new Float32Array(chunks),
    holding: new Uint32Array(chunks),
  }
}
// with the length of each
const ROOM_BYTES = 4 + 4 + 1 + 8 + 6 * 4

/** The best `limit`, by score and then by number, without sorting everything. */
function topOf(touched: Uint32Array, scores: Float32Array, limit: number, allowed?: (chunk: number) => boolean): LexicalHit[] {
  const best: LexicalHit[] = []
  let floor = 0
  for (const chunk of touched) {
    const score = scores[chunk]!
    if (best.length >= limit * 2) {
      best.sort(byScore).length = limit
      floor = best[limit - 1]!.score
    }
    if ((best.length < limit || score >= floor) && (!allowed || allowed(chunk))) best.push({ chunk, score })
  }
  return best.sort(byScore).slice(0, limit)
}

function byScore(a: LexicalHit, b: LexicalHit): number {
  return b.score - a.score || a.chunk - b.chunk
}
