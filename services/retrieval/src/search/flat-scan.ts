import type { Corpus, Generation } from '@docent/corpus/corpus'
import type { HeldChunk } from '../index/chunk-index.ts'
import type { Hit } from './fuse.ts'

const BATCH = 1_000
const IDLE_MS = 10 * 60_000

/**
 * Exact nearest neighbours over vectors from Postgres, kept in memory while they are used: for when Chroma is away,
 * for filters, and for the language that Chroma's answer leaves out.
 */
export type FlatScan = Disposable & {
  search(vector: Float32Array, chunks: readonly HeldChunk[], limit: number, generation: Generation): Promise<Hit<HeldChunk>[]>
}

export function createFlatScan(corpus: Pick<Corpus, 'loadVectors'>, maxChunks: number): FlatScan {
  let vectors = new Map<string, Float32Array>()
  let model = ''
  let idle: NodeJS.Timeout | undefined

  function forget(): void {
    vectors = new Map()
  }

  return {
    async search(vector, chunks, limit, generation) {
      if (chunks.length > maxChunks) return []
      if (model !== generation.model || vectors.size > maxChunks + chunks.length) forget()
      model = generation.model
      clearTimeout(idle)
      idle = setTimeout(forget, IDLE_MS)
      idle.unref()

      const known = vectors
      const missing = [...new Set(chunks.filter((chunk) => !known.has(chunk.textHash)).map((chunk) => chunk.textHash))]
      for (let at = 0; at < missing.length; at += BATCH) {
        for (const [hash, loaded] of await corpus.loadVectors(missing.slice(at, at + BATCH), model)) known.set(hash, loaded)
      }
      const hits: Hit<HeldChunk>[] = []
      for (const chunk of chunks) {
        const found = known.get(chunk.textHash)
        if (found && found.length === vector.length) hits.push({ chunk, score: dot(vector, found) })
      }
      return hits.sort((a, b) => b.score - a.score || (a.chunk.id < b.chunk.id ? -1 : 1)).slice(0, limit)
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
