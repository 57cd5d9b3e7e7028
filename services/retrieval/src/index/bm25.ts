import { type LexicalHit, topOf } from './best-hits.ts'
import type { Postings } from './postings.ts'
import { STEP } from './term-reader.ts'
import { COUNT, FIELDS, type TermTable } from './term-table.ts'

const K1 = 1.2
const B = 0.75

export type WeightedTerm = { term: string; weight: number }
/** one word of a question with all that it may be called: of the alternatives, whose terms all count, only the best counts in a chunk */
export type Meaning = { weight: number; alternatives: readonly (readonly string[])[] }
/** What is scored, as it is now: chunks are numbers below `next`, of which `alive` have a length, `totalLength` together. */
export type Scored = { terms: TermTable; postings: Postings; lengths: Uint32Array; next: number; alive: number; totalLength: number }

export type Search = {
  /** in chunks */
  readonly size: number
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
}

export type Bm25 = Search & {
  /** the same without these chunks, which count nowhere: no score tells what they say. Holds until the next change. */
  without(hidden: readonly number[]): Search
  /** chunks came or went: what their lengths weigh is found anew by the next search */
  changed(): void
  readonly bytes: number
}

/** The index as a search sees it; a chunk that it does not see weighs nothing, as a removed one. */
type Sight = { alive: number; norms: Float32Array; frequencyAt(place: number): number }

