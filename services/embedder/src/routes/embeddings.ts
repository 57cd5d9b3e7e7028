import { AppError, toAppError } from '@docent/core/errors'
import { parse } from '@docent/kit/parse'
import { Router } from 'express'
import { z } from 'zod'
import { createCanary } from '../canary.ts'
import type { Provider } from '../provider.ts'

export const MAX_INPUTS = 256

const request = z.object({
  input: z.union([z.string(), z.array(z.string()).min(1).max(MAX_INPUTS)], {
    error: `must be a text, or a list of 1 to ${MAX_INPUTS} texts; token ids are not accepted`,
  }),
  model: z.string().max(200).optional(),
  encoding_format: z.enum(['float', 'base64']).default('float'),
  dimensions: z.int().optional(),
  kind: z.enum(['query', 'passage']).default('passage'),
})

export type Served = { provider: Provider; price?: { amount: number; currency: string } | undefined }

const DIMENSION_MS = 10_000
// a search that looks which model serves waits for this: one that is slow must not delay what the other answers
const WAIT_MS = 1_000
const GOOD_MS = 60_000
const BAD_MS = 5_000

/** OpenAI's embeddings API, with `kind` beside it: questions go before passages. Without a `model` the first is meant. */
export function embeddingsRouter(served: readonly [Served, ...Served[]]): Router {
  const router = Router()
  const offered = served.map(({ provider, price }) => ({
    provider,
    price,
    dimension: createCanary(() => provider.dimension(AbortSignal.timeout(DIMENSION_MS)), { goodMs: GOOD_MS, badMs: BAD_MS }),
  }))

  router.post('/v1/embeddings', async (req, res) => {
    const { input, model, encoding_format, dimensions, kind } = parse({ body: request }, req).body
    const provider = served.find((one) => model === undefined || one.provider.model === model)?.provider
    if (!provider) {
      const names = served.map((one) => `"${one.provider.model}"`).join(' or ')
      throw new AppError('not_found', `The model "${model}" is not served here: leave \`model\` out or send ${names}.`)
    }
    const left = new AbortController()
    res.once('close', () => left.abort())
    try {
      const { vectors, tokens } = await provider.embed(kind, typeof input === 'string' ? [input] : input, left.signal)
      const dimension = vectors[0]!.length
      if (dimensions !== undefined && dimensions !== dimension) {
        throw new AppError('validation', `This model's vectors have ${dimension} dimensions: leave \`dimensions\` out.`)
      }
      res.json({
        object: 'list',
        data: vectors.map((vector, index) => ({
          object: 'embedding',
          index,
          embedding: encoding_format === 'base64' ? toBase64(vector) : Array.from(vector),
        })),
        model: provider.model,
        usage: { prompt_tokens: tokens, total_tokens: tokens },
      })
    } catch (error) {
      if (!left.signal.aborted) throw error
    }
  })

  router.get('/v1/models', async (_req, res) => {
    const limit = AbortSignal.timeout(WAIT_MS)
    const late = new Promise<never>((_, fail) =>
      limit.addEventListener('abort', () => fail(new AppError('timeout', 'The model has not answered yet.')), { once: true }),
    )
    late.catch(() => undefined) // nobody may be waiting by then
    const data = await Promise.all(
      offered.map(async ({ provider, price, dimension }) => {
        const known = await Promise.race([dimension(limit), late]).then(
          (found) => ({ dimension: found }),
          (error: unknown) => ({ problem: toAppError(error).message }), // of one model: the others answer
        )
        return { id: provider.model, object: 'model', created: 0, owned_by: 'docent', ...known, ...(price ? { price } : {}) }
      }),
    )
    res.json({ object: 'list', data })
  })

  return router
}

/** Little-endian float32, as OpenAI sends it. */
function toBase64(vector: Float32Array): string {
  return Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength).toString('base64')
}
