import type { Corpus, DenseScope, Generation } from '@docent/corpus/corpus'
import type { ChunkIndex, HeldChunk, Language } from '../index/chunk-index.ts'
import { type Breaker, BreakerOpen } from './breaker.ts'
import { lessEverywhere } from './everywhere.ts'
import { dot, type FlatVectors } from './flat-vectors.ts'
import type { DenseGroup, Hit } from './fuse.ts'
import type { Nearness } from './nearness.ts'

const PER_LANGUAGE = 50
// a few more than are used: some are of versions that were replaced a moment ago
const CHROMA_HITS = 60
// so few chunks are compared exactly sooner than Chroma filters
const FEW = 2_000
// Chroma looks up each; of more than that only the collections are named, the rest of the filter is checked afterwards
const DOCUMENTS = 2_000
const languages: readonly Language[] = ['zh', 'en']

export type Asked = {
  vector: Float32Array
  language: Language
  generation: Generation
  allowed: ((chunk: HeldChunk) => boolean) | undefined
}
export type Nearest = (asked: Asked, signal: AbortSignal) => Promise<{ groups: DenseGroup<HeldChunk>[]; chromaDown: boolean }>

/**
 * The nearest chunks of each language: a question is nearer to any text of its own language than to its answer in another.
 * From Chroma, which holds a collection per language and is told the documents that a filter leaves; where it is away or finds too
 * little, and where a filter leaves few chunks, they are compared exactly, as far as that fits in memory.
 */
export function createNearest(
  corpus: Pick<Corpus, 'searchDense'>,
  index: ChunkIndex,
  flat: FlatVectors,
  nearness: Pick<Nearness, 'of'>,
  chroma: Breaker,
): Nearest {
  /** undefined when Chroma is away */
  async function fromChroma(
    { vector, generation, allowed }: Asked,
    language: Language,
    among: readonly HeldChunk[] | undefined,
    signal: AbortSignal,
  ): Promise<Hit<HeldChunk>[] | undefined> {
    const documents = [...new Set(among?.map(({ document }) => document))]
    const within: DenseScope =
      !among || documents.length === 0
        ? { language }
        : documents.length <= DOCUMENTS
          ? { language, documents: documents.map(({ documentId }) => documentId) }
          : { language, collections: [...new Set(documents.map(({ collection }) => collection))] }
    try {
      const found = await chroma.run((limit) => corpus.searchDense(vector, CHROMA_HITS, generation, limit, within), signal)
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

  function allowedIn(language: Language, allowed: (chunk: HeldChunk) => boolean): HeldChunk[] {
    const chunks: HeldChunk[] = []
    for (const chunk of index.all()) if (chunk.written === language && allowed(chunk)) chunks.push(chunk)
    return chunks
  }

  async function ofLanguage(asked: Asked, language: Language, signal: AbortSignal) {
    const { allowed } = asked
    const among = allowed && allowedIn(language, allowed)
    const count = among ? among.length : index.count(language)
    if (count === 0) return { language, hits: [], chromaDown: false }
    const few = among !== undefined && count <= Math.min(FEW, flat.maxChunks)
    const found = few ? undefined : await fromChroma(asked, language, among, signal)
    let hits = found ?? []
    if (hits.length * 2 <= Math.min(PER_LANGUAGE, count) && count <= flat.maxChunks)
      hits = await exactly(among ?? allowedIn(language, () => true), asked)
    if (language !== asked.language)
      hits = lessEverywhere(
        hits,
        await nearness.of(
          hits.map(({ chunk }) => chunk),
          asked.language,
        ),
      )
    return { language, hits: hits.slice(0, PER_LANGUAGE), chromaDown: !few && found === undefined }
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

  return async (asked, signal) => {
    const lists = await Promise.all(languages.map((language) => ofLanguage(asked, language, signal)))
    return { groups: lists.map(({ language, hits }) => ({ language, hits })), chromaDown: lists.some(({ chromaDown }) => chromaDown) }
  }
}
