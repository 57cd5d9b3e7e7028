import { AppError } from '@docent/core/errors'
import { createTurns } from '@docent/core/turns'
import { Late, within } from '@docent/core/within'
import type { Corpus } from '@docent/corpus/corpus'
import type { Redis } from '@docent/kit/redis'
import type { EmbeddingModels } from '@docent/models/embedder'
import type { RetrievalEvents, Step } from '../events.ts'
import type { ChunkIndex, HeldChunk, Language } from '../index/chunk-index.ts'
import { type Breaker, createBreaker } from './breaker.ts'
import { dot } from './flat-vectors.ts'
import type { DenseGroup } from './fuse.ts'
import { type OpenGeneration, openGeneration } from './open-generation.ts'

const LIMIT_MS = 3_000
const GENERATION_MS = 60_000
// eighty sentences are half a second of the model's time: of a crowd the first get theirs soon, and the last still before the gateway's 10 s
const SENTENCES_MS = 8_000
const SENTENCES_AT_ONCE = 2

export type DenseResult = {
  groups: DenseGroup<HeldChunk>[]
  degraded: Step[]
  ms: { embed: number; dense: number }
  /** of the question's vector and of its neighbours alike */
  generation?: number
}
export type DenseQuestion = {
  text: string
  language: Language
  allowed: ((chunk: HeldChunk) => boolean) | undefined
  /** another one than serves */
  generation?: number | undefined
}

/** `stands`: the cosine less what questions about anything reach, once these are known */
export type Compared = { cosine: number; stands?: number }

/** Question → vector → nearest chunks of each language. Never throws for a part that is down; says what it did without. */
export type DenseLeg = Disposable & {
  /** Errors: not_found, when the question names a generation that is not there. */
  search(question: DenseQuestion, signal: AbortSignal): Promise<DenseResult>
  /** texts beside a question in `language`, or undefined when the embedder is away */
  compare(question: { text: string; language: Language }, texts: readonly string[], signal: AbortSignal): Promise<Compared[] | undefined>
  /** looks which generation serves: called as often as the change feed is read */
  follow(): Promise<void>
  chromaCanary(signal: AbortSignal): Promise<void>
  embedderCanary(signal: AbortSignal): Promise<void>
  /** reads ahead what the first question would wait for; nothing fails when a part is away */
  warm(signal: AbortSignal): Promise<void>
}

type Parts = {
  corpus: Corpus
  models: EmbeddingModels
  index: ChunkIndex
  flatChunks: number
  events: RetrievalEvents
  /** vectors of questions, shared with other replicas */
  cache?: Redis | undefined
}

