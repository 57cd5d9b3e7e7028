import type { Corpus, Generation } from '@docent/corpus/corpus'
import type { ChunkIndex, HeldChunk, Language } from '../index/chunk-index.ts'
import { type Breaker, BreakerOpen } from './breaker.ts'
import { lessEverywhere, nearnessTo } from './everywhere.ts'
import { dot, type FlatVectors } from './flat-vectors.ts'
import type { DenseGroup, Hit } from './fuse.ts'

const PER_LANGUAGE = 50
const CHROMA_HITS = 150
const languages: readonly Language[] = ['zh', 'en']

export type Asked = {
  vector: Float32Array
  language: Language
  generation: Generation
  allowed: ((chunk: HeldChunk) => boolean) | undefined
  /** vectors of everyday questions in the question's language; empty until they are known */
  everyday: readonly Float32Array[]
}
export type Nearest = (asked: Asked, signal: AbortSignal) => Promise<{ groups: DenseGroup<HeldChunk>[]; chromaDown: boolean }>

/**
 * The nearest chunks of each language: a question is nearer to any text of its own language than to its answer in another.
 * From Chroma; a language (or a filter) that Chroma's answer leaves out is compared exactly, as far as that fits in memory.
 */
export function createNearest(corpus: Pick<Corpus, 'searchDense'>, index: ChunkIndex, flat: FlatVectors, chroma: Breaker): Nearest {
  const nearness = { zh: new Map<string, number>(), en: new Map<string, number>() }
  let knownFor: readonly Float32Array[] = []

  async function fromChroma({ vector, generation, allowed }: Asked, signal: AbortSignal): Promise<Hit<HeldChunk>[] | undefined> {
    try {
      const found = await chroma.run((limit) => corpus.searchDense(vector, CHROMA_HITS, generation, limit), signal)
      return found.flatMap(({ chunkId, score }) => {
        const chunk = index.byId(chunkId)
        return chunk && (!allowed || allowed(chunk)) ? [{ chunk, score }] : []
      })
    } catch (error) {
      signal.throwIfAborted()
      if (error instanceof BreakerOpen || chroma.open) return undefined
      throw error
    }
  }

  async function exactly(chunks: readonly HeldChunk[], { vector, generation }: Asked): Promise<Hit<HeldChunk>[]> {
    const vectors = await flat.of(chunks, generation)
    const hits: Hit<HeldChunk>[] = []
    for (const chunk of chunks) {
      const found = vectors.get(chunk.textHash)
      if (found?.length === vector.length) hits.push({ chunk, score: dot(vector, found) })
    }
    return hits.sort((a, b) => b.score - a.score || (a.chunk.id < b.chunk.id ? -1 : 1))
  }

  /** For hits in another language than the question's. */
  async function corrected(hits: readonly Hit<HeldChunk>[], { language, everyday, generation }: Asked): Promise<Hit<HeldChunk>[]> {
    if (everyday.length === 0 || hits.length === 0) return [...hits]
    const known = nearness[language]
    if (knownFor !== everyday || known.size > 2 * flat.maxChunks + hits.length) known.clear()
    knownFor = everyday
    const missing = hits.filter(({ chunk }) => !known.has(chunk.textHash)).map(({ chunk }) => chunk)
    const vectors = await flat.of(missing, generation)
    for (const chunk of missing) {
      const vector = vectors.get(chunk.textHash)
      if (vector) known.set(chunk.textHash, nearnessTo(everyday, vector))
    }
    return lessEverywhere(hits, (chunk) => known.get(chunk.textHash))
  }

  return async (asked, signal) => {
    const found = await fromChroma(asked, signal)
    const groups: DenseGroup<HeldChunk>[] = []
    for (const language of languages) {
      let hits = found?.filter(({ chunk }) => chunk.written === language) ?? []
      if (hits.length * 2 <= Math.min(PER_LANGUAGE, index.count(language))) {
        const chunks: HeldChunk[] = []
        for (const chunk of index.all()) if (chunk.written === language && (!asked.allowed || asked.allowed(chunk))) chunks.push(chunk)
        if (chunks.length > hits.length && chunks.length <= flat.maxChunks) hits = await exactly(chunks, asked)
      }
      if (language !== asked.language) hits = await corrected(hits, asked)
      groups.push({ language, hits: hits.slice(0, PER_LANGUAGE) })
    }
    return { groups, chromaDown: found === undefined }
  }
}
