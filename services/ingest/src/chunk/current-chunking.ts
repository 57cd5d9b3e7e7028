import { isDeepStrictEqual } from 'node:util'
import type { Chunking, ChunkingCost, ChunkingOrder, ChunkingState } from '@docent/core/chunking'
import type { Corpus, IndexSettings } from '@docent/corpus/corpus'
import type { EmbeddingModels } from '@docent/models/embedder'
import { BYTES_PER_TOKEN } from '../generations/estimate.ts'
import type { FindServing } from '../generations/serving.ts'
import { settingsHash } from '../jobs/index-document.ts'

export type CurrentChunking = {
  /** what documents are cut by where no folder says otherwise */
  find(): Promise<Chunking>
  state(): Promise<ChunkingState>
  /** what the settings of a version ask for; one that is not newer than what was told before changes nothing */
  follow(order: ChunkingOrder): Promise<ChunkingState>
  /** what following it would cost. Errors: unavailable, when the embedder does not answer. */
  weigh(chunking: Chunking | null, signal: AbortSignal): Promise<ChunkingCost>
}

type Deps = {
  corpus: Pick<Corpus, 'readChunking' | 'orderChunking' | 'countStale' | 'weighStale'>
  models: EmbeddingModels
  findServing: FindServing
  /** CHUNK_SIZE and CHUNK_OVERLAP */
  configured: Chunking
  concurrency: number
}

const COUNT_MS = 2_000 // `npm start` asks four times a second, and a count over 20,000 documents takes 60 ms

/** The owner's settings go before the configuration. They are read from the corpus each time, so that all workers cut alike. */
export function createCurrentChunking({ corpus, models, findServing, configured, concurrency }: Deps): CurrentChunking {
  const hashBy = (chunking: Chunking) => (settings: IndexSettings) => settingsHash(settings, chunking)

  let counted: { by: Chunking; at: number; documents: number } | undefined

  async function documentsLeft(by: Chunking): Promise<number> {
    if (counted && isDeepStrictEqual(counted.by, by) && performance.now() - counted.at < COUNT_MS) return counted.documents
    const at = performance.now()
    const documents = await corpus.countStale(hashBy(by))
    counted = { by, at, documents }
    return documents
  }

  async function stateOf(told: ChunkingOrder | undefined): Promise<ChunkingState> {
    const chunking = told?.chunking ?? configured
    return {
      ...chunking,
      from: told?.chunking ? 'settings' : 'configuration',
      settingsVersion: told?.settingsVersion ?? null,
      documentsLeft: await documentsLeft(chunking),
    }
  }

  return {
    find: async () => (await corpus.readChunking())?.chunking ?? configured,
    state: async () => stateOf(await corpus.readChunking()),
    async follow(order) {
      const told = await corpus.orderChunking(order)
      counted = undefined
      return stateOf(told)
    },
    async weigh(chunking, signal) {
      const [{ documents, chunks, bytes, ms }, { generation }, offered] = await Promise.all([
        corpus.weighStale(hashBy(chunking ?? configured)),
        findServing(signal),
        models.list(signal),
      ])
      const { price } = offered.find(({ model }) => model === generation.model) ?? {}
      const tokens = Math.ceil(bytes / BYTES_PER_TOKEN)
      return {
        documents,
        chunks,
        tokens,
        minutes: Math.ceil(ms / concurrency / 6_000) / 10,
        money: price ? { amount: Math.ceil((tokens * price.amount) / 10_000) / 100, currency: price.currency } : null,
      }
    },
  }
}
