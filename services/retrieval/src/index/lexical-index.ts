import { type LexicalHit, topOf } from './best-hits.ts'
import { createPostings, ONCE } from './postings.ts'
import { createTermReader, type Fields, STEP } from './term-reader.ts'
import { COUNT, createTermTable, FIELDS, grown } from './term-table.ts'

const K1 = 1.2
const B = 0.75

export type WeightedTerm = { term: string; weight: number }
/** one word of a question with all that it may be called: of the alternatives, whose terms all count, only the best counts in a chunk */
export type Meaning = { weight: number; alternatives: readonly (readonly string[])[] }
export type { LexicalHit }

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
  let isChanged = false

  function idfOf(frequency: number): number {
    return Math.log(1 + (alive - frequency + 0.5) / (frequency + 0.5))
  }

  /** What the length of a chunk makes of a term's weight there: anew after each change, as the average moves. */
  function weighLengths(): void {
    if (!isChanged) return
    isChanged = false
    const average = totalLength / Math.max(1, alive)
    const { norms, onces } = room
    for (let chunk = 0; chunk < next; chunk++) {
      const length = lengths[chunk]!
      const norm = length === 0 ? Infinity : K1 * (1 - B + (B * length) / average) // a removed chunk holds nothing
      norms[chunk] = norm * STEP
      onces[chunk] = 1 / (1 + norm)
    }
  }

  /** Adds to the scores what a term is worth in each chunk. */
  function add(place: number, gain: number): void {
    const { chunks, quarters, norms, onces, scores } = room
    const held = postings.read(terms.records, place, chunks, quarters)
    for (let i = 0; i < held; i++) {
      const chunk = chunks[i]!
      scores[chunk]! += worthOf(gain, quarters[i]!, onces[chunk]!, norms[chunk]!)
    }
  }

  /** Adds it to `sums`, and lists the chunks that had none there from `holds` on. Returns how many these are then. */
  function gather(place: number, gain: number, holds: number): number {
    const { chunks, quarters, norms, onces, sums, holding } = room
    const held = postings.read(terms.records, place, chunks, quarters)
    let count = holds
    for (let i = 0; i < held; i++) {
      const chunk = chunks[i]!
      if (onces[chunk] === 0) continue // removed
      if (sums[chunk] === 0) holding[count++] = chunk
      sums[chunk]! += worthOf(gain, quarters[i]!, onces[chunk]!, norms[chunk]!)
    }
    return count
  }

  function frequencyAt(place: number): number {
    return place < 0 ? 0 : terms.records[place * FIELDS + COUNT]!
  }

  function frequencyOf(term: string): number {
    return frequencyAt(terms.find(term))
  }

  /** The best `limit` of what stands in `scores`, which is 0 again afterwards. */
  function takeBest(limit: number, allowed?: (chunk: number) => boolean): LexicalHit[] {
    const scores = room.scores.subarray(0, next)
    const hits = topOf(scores, limit, allowed)
    scores.fill(0)
    return hits
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
      isChanged = true
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
      isChanged = true
      alive--
    },

    idf: (term) => idfOf(frequencyOf(term)),
    frequency: frequencyOf,

    search(wanted, limit, allowed) {
      weighLengths()
      for (const { term, weight } of wanted) {
        const place = terms.find(term)
        const frequency = frequencyAt(place)
        if (frequency > 0) add(place, weight * idfOf(frequency) * (K1 + 1))
      }
      return takeBest(limit, allowed)
    },

    searchMeanings(wanted, limit, allowed) {
      weighLengths()
      const { scores, best, reached, sums, holding } = room
      let total = 0
      let known = 0
      for (const { weight, alternatives } of wanted) {
        let idf = 0
        let reaches = 0
        for (const alternative of alternatives) {
          const places = alternative.map((term) => terms.find(term)).filter((place) => frequencyAt(place) > 0)
          if (places.length === 0) continue
          // a phrase counts like one word, by the share of it that is there
          const each = (weight * places.length) / alternative.length ** 2
          const idfs = places.map((place) => idfOf(frequencyAt(place)))
          idf = Math.max(idf, each * idfs.reduce((sum, one) => sum + one, 0))
          const gains = idfs.map((one) => each * one * (K1 + 1))
          if (alternatives.length === 1 && places.length === 1) add(places[0]!, gains[0]!)
          else {
            let holds = 0
            for (const [nth, place] of places.entries()) holds = gather(place, gains[nth]!, holds)
            for (let i = 0; i < holds; i++) {
              const chunk = holding[i]!
              if (best[chunk] === 0) reached[reaches++] = chunk
              if (sums[chunk]! > best[chunk]!) best[chunk] = sums[chunk]!
              sums[chunk] = 0
            }
          }
        }
        known += idf
        total += idf || weight * idfOf(0)
        for (let i = 0; i < reaches; i++) {
          const chunk = reached[i]!
          scores[chunk]! += best[chunk]!
          best[chunk] = 0
        }
      }
      const hits = takeBest(limit, allowed)
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
      isChanged = true
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
    scores: new Float32Array(chunks),
    norms: new Float32Array(chunks),
    onces: new Float32Array(chunks),
    best: new Float32Array(chunks),
    reached: new Uint32Array(chunks),
    sums: new Float32Array(chunks),
    holding: new Uint32Array(chunks),
  }
}
// with the length of each
const ROOM_BYTES = 9 * 4 + 1

function worthOf(gain: number, weight: number, once: number, norm: number): number {
  return gain * (weight === ONCE ? once : weight / (weight + norm))
}
