import { dot } from './flat-vectors.ts'
import type { Hit } from './fuse.ts'

/** Swept on the even questions: across languages it is worth 2 to 4 points of nDCG, within one language nothing. */
const SHARE = 0.6

/**
 * Some chunks are near to every question, most of all to those of another language. How near one stands to questions about
 * anything is taken off its score, as far as it differs from the average of the hits.
 */
export function lessEverywhere<C>(hits: readonly Hit<C>[], nearnessOf: (chunk: C) => number | undefined): Hit<C>[] {
  const nearness = hits.map(({ chunk }) => nearnessOf(chunk))
  const known = nearness.filter((value) => value !== undefined)
  if (known.length === 0) return [...hits]
  const average = known.reduce((sum, value) => sum + value, 0) / known.length
  return hits
    .map(({ chunk, score }, i) => ({ chunk, score: score - SHARE * ((nearness[i] ?? average) - average) }))
    .sort((a, b) => b.score - a.score)
}

export function nearnessTo(questions: readonly Float32Array[], vector: Float32Array): number {
  return questions.reduce((sum, question) => sum + dot(question, vector), 0) / Math.max(1, questions.length)
}

/** Its dot product with a vector is `nearnessTo`, for one multiplication of many. */
export function meanVector(vectors: readonly Float32Array[]): Float32Array {
  const mean = new Float32Array(vectors[0]?.length ?? 0)
  for (const vector of vectors) for (let i = 0; i < mean.length; i++) mean[i]! += vector[i]! / vectors.length
  return mean
}