export function createDenseLeg({ corpus, models, index, flatChunks, events, cache }: Parts): DenseLeg {
  let current: OpenGeneration | undefined
  let freshUntil = 0
  let beside: { open: OpenGeneration; chroma: Breaker } | undefined

  const embedding = createBreaker({
    limitMs: LIMIT_MS,
    probe: embedderCanary,
    onOpen: (error) => events.legLost('dense', error),
    onClose: () => events.legBack('dense'),
  })
  // of its own: many sentences at once may be late where questions are embedded in time
  const sentences = createBreaker({
    limitMs: SENTENCES_MS,
    probe: embedderCanary,
    onOpen: (error) => events.legLost('sentences', error),
    onClose: () => events.legBack('sentences'),
  })
  const inTurn = createTurns(SENTENCES_AT_ONCE)
  const chroma = createBreaker({
    limitMs: LIMIT_MS,
    probe: chromaCanary,
    onOpen: (error) => events.legLost('chroma', error),
    onClose: () => events.legBack('chroma'),
  })

  function open(generation: OpenGeneration['generation'], through: Breaker): OpenGeneration {
    const embedder = models.of(generation.model)
    const failed = (error: unknown) => events.legLost('everyday', error)
    return openGeneration(generation, { corpus, embedder, index, flatChunks, chroma: through, cache, events, failed })
  }

  async function serving(signal: AbortSignal): Promise<OpenGeneration> {
    if (current && freshUntil > performance.now()) return current
    const generation = await corpus.servingGeneration(await models.list(signal))
    if (current?.generation.id !== generation.id) {
      if (current) events.generationFollowed(generation)
      current?.[Symbol.dispose]()
      current = open(generation, chroma)
    }
    freshUntil = performance.now() + GENERATION_MS
    return current
  }

  /** The one beside has a breaker of its own: its faults are no reason to do without the one that serves. */
  async function named(id: number, signal: AbortSignal): Promise<OpenGeneration> {
    const now = await serving(signal)
    if (now.generation.id === id) return now
    const generation = await corpus.findGeneration(id)
    if (!generation || generation.state === 'retired') throw new AppError('not_found', 'There is no such generation, or it is retired.')
    if (beside?.open.generation.id === id) return beside.open
    closeBeside()
    const own = createBreaker({
      limitMs: LIMIT_MS,
      probe: (limit) => corpus.denseCanary(generation, limit),
      onOpen: (error) => events.legLost('beside', error),
      onClose: () => events.legBack('beside'),
    })
    beside = { open: open(generation, own), chroma: own }
    return beside.open
  }

  function closeBeside(): void {
    beside?.open[Symbol.dispose]()
    beside?.chroma[Symbol.dispose]()
    beside = undefined
  }

  async function embedderCanary(signal: AbortSignal): Promise<void> {
    const now = await serving(signal)
    await now.embedder.query('ready?', signal).catch(lookAgain)
    now.readEveryday()
  }

  async function chromaCanary(signal: AbortSignal): Promise<void> {
    await corpus.denseCanary((current ?? (await serving(signal))).generation, signal)
  }

  function questionVector(text: string, signal: AbortSignal): Promise<{ vector: Float32Array; open: OpenGeneration }> {
    return embedding.run(async (limit) => {
      const now = await serving(limit)
      const vector = await now.question(text, limit).catch(lookAgain)
      now.readEveryday()
      return { vector, open: now }
    }, signal)
  }

  /** A model that is no longer served under this name: the next question looks what serves instead. */
  function lookAgain(error: unknown): never {
    if (error instanceof AppError && error.code === 'not_found') freshUntil = 0
    throw error
  }

  async function besideVector(text: string, open: OpenGeneration, signal: AbortSignal) {
    const vector = await open.question(text, AbortSignal.any([signal, AbortSignal.timeout(LIMIT_MS)]))
    open.readEveryday()
    return { vector, open }
  }

  return {
    chromaCanary,
    embedderCanary,

    async search({ text, language, allowed, generation }, signal) {
      const started = performance.now()
      const ms = { embed: 0, dense: 0 }
      const asked = generation === undefined ? undefined : await named(generation, signal)
      if (index.size === 0) return { groups: [], degraded: [], ms }
      let step: Step = 'dense'
      try {
        const { vector, open: from } = await (asked ? besideVector(text, asked, signal) : questionVector(text, signal))
        ms.embed = performance.now() - started
        step = 'chroma'
        const { groups, chromaDown } = await from.nearest({ vector, generation: from.generation, language, allowed }, signal)
        ms.dense = performance.now() - started - ms.embed
        return { groups, degraded: chromaDown ? ['chroma'] : [], ms, generation: from.generation.id }
      } catch (error) {
        signal.throwIfAborted()
        if (step === 'chroma') events.legLost('dense', error) // of the embedder's failures the breaker has told
        return { groups: [], degraded: step === 'chroma' ? ['chroma', 'dense'] : ['dense'], ms }
      }
    },

    async compare({ text, language }, texts, signal) {
      try {
        const { vector, open: from } = await questionVector(text, signal)
        const until = performance.now() + SENTENCES_MS
        const embed = (missing: readonly string[]) =>
          inTurn(async () => {
            if (performance.now() > until) throw new Late('nobody waits for these sentences any more')
            // others may wait for the same: a caller who leaves does not end it
            return sentences.run((limit) => from.embedder.passages(missing, limit), STAYS)
          })
        const vectors = await within(SENTENCES_MS, signal, () => from.sentences(texts, embed))
        return vectors.map((one) => {
          const cosine = dot(vector, one)
          const usual = from.nearnessToAnything(one, language)
          return { cosine, ...(usual === undefined ? {} : { stands: cosine - usual }) }
        })
      } catch {
        signal.throwIfAborted()
        return undefined
      }
    },

    async warm(signal) {
      await Promise.allSettled([serving(signal).then((now) => now.readEveryday()), chromaCanary(signal)])
    },

    async follow() {
      const active = await corpus.findActive()
      if (active && current && active.id !== current.generation.id) freshUntil = 0
    },

    [Symbol.dispose]() {
      embedding[Symbol.dispose]()
      sentences[Symbol.dispose]()
      chroma[Symbol.dispose]()
      current?.[Symbol.dispose]()
      closeBeside()
    },
  }
}

const STAYS = new AbortController().signal