/** Okapi BM25 (Robertson and Zaragoza 2009) over an index that others keep. */
export function createBm25(held: Scored): Bm25 {
  let room = roomFor(held.lengths.length)
  let isChanged = true

  /** All there is; what lengths weigh is found anew after each change, as the average moves. */
  function whole(): Sight {
    if (isChanged) {
      isChanged = false
      if (room.scores.length < held.lengths.length) room = roomFor(held.lengths.length)
      weigh(held.lengths, held.totalLength / Math.max(1, held.alive), room)
    }
    return { alive: held.alive, norms: room.norms, frequencyAt: countAt }
  }

  function countAt(place: number): number {
    return place < 0 ? 0 : held.terms.records[place * FIELDS + COUNT]!
  }

  function partial(hidden: readonly number[]): Sight {
    whole() // the room is as large as the index
    const lengths = held.lengths.slice(0, held.next)
    let [alive, totalLength] = [held.alive, held.totalLength]
    for (const chunk of hidden) {
      totalLength -= lengths[chunk]!
      alive--
      lengths[chunk] = 0
    }
    const weighed = { norms: new Float32Array(held.next) }
    weigh(lengths, totalLength / Math.max(1, alive), weighed)
    const known = new Map<number, number>()
    const frequencyAt = (place: number) => {
      if (countAt(place) === 0) return 0
      const counted = known.get(place)
      if (counted !== undefined) return counted
      const { chunks, quarters } = room
      const listed = held.postings.read(held.terms.records, place, chunks, quarters)
      let frequency = 0
      for (let i = 0; i < listed; i++) if (lengths[chunks[i]!] !== 0) frequency++
      known.set(place, frequency)
      return frequency
    }
    return { alive, ...weighed, frequencyAt }
  }

  /** What the length of each chunk makes of a term's weight there. */
  function weigh(lengths: Uint32Array, average: number, { norms }: Pick<Sight, 'norms'>): void {
    for (let chunk = 0; chunk < held.next; chunk++) {
      const length = lengths[chunk]!
      norms[chunk] = length === 0 ? Infinity : STEP * K1 * (1 - B + (B * length) / average) // a removed chunk holds nothing
    }
  }

  /** Adds to the scores what a term is worth in each chunk. */
  function add(place: number, gain: number, { norms }: Sight): void {
    const { chunks, quarters, scores } = room
    const count = held.postings.read(held.terms.records, place, chunks, quarters)
    for (let i = 0; i < count; i++) {
      const chunk = chunks[i]!
      const said = quarters[i]!
      scores[chunk]! += gain * (said / (said + norms[chunk]!))
    }
  }

  /** Adds it to `sums`, and lists the chunks that had none there from `holds` on. Returns how many these are then. */
  function gather(place: number, gain: number, holds: number, { norms }: Sight): number {
    const { chunks, quarters, sums, holding } = room
    const listed = held.postings.read(held.terms.records, place, chunks, quarters)
    let count = holds
    for (let i = 0; i < listed; i++) {
      const chunk = chunks[i]!
      const said = quarters[i]!
      if (norms[chunk] === Infinity) continue // removed, or not seen
      if (sums[chunk] === 0) holding[count++] = chunk
      sums[chunk]! += gain * (said / (said + norms[chunk]!))
    }
    return count
  }

  /** The best `limit` of what stands in `scores`, which is 0 again afterwards. */
  function takeBest(limit: number, allowed?: (chunk: number) => boolean): LexicalHit[] {
    const scores = room.scores.subarray(0, held.next)
    const hits = topOf(scores, limit, allowed)
    scores.fill(0)
    return hits
  }

  function searchOf(sight: () => Sight): Search {
    const frequency = (term: string) => sight().frequencyAt(held.terms.find(term))
    return {
      get size() {
        return sight().alive
      },
      idf: (term) => idfOf(frequency(term), sight().alive),
      frequency,

      search(wanted, limit, allowed) {
        const seen = sight()
        for (const { term, weight } of wanted) {
          const place = held.terms.find(term)
          const frequency = seen.frequencyAt(place)
          if (frequency > 0) add(place, weight * idfOf(frequency, seen.alive) * (K1 + 1), seen)
        }
        return takeBest(limit, allowed)
      },

      searchMeanings(wanted, limit, allowed) {
        const seen = sight()
        const { scores, best, reached, sums, holding } = room
        let total = 0
        let known = 0
        for (const { weight, alternatives } of wanted) {
          let idf = 0
          let reaches = 0
          for (const alternative of alternatives) {
            const places = alternative.map((term) => held.terms.find(term)).filter((place) => seen.frequencyAt(place) > 0)
            if (places.length === 0) continue
            // a phrase counts like one word, by the share of it that is there
            const each = (weight * places.length) / alternative.length ** 2
            const idfs = places.map((place) => idfOf(seen.frequencyAt(place), seen.alive))
            idf = Math.max(idf, each * idfs.reduce((sum, one) => sum + one, 0))
            const gains = idfs.map((one) => each * one * (K1 + 1))
            if (alternatives.length === 1 && places.length === 1) add(places[0]!, gains[0]!, seen)
            else {
              let holds = 0
              for (const [nth, place] of places.entries()) holds = gather(place, gains[nth]!, holds, seen)
              for (let i = 0; i < holds; i++) {
                const chunk = holding[i]!
                if (best[chunk] === 0) reached[reaches++] = chunk
                if (sums[chunk]! > best[chunk]!) best[chunk] = sums[chunk]!
                sums[chunk] = 0
              }
            }
          }
          known += idf
          total += idf || weight * idfOf(0, seen.alive)
          for (let i = 0; i < reaches; i++) {
            const chunk = reached[i]!
            scores[chunk]! += best[chunk]!
            best[chunk] = 0
          }
        }
        const hits = takeBest(limit, allowed)
        return { hits, total, known: total === 0 ? 0 : known / total }
      },
    }
  }

  const all = searchOf(whole)
  return {
    ...all,
    get size() {
      return held.alive
    },
    without(hidden) {
      const sight = partial(hidden)
      return searchOf(() => sight)
    },
    changed() {
      isChanged = true
    },
    get bytes() {
      return held.lengths.length * ROOM_BYTES
    },
  }
}

function idfOf(frequency: number, alive: number): number {
  return Math.log(1 + (alive - frequency + 0.5) / (frequency + 0.5))
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
    best: new Float32Array(chunks),
    reached: new Uint32Array(chunks),
    sums: new Float32Array(chunks),
    holding: new Uint32Array(chunks),
  }
}
// with the length of each
const ROOM_BYTES = 8 * 4 + 1
