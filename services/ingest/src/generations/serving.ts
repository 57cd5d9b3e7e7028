import { AppError } from '@docent/core/errors'
import type { Corpus, Generation } from '@docent/corpus/corpus'
import type { Embedder, EmbeddingModels } from '@docent/models/embedder'

export type Serving = { generation: Generation; embedder: Embedder }
export type FindServing = (signal: AbortSignal) => Promise<Serving>

/** The generation that serves and its model. Errors: unavailable, when the embedder or the model behind it does not answer. */
export function createFindServing(models: EmbeddingModels, corpus: Pick<Corpus, 'servingGeneration'>): FindServing {
  return async (signal) => {
    const offered = await models.list(signal)
    const generation = await corpus.servingGeneration(offered)
    const { problem } = offered.find(({ model }) => model === generation.model) ?? {}
    if (problem !== undefined) throw new AppError('unavailable', problem, { retryAfterS: 2 })
    return { generation, embedder: models.of(generation.model) }
  }
}
