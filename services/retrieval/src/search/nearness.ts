import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Generation } from '@docent/corpus/corpus'
import type { ChunkIndex, HeldChunk, Language } from '../index/chunk-index.ts'
import { nearnessTo } from './everywhere.ts'
import type { FlatVectors } from './flat-vectors.ts'

// one statement and about a millisecond of work
const BATCH = 100

/** vectors of everyday questions, of each language; empty until they are known */
export type Everyday = Record<Language, readonly Float32Array[]>
export const noEveryday: Everyday = { zh: [], en: [] }

/**
 * How near chunks of the other language stand to everyday questions, kept as one number each: a search finds it there instead of asking
 * Postgres for vectors after Chroma has answered.
 */
export type Nearness = Disposable & {
  /** from now on to these, as far as the generation has vectors; reads ahead for all chunks, in the background of searches */
  follow(everyday: Everyday): Promise<void>
  /** of chunks to questions in `language`; undefined for a chunk without a vector */
  of(chunks: readonly HeldChunk[], language: Language): Promise<(chunk: HeldChunk) => number | undefined>
}

export function createNearness(index: Pick<ChunkIndex, 'all' | 'count'>, flat: FlatVectors, generation: Generation): Nearness {
  const known = { zh: new Map<string, number>(), en: new Map<string, number>() }
  let to = noEveryday
  let isOpen = true

  /** by text hash, of these chunks at least */
  async function read(chunks: readonly HeldChunk[], language: Language): Promise<ReadonlyMap<string, number>> {
    if (known[language].size > 2 * flat.maxChunks + chunks.length) known[language] = new Map()
    const held = known[language] // one that grows too large in between must not take away what this call reads
    const questions = to[language]
    const missing = questions.length === 0 ? [] : chunks.filter(({ textHash }) => !held.has(textHash))
    if (missing.length === 0) return held
    for (const [hash, vector] of await flat.once(missing, generation)) held.set(hash, nearnessTo(questions, vector))
    return held
  }

  async function readAhead(language: Language, written: Language): Promise<void> {
    if (index.count(written) > 2 * flat.maxChunks) return // more than is kept
    let batch: HeldChunk[] = []
    for (const chunk of index.all()) {
      if (chunk.written === written) batch.push(chunk)
      if (batch.length < BATCH) continue
      await read(batch, language)
      await nextTurn()
      if (!isOpen) return
      batch = []
    }
    await read(batch, language)
  }

  return {
    async follow(everyday) {
      to = everyday
      await readAhead('zh', 'en')
      await readAhead('en', 'zh')
    },
    async of(chunks, language) {
      const held = await read(chunks, language)
      return ({ textHash }) => held.get(textHash)
    },
    [Symbol.dispose]() {
      isOpen = false
    },
  }
}
