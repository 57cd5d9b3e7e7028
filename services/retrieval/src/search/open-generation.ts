import type { Corpus, Generation } from '@docent/corpus/corpus'
import type { Redis } from '@docent/kit/redis'
import type { Embedder } from '@docent/models/embedder'
import type { RetrievalEvents } from '../events.ts'
import type { ChunkIndex, Language } from '../index/chunk-index.ts'
import type { Breaker } from './breaker.ts'
import { everydayQuestions } from './everyday-questions.ts'
import { meanVector } from './everywhere.ts'
import { createFlatVectors, dot } from './flat-vectors.ts'
import { createLru } from './lru.ts'
import { createNearest, type Nearest } from './nearest.ts'
import { createNearness, noEveryday } from './nearness.ts'
import { createQuestionVectors } from './question-vectors.ts'

const LIMIT_MS = 3_000

/**
 * A generation with all that is remembered of it: a search takes its question's vector and its neighbours from the same one, whichever
 * serves by the time it ends.
 */
export type OpenGeneration = Disposable & {
  readonly generation: Generation
  readonly embedder: Embedder
  nearest: Nearest
  question(text: string, signal: AbortSignal): Promise<Float32Array>
  /** vectors of sentences, as passages; `embed` gets those that nobody waits for yet */
  sentences(texts: readonly string[], embed: (missing: readonly string[]) => Promise<Float32Array[]>): Promise<Float32Array[]>
  /** how near a vector is to questions about anything; undefined until their vectors are there */
  nearnessToAnything(vector: Float32Array, language: Language): number | undefined
  /** reads vectors of everyday questions in the background, once: searches go on without them until they are there */
  readEveryday(): Promise<void> | undefined
}

type Parts = {
  corpus: Corpus
  embedder: Embedder
  index: ChunkIndex
  flatChunks: number
  chroma: Breaker
  cache: Redis | undefined
  events: Pick<RetrievalEvents, 'questionVector'>
  failed: (error: unknown) => void
}

export function openGeneration(
  generation: Generation,
  { corpus, embedder, index, flatChunks, chroma, cache, events, failed }: Parts,
): OpenGeneration {
  const questions = createQuestionVectors(generation, cache, events)
  const known = createLru<Float32Array>(2_000)
  const coming = new Map<string, Promise<Float32Array>>() // questions that come together ask for the same sentences
  const flat = createFlatVectors(corpus, flatChunks)
  const nearness = createNearness(index, flat, generation)
  let everyday = noEveryday
  let anything: Record<Language, Float32Array> | undefined
  let reading: Promise<void> | undefined

  async function vectorsOf(language: Language): Promise<Float32Array[]> {
    const vectors: Float32Array[] = []
    for (const text of everydayQuestions[language]) vectors.push(await embedder.query(text, AbortSignal.timeout(LIMIT_MS)))
    return vectors
  }

  return {
    generation,
    embedder,
    nearest: createNearest(corpus, index, flat, nearness, chroma),
    question: (text, signal) => questions.of(text, () => embedder.query(text, signal)),
    async sentences(texts, embed) {
      const held = new Map(texts.map((text) => [text, known.get(text) ?? coming.get(text)]))
      const missing = [...held.keys()].filter((text) => held.get(text) === undefined)
      const made = missing.length > 0 ? embed(missing) : undefined
      missing.forEach((text, i) => {
        const one = made!.then((vectors) => vectors[i]!)
        held.set(text, one)
        coming.set(text, one)
        one.then((vector) => known.set(text, vector)).catch(() => undefined) // told to who waits for it
      })
      try {
        return await Promise.all(texts.map((text) => held.get(text)!))
      } finally {
        for (const text of missing) coming.delete(text)
      }
    },
    nearnessToAnything: (vector, language) => anything && dot(anything[language], vector),
    readEveryday() {
      if (everyday !== noEveryday || reading) return reading
      reading = (async () => {
        everyday = { zh: await vectorsOf('zh'), en: await vectorsOf('en') }
        anything = { zh: meanVector(everyday.zh), en: meanVector(everyday.en) }
        await nearness.follow(everyday)
      })()
        .catch(failed)
        .finally(() => {
          reading = undefined
        })
      return reading
    },
    [Symbol.dispose]() {
      nearness[Symbol.dispose]()
      flat[Symbol.dispose]()
    },
  }
}
