import type { Corpus, Generation } from '@docent/corpus/corpus'
import type { Embedder } from '@docent/models/embedder'
import type { RetrievalEvents, Step } from '../events.ts'
import type { ChunkIndex, HeldChunk, Language } from '../index/chunk-index.ts'
import { BreakerOpen, createBreaker } from './breaker.ts'
import { dot, type FlatScan } from './flat-scan.ts'
import type { DenseGroup, Hit } from './fuse.ts'
import { createLru } from './lru.ts'

const LIMIT_MS = 3_000
const PER_LANGUAGE = 50
const CHROMA_HITS = 150
const GENERATION_MS = 60_000
const languages: readonly Language[] = ['zh', 'en']

export type DenseResult = { groups: DenseGroup<HeldChunk>[]; degraded: Step[]; ms: { embed: number; dense: number } }

/** Question → vector → nearest chunks of each language. Never throws for a part that is down; says what it did without. */
export type DenseLeg = Disposable & {
  search(text: string, allowed: ((chunk: HeldChunk) => boolean) | undefined, signal: AbortSignal): Promise<DenseResult>
  /** cosines of texts to the question, or undefined when the embedder is away */
  compare(question: string, texts: readonly string[], signal: AbortSignal): Promise<number[] | undefined>
  chromaCanary(signal: AbortSignal): Promise<void>
  embedderCanary(signal: AbortSignal): Promise<void>
}

type Parts = { corpus: Corpus; embedder: Embedder; index: ChunkIndex; flat: FlatScan; events: RetrievalEvents }

export function createDenseLeg({ corpus, embedder, index, flat, events }: Parts): DenseLeg {
  const questions = createLru<Float32Array>(1_000)
  const sentences = createLru<Float32Array>(2_000)
  let generation: { value: Generation; until: number } | undefined

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

  async function generationOf(signal: AbortSignal): Promise<Generation> {
    if (generation && generation.until > Date.now()) return generation.value
    const { model, dimension } = await embedder.info(signal)
    const value = await corpus.activeGeneration(model, dimension)
    if (generation?.value.model !== value.model) {
      questions.clear()
      sentences.clear()
    }
    generation = { value, until: Date.now() + GENERATION_MS }
    return value
  }

  async function embedderCanary(signal: AbortSignal): Promise<void> {
    await generationOf(signal)
    await embedder.query('ready?', signal)
  }

  async function chromaCanary(signal: AbortSignal): Promise<void> {
    await corpus.denseCanary(generation?.value ?? (await generationOf(signal)), signal)
  }

  async function questionVector(text: string, signal: AbortSignal): Promise<{ vector: Float32Array; generation: Generation }> {
    return embedding.run(async (limit) => {
      const current = await generationOf(limit)
      const known = questions.get(text)
      if (known) return { vector: known, generation: current }
      const vector = await embedder.query(text, limit)
      questions.set(text, vector)
      return { vector, generation: current }
    }, signal)
  }

  /** Chroma's answer, by language; a language it leaves out is compared exactly, as far as that fits in memory. */
  async function nearest(
    vector: Float32Array,
    current: Generation,
    allowed: ((chunk: HeldChunk) => boolean) | undefined,
    signal: AbortSignal,
  ) {
    const hits: Hit<HeldChunk>[] = []
    let down = false
    try {
      const found = await chroma.run((limit) => corpus.searchDense(vector, CHROMA_HITS, current, limit), signal)
      for (const { chunkId, score } of found) {
        const chunk = index.byId(chunkId)
        if (chunk && (!allowed || allowed(chunk))) hits.push({ chunk, score })
      }
    } catch (error) {
      signal.throwIfAborted()
      down = error instanceof BreakerOpen || chroma.open
      if (!down) throw error
    }

    const groups: DenseGroup<HeldChunk>[] = []
    for (const language of languages) {
      const group = hits.filter(({ chunk }) => chunk.written === language).slice(0, PER_LANGUAGE)
      const wanted = Math.min(PER_LANGUAGE, index.count(language))
      if (group.length * 2 > wanted || wanted === 0) groups.push({ language, hits: group })
      else {
        const chunks: HeldChunk[] = []
        for (const chunk of index.all()) if (chunk.written === language && (!allowed || allowed(chunk))) chunks.push(chunk)
        const exact = await flat.search(vector, chunks, PER_LANGUAGE, current)
        groups.push({ language, hits: exact.length > group.length ? exact : group })
      }
    }
    return { groups, down }
  }

  return {
    chromaCanary,
    embedderCanary,

    async search(text, allowed, signal) {
      const ms = { embed: 0, dense: 0 }
      if (index.size === 0) return { groups: [], degraded: [], ms }
      const started = performance.now()
      let question: { vector: Float32Array; generation: Generation }
      try {
        question = await questionVector(text, signal)
        ms.embed = performance.now() - started
      } catch {
        signal.throwIfAborted() // the breaker told events why
        return { groups: [], degraded: ['dense'], ms: { embed: performance.now() - started, dense: 0 } }
      }
      const asked = performance.now()
      try {
        const { groups, down } = await nearest(question.vector, question.generation, allowed, signal)
        ms.dense = performance.now() - asked
        return { groups, degraded: down ? ['chroma'] : [], ms }
      } catch (error) {
        signal.throwIfAborted()
        events.legLost('dense', error)
        return { groups: [], degraded: ['chroma', 'dense'], ms: { ...ms, dense: performance.now() - asked } }
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
