import { AppError, toAppError } from '@docent/core/errors'
import type { Embedder } from '@docent/models/embedder'
import { outages } from '../outages.ts'

export type Text = { textHash: string; text: string }
export type Embedded = { vectors: Map<string, Float32Array>; problem?: AppError }

/** Vectors of all texts but those that the model refuses, which are found by halving. Throws for an outage. */
export async function embedAll(texts: readonly Text[], dimension: number, embedder: Embedder, signal: AbortSignal): Promise<Embedded> {
  try {
    const vectors = await embedder.passages(
      texts.map(({ text }) => text),
      signal,
    )
    if (vectors.length !== texts.length || vectors.some((vector) => vector.length !== dimension))
      throw new AppError('embedding_failed', 'The embedding model returned vectors of another shape.')
    return { vectors: new Map(texts.map(({ textHash }, i) => [textHash, vectors[i]!])) }
  } catch (thrown) {
    signal.throwIfAborted()
    const error = toAppError(thrown)
    if (outages.has(error.code)) throw error
    if (texts.length === 1) return { vectors: new Map(), problem: error }
    const middle = Math.ceil(texts.length / 2)
    const first = await embedAll(texts.slice(0, middle), dimension, embedder, signal)
    const second = await embedAll(texts.slice(middle), dimension, embedder, signal)
    const problem = first.problem ?? second.problem
    return { vectors: new Map([...first.vectors, ...second.vectors]), ...(problem ? { problem } : {}) }
  }
}
