import type { Corpus, Generation } from '@docent/corpus/corpus'
import type { Embedder } from '@docent/models/embedder'
import type { RetrievalEvents, Step } from '../events.ts'
import type { ChunkIndex, HeldChunk, Language } from '../index/chunk-index.ts'
import { createBreaker } from './breaker.ts'
import { everydayQuestions } from './everyday-questions.ts'
import { dot, type FlatVectors } from './flat-vectors.ts'
import type { DenseGroup } from './fuse.ts'
import { createLru } from './lru.ts'
import { createNearest } from './nearest.ts'

const LIMIT_MS = 3_000
const GENERATION_MS = 60_000

export type DenseResult = { groups: DenseGroup<HeldChunk>[]; degraded: Step[]; ms: { embed: number; dense: number } }
export type DenseQuestion = { text: string; language: Language; allowed: ((chunk: HeldChunk) => boolean) | undefined }

/** Question → vector → nearest chunks of each language. Never throws for a part that is down; says what it did without. */
export type DenseLeg = Disposable & {
  search(question: DenseQuestion, signal: AbortSignal): Promise<DenseResult>
  /** cosines of texts to the question, or undefined when the embedder is away */
  compare(question: string, texts: readonly string[], signal: AbortSignal): Promise<number[] | undefined>
  chromaCanary(signal: AbortSignal): Promise<void>
  embedderCanary(signal: AbortSignal): Promise<void>
}

type Parts = { corpus: Corpus; embedder: Embedder; index: ChunkIndex; flat: FlatVectors; events: RetrievalEvents }
type Everyday = Record<Language, readonly Float32Array[]>
const none: Everyday = { zh: [], en: [] }

export function createDenseLeg({ corpus, embedder, index, flat, events }: Parts): DenseLeg {
  const questions = createLru<Float32Array>(1_000)
  const sentences = createLru<Float32Array>(2_000)
  let generation: { value: Generation; until: number } | undefined
  let everyday = none
  let reading: Promise<void> | undefined

  const embedding = createBreaker({
    limitMs: LIMIT_MS,
    probe: embedderCanary,
    onOpen: (error) => events.legLost('dense', error),
    onClose: () => events.legBack('dense'),
  })
  const chroma = createBreaker({
    limitMs: LIMIT_MS,
    probe: chromaCanary,
    onOpen: (error) => events.legLost('chroma', error),
    onClose: () => events.legBack('chroma'),
  })
  const nearest = createNearest(corpus, index, flat, chroma)

  async function generationOf(signal: AbortSignal): Promise<Generation> {
    if (generation && generation.until > performance.now()) return generation.value
    const { model, dimension } = await embedder.info(signal)
    const value = await corpus.activeGeneration(model, dimension)
    if (generation?.value.model !== value.model) {
      questions.clear()
      sentences.clear()
      everyday = none
    }
    generation = { value, until: performance.now() + GENERATION_MS }
    return value
  }

  /** In the background, once per model: searches go on without them until they are there. */
  function readEveryday(model: string): void {
    if (everyday !== none || reading) return
    const vectorsOf = async (language: Language) => {
      const vectors: Float32Array[] = []
      for (const text of everydayQuestions[language]) vectors.push(await embedder.query(text, AbortSignal.timeout(LIMIT_MS)))
      return vectors
    }
    reading = (async () => {
      const read = { zh: await vectorsOf('zh'), en: await vectorsOf('en') }
      if (generation?.value.model === model) everyday = read
    })()
      .catch((error: unknown) => events.legLost('everyday', error))
      .finally(() => {
        reading = undefined
      })
  }

  async function embedderCanary(signal: AbortSignal): Promise<void> {
    const { model } = await generationOf(signal)
    await embedder.query('ready?', signal)
    readEveryday(model)
  }

  async function chromaCanary(signal: AbortSignal): Promise<void> {
    await corpus.denseCanary(generation?.value ?? (await generationOf(signal)), signal)
  }

  function questionVector(text: string, signal: AbortSignal): Promise<{ vector: Float32Array; generation: Generation }> {
    return embedding.run(async (limit) => {
      const current = await generationOf(limit)
      const vector = questions.get(text) ?? (await embedder.query(text, limit))
      questions.set(text, vector)
      readEveryday(current.model)
      return { vector, generation: current }
    }, signal)
  }

  return {
    chromaCanary,
    embedderCanary,

    async search({ text, language, allowed }, signal) {
      const started = performance.now()
      const ms = { embed: 0, dense: 0 }
      if (index.size === 0) return { groups: [], degraded: [], ms }
      let step: Step = 'dense'
      try {
        const question = await questionVector(text, signal)
        ms.embed = performance.now() - started
        step = 'chroma'
        const { groups, chromaDown } = await nearest({ ...question, language, allowed, everyday: everyday[language] }, signal)
        ms.dense = performance.now() - started - ms.embed
        return { groups, degraded: chromaDown ? ['chroma'] : [], ms }
      } catch (error) {
        signal.throwIfAborted()
        if (step === 'chroma') events.legLost('dense', error) // of the embedder's failures the breaker has told
        return { groups: [], degraded: step === 'chroma' ? ['chroma', 'dense'] : ['dense'], ms }
      }
    },

    async compare(question, texts, signal) {
      try {
        const { vector } = await questionVector(question, signal)
        const known = new Map<string, Float32Array>()
        const missing = [...new Set(texts)].filter((text) => {
          const held = sentences.get(text)
          if (held) known.set(text, held)
          return !held
        })
        const made = missing.length > 0 ? await embedding.run((limit) => embedder.passages(missing, limit), signal) : []
        missing.forEach((text, i) => {
          known.set(text, made[i]!)
          sentences.set(text, made[i]!)
        })
        return texts.map((text) => dot(vector, known.get(text)!))
      } catch {
        signal.throwIfAborted()
        return undefined
      }
    },

    [Symbol.dispose]() {
      embedding[Symbol.dispose]()
      chroma[Symbol.dispose]()
    },
  }
}
