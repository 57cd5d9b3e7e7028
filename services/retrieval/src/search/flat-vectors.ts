import type { Corpus, Generation } from '@docent/corpus/corpus'
import type { HeldChunk } from '../index/chunk-index.ts'

const BATCH = 1_000
const IDLE_MS = 10 * 60_000

/** Vectors from Postgres, kept in memory while they are used: for exact comparison when Chroma is away, and for filters. */
export type FlatVectors = Disposable & {
  readonly maxChunks: number
  /** by text hash; chunks without a vector are left out */
  of(chunks: readonly HeldChunk[], generation: Generation): Promise<ReadonlyMap<string, Float32Array>>
  /** the same for one look at each: what is not held already is not kept */
  once(chunks: readonly HeldChunk[], generation: Generation): Promise<ReadonlyMap<string, Float32Array>>
}

export function createFlatVectors(corpus: Pick<Corpus, 'loadVectors'>, maxChunks: number): FlatVectors {
  let vectors = new Map<string, Float32Array>()
  let model = ''
  let idle: NodeJS.Timeout | undefined

  function forget(): void {
    vectors = new Map()
  }

  return {
    maxChunks,
    async of(chunks, generation) {
      if (model !== generation.model || vectors.size > maxChunks + chunks.length) forget()
      model = generation.model
      clearTimeout(idle)
      idle = setTimeout(forget, IDLE_MS)
      idle.unref()

      const known = vectors // a forgetting in between must not take away what this call loads
      const missing = [...new Set(chunks.filter((chunk) => !known.has(chunk.textHash)).map((chunk) => chunk.textHash))]
      for (let at = 0; at < missing.length; at += BATCH) {
        for (const [hash, loaded] of await corpus.loadVectors(missing.slice(at, at + BATCH), model)) known.set(hash, loaded)
      }
      return known
    },
    async once(chunks, generation) {
      const found = new Map<string, Float32Array>()
      const missing: string[] = []
      for (const { textHash } of chunks) {
        const held = model === generation.model ? vectors.get(textHash) : undefined
        if (held) found.set(textHash, held)
        else missing.push(textHash)
      }
      if (missing.length > 0) for (const [hash, loaded] of await corpus.loadVectors(missing, generation.model)) found.set(hash, loaded)
      return found
    },
    [Symbol.dispose]() {
      clearTimeout(idle)
      forget()
    },
  }
}

export function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!
  return sum
}
