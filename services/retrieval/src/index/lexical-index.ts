import { tokensOf } from '@docent/core/text/tokens'
import { createPostings } from './postings.ts'
import { createTermTable, grown } from './term-table.ts'

const K1 = 1.2
const B = 0.75
/** weights are kept in steps of a quarter */
const STEP = 4
const HEADER_WEIGHT = 1
const PATH_WEIGHT = 0.5

export type Fields = { header: string; text: string; path: string }
export type WeightedTerm = { term: string; weight: number }
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
  /** chunks removed but still in the lists */
  readonly dead: number
  /** drops them; `moved` tells each living chunk's new number, in order */
  compact(moved: (from: number, to: number) => void): void
}

export function createLexicalIndex(): LexicalIndex {
  let terms = createTermTable()
  let postings = createPostings()
  let frequencies = new Uint32Array(1 << 12)
  let lengths = new Uint32Array(1 << 10) // 0 = removed
  let scores = new Float32Array(1 << 10)
  let next = 0
  let alive = 0
  let totalLength = 0

  function idfOf(frequency: number): number {
    return Math.log(1 + (alive - frequency + 0.5) / (frequency + 0.5))
  }

  function frequencyOf(term: string): number {
    const id = terms.find(term)
    return id < 0 ? 0 : frequencies[id]!
  }

  return {
    get size() {
      return alive
    },
    get dead() {
      return next - alive
    },
    get bytes() {
      return postings.bytes + terms.size * 20 + lengths.byteLength * 2
    },

    add(fields) {
      const { weights, length } = weigh(fields)
      const chunk = next++
      if (chunk >= lengths.length) {
        lengths = grown(lengths)
        scores = new Float32Array(lengths.length)
      }
      lengths[chunk] = length
      totalLength += length
      alive++
      for (const [term, weight] of weights) {
        const id = terms.findOrAdd(term)
        if (id >= frequencies.length) frequencies = grown(frequencies, frequencies.length * 2)
        frequencies[id]!++
        postings.append(id, chunk, Math.max(1, Math.min(255, Math.round(weight * STEP))))
      }
      return chunk
    },

    remove(chunk, fields) {
      if (!lengths[chunk]) return
      for (const term of weigh(fields).weights.keys()) {
        const id = terms.find(term)
        if (id >= 0 && frequencies[id]! > 0) frequencies[id]!--
      }
      totalLength -= lengths[chunk]!
      lengths[chunk] = 0
      alive--
    },

    idf: (term) => idfOf(frequencyOf(term)),
    frequency: frequencyOf,

    search(wanted, limit, allowed) {
      const average = totalLength / Math.max(1, alive)
      const touched: number[] = []
      for (const { term, weight } of wanted) {
        const id = terms.find(term)
        if (id < 0 || frequencies[id] === 0) continue
        const gain = weight * idfOf(frequencies[id]!) * (K1 + 1)
        postings.visit(id, (chunk, quarters) => {
          const length = lengths[chunk]!
          if (length === 0) return
          const tf = quarters / STEP
          if (scores[chunk] === 0) touched.push(chunk)
          scores[chunk]! += (gain * tf) / (tf + K1 * (1 - B + (B * length) / average))
        })
      }
      const hits = topOf(touched, scores, limit, allowed)
      for (const chunk of touched) scores[chunk] = 0
      return hits
    },

    compact(moved) {
      const old = { terms, postings, frequencies, lengths }
      const numbers = new Int32Array(next).fill(-1)
      const kept = new Uint32Array(Math.max(1 << 10, alive))
      let count = 0
      for (let chunk = 0; chunk < next; chunk++) {
        if (old.lengths[chunk] === 0) continue
        kept[count] = old.lengths[chunk]!
        numbers[chunk] = count
        moved(chunk, count++)
      }
      terms = old.terms.copy((id) => old.frequencies[id]! > 0)
      postings = createPostings()
      frequencies = new Uint32Array(Math.max(1 << 12, terms.size))
      let to = 0
      for (let id = 0; id < old.terms.size; id++) {
        if (old.frequencies[id] === 0) continue
        const target = to++
        frequencies[target] = old.frequencies[id]!
        old.postings.visit(id, (chunk, weight) => {
          if (numbers[chunk]! >= 0) postings.append(target, numbers[chunk]!, weight)
        })
      }
      lengths = kept
      scores = new Float32Array(kept.length)
      next = count
    },
  }
}

/** Title and headings count as text; the path helps to find, but does not make a chunk longer. */
function weigh({ header, text, path }: Fields): { weights: Map<string, number>; length: number } {
  const weights = new Map<string, number>()
  let length = 0
  for (const [field, weight] of [
    [text, 1],
    [header, HEADER_WEIGHT],
  ] as const) {
    const tokens = tokensOf(field)
    length += tokens.length
    for (const token of tokens) weights.set(token, (weights.get(token) ?? 0) + weight)
  }
  for (const token of new Set(tokensOf(path))) weights.set(token, (weights.get(token) ?? 0) + PATH_WEIGHT)
  return { weights, length: Math.max(1, length) }
}

/** The best `limit`, by score and then by number, without sorting everything. */
function topOf(touched: readonly number[], scores: Float32Array, limit: number, allowed?: (chunk: number) => boolean): LexicalHit[] {
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
