import { readFile } from 'node:fs/promises'
import { cosine } from '@docent/core/cosine'
import { AppError } from '@docent/core/errors'
import { z } from 'zod'
import type { EmbedderEvents } from '../events.ts'
import type { Provider } from '../provider.ts'
import { readVocabulary } from '../vocabulary.ts'
import { openWorkers } from '../workers.ts'

export const localModel = 'multilingual-e5-small-int8'
const DIMENSION = 384
/** Only the first 32,768 code points are read; with what normalisation may drop, more than this is never needed. */
const MAX_LENGTH = 1 << 18
const MIN_COSINE = 0.999 // other processors round differently

const goldenFile = z.object({
  items: z.array(z.object({ kind: z.enum(['query', 'passage']), text: z.string(), vector: z.array(z.number()).length(DIMENSION) })).min(1),
})

export type LocalOptions = { folder: URL; events: EmbedderEvents; maxWaitingQueries: number; maxWaitingPassages: number }

/** The bundled model. It was trained with the kind in front of each text: without it the quality drops. */
export async function openLocal(
  { folder, events, maxWaitingQueries, maxWaitingPassages }: LocalOptions,
  scope: AsyncDisposableStack,
): Promise<Provider> {
  const [vocabulary, golden] = await Promise.all([readFile(new URL('vocab.bin', folder)), readFile(new URL('golden.json', folder), 'utf8')])
  const known = goldenFile.parse(JSON.parse(golden)).items[0]!
  const workers = scope.use(
    await openWorkers({
      session: { model: new URL('model.onnx', folder).href, vocabulary: readVocabulary(vocabulary) },
      events,
      maxWaiting: { query: maxWaitingQueries, passage: maxWaitingPassages },
    }),
  )
  return {
    model: localModel,
    dimension: async () => DIMENSION,
    async embed(kind, texts, signal) {
      const embedded = await workers.embed(
        kind,
        texts.map((text) => `${kind}: ${text.trim().slice(0, MAX_LENGTH)}`),
        signal,
      )
      return { vectors: embedded.map((one) => one.vector), tokens: embedded.reduce((sum, one) => sum + one.tokens, 0) }
    },
    async canary() {
      const answers = await workers.probe(`${known.kind}: ${known.text.trim()}`)
      const worst = Math.min(...answers.map(({ vector }) => cosine(vector, known.vector)))
      if (!(worst >= MIN_COSINE))
        throw new AppError('embedding_failed', `The model's answer to a known text is wrong (cosine ${worst.toFixed(4)}).`)
      return `cosine ${worst.toFixed(6)}`
    },
  }
}
