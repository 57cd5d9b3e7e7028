import { AppError } from '@docent/core/errors'
import type { Corpus } from '@docent/corpus/corpus'
import type { EmbeddingModels, OfferedModel } from '@docent/models/embedder'

const SAMPLE = 8
const TRY_MS = 60_000
// English has about 4 bytes to a token, Chinese 3 bytes a character and about 0.75 tokens
export const BYTES_PER_TOKEN = 4
const ROW_BYTES = 120 // of Postgres, around a vector and its key
const DENSE_ROW_BYTES = 500 // of Chroma: id, metadata, and the graph's links
const DENSE_FACTOR = 1.1

export type Estimate = {
  chunks: number
  texts: number
  /** texts that need a vector; the others have one of an earlier build */
  missing: number
  tokens: number
  minutes: number
  diskBytes: number
  money: { amount: number; currency: string } | null
}

/** The offered model of this name, answering. Errors: validation (names those there are), unavailable. */
export async function findOffered(
  models: EmbeddingModels,
  name: string,
  signal: AbortSignal,
): Promise<OfferedModel & { dimension: number }> {
  const offered = await models.list(signal)
  const found = offered.find(({ model }) => model === name)
  if (!found) {
    const names = offered.map(({ model }) => `"${model}"`).join(', ')
    throw new AppError(
      'validation',
      `The embedder is not configured for "${name}". It offers ${names}; EMBEDDINGS_NEXT_* names a candidate.`,
      {
        errors: [{ path: 'body.model', message: `must be one of ${names}` }],
      },
    )
  }
  if (found.dimension === undefined) throw new AppError('unavailable', found.problem ?? `The model "${name}" does not answer.`)
  return { ...found, dimension: found.dimension }
}

/** What a build would cost. It embeds a few of the texts, to see that the model works and how fast; nothing is kept of it. */
export async function estimate(
  { model, dimension, price }: OfferedModel & { dimension: number },
  { corpus, models }: { corpus: Pick<Corpus, 'countTexts' | 'missingTexts'>; models: EmbeddingModels },
): Promise<Estimate> {
  const { chunks, texts, missing, missingBytes } = await corpus.countTexts(model)
  const sample = await corpus.missingTexts(model, '', SAMPLE)
  const started = performance.now()
  if (sample.length > 0)
    await models.of(model).passages(
      sample.map(({ text }) => text),
      AbortSignal.timeout(TRY_MS),
    )
  const sampleBytes = sample.reduce((sum, { text }) => sum + Buffer.byteLength(text), 0)
  const ms = sampleBytes === 0 ? 0 : ((performance.now() - started) * missingBytes) / sampleBytes
  const tokens = Math.ceil(missingBytes / BYTES_PER_TOKEN)
  return {
    chunks,
    texts,
    missing,
    tokens,
    minutes: Math.ceil(ms / 6_000) / 10,
    diskBytes: Math.ceil(missing * (2 * dimension + ROW_BYTES) + chunks * (4 * dimension * DENSE_FACTOR + DENSE_ROW_BYTES)),
    money: price ? { amount: Math.ceil((tokens * price.amount) / 10_000) / 100, currency: price.currency } : null,
  }
}
