import { AppError, isErrorCode } from '@docent/core/errors'
import { Late, within } from '@docent/core/within'
import { z } from 'zod'
import type { Embedder, EmbeddingModels } from './embedder.ts'
import { decodeBase64, readVectors } from './vectors.ts'

export type HttpEmbedderOptions = {
  /** base address of the embedder service, without /v1 */
  url: string
  /** limit for a question or for `info` */
  timeoutMs?: number
  /** limit for one request of up to `batch` passages, which may wait behind others' */
  passagesTimeoutMs?: number
  batch?: number
  /** one of those the service offers; unset: the first of them */
  model?: string
  /** one that costs less than `fetch` itself */
  fetch?: typeof globalThis.fetch
}

const modelsReply = z.object({
  data: z
    .array(
      z.object({
        id: z.string(),
        dimension: z.int().positive().optional(),
        problem: z.string().optional(),
        price: z.object({ amount: z.number(), currency: z.string() }).optional(),
      }),
    )
    .min(1),
})
const vectorsReply = z.object({
  data: z.array(z.object({ index: z.int(), embedding: z.string() })),
  usage: z.object({ total_tokens: z.int().nonnegative() }).optional(),
})
const problem = z.object({ code: z.string(), detail: z.string() }).partial()

/** The Embedder port over our embedder service. It does not retry: callers know better how long they can wait. */
export function createHttpEmbedder({
  url,
  timeoutMs = 5_000,
  passagesTimeoutMs = 180_000,
  batch = 32,
  model,
  fetch = globalThis.fetch,
}: HttpEmbedderOptions): Embedder {
  const base = url.replace(/\/+$/, '')
  let dimension: number | undefined

  async function embed(
    kind: 'query' | 'passage',
    input: readonly string[],
    signal: AbortSignal,
    limitMs: number,
    used?: (tokens: number) => void,
  ): Promise<Float32Array[]> {
    const body = JSON.stringify({ input, kind, encoding_format: 'base64', model })
    const { data, usage } = await ask(
      `${base}/v1/embeddings`,
      { method: 'POST', headers: { 'content-type': 'application/json' }, body },
      vectorsReply,
      { limitMs, signal, fetch },
    )
    if (data.some(({ index }, place) => index !== place)) throw new AppError('embedding_failed', 'The embedder sent vectors out of order.')
    const vectors = readVectors(
      data.map(({ embedding }) => decodeBase64(embedding)),
      { count: input.length, dimension },
    )
    dimension ??= vectors[0]?.length
    if (usage) used?.(usage.total_tokens)
    return vectors
  }

  return {
    async info(signal) {
      const { data } = await ask(`${base}/v1/models`, {}, modelsReply, { limitMs: timeoutMs, signal, fetch })
      const offered = model === undefined ? data[0] : data.find(({ id }) => id === model)
      if (!offered) throw new AppError('not_found', `The embedder does not serve the model "${model}".`)
      if (!offered.dimension) throw new AppError('unavailable', offered.problem ?? `The model "${offered.id}" does not answer.`)
      dimension = offered.dimension
      return { model: offered.id, dimension }
    },
    async query(text, signal) {
      const [vector] = await embed('query', [text], signal, timeoutMs)
      return vector!
    },
    async passages(texts, signal, used) {
      const vectors: Float32Array[] = []
      for (let from = 0; from < texts.length; from += batch) {
        vectors.push(...(await embed('passage', texts.slice(from, from + batch), signal, passagesTimeoutMs, used)))
      }
      return vectors
    },
  }
}

/** All models of our embedder service. */
export function createHttpModels(options: Omit<HttpEmbedderOptions, 'model'>): EmbeddingModels {
  const embedders = new Map<string, Embedder>()
  const { url, timeoutMs = 5_000, fetch = globalThis.fetch } = options
  return {
    async list(signal) {
      const { data } = await ask(`${url.replace(/\/+$/, '')}/v1/models`, {}, modelsReply, { limitMs: timeoutMs, signal, fetch })
      return data.map(({ id, ...offered }) => ({ model: id, ...offered }))
    },
    of(model) {
      const embedder = embedders.get(model) ?? createHttpEmbedder({ ...options, model })
      embedders.set(model, embedder)
      return embedder
    },
  }
}

/** JSON in, JSON out; the service's problem becomes the same AppError here, silence becomes `unavailable` or `timeout`. */
async function ask<T>(
  url: string,
  init: RequestInit,
  schema: z.ZodType<T>,
  { limitMs, signal: caller, fetch }: { limitMs: number; signal?: AbortSignal; fetch: typeof globalThis.fetch },
): Promise<T> {
  let response: Response
  let text: string
  try {
    ;[response, text] = await within(limitMs, caller, async (signal) => {
      const replied = await fetch(url, { ...init, signal })
      return [replied, await replied.text()]
    })
  } catch (cause) {
    caller?.throwIfAborted()
    if (cause instanceof Late) throw new AppError('timeout', `The embedder did not answer in ${limitMs} ms.`, { cause })
    throw new AppError('unavailable', 'The embedder does not answer.', { cause, retryAfterS: 2 })
  }
  const body = parseJson(text)
  if (!response.ok) throw refusal(response, body)
  const reply = schema.safeParse(body)
  if (!reply.success)
    throw new AppError('embedding_failed', 'The embedder sent something that is not an embeddings reply.', { cause: reply.error })
  return reply.data
}

function refusal(response: Response, body: unknown): AppError {
  const { code, detail } = problem.safeParse(body).data ?? {}
  const retryAfter = Number(response.headers.get('retry-after') ?? Number.NaN)
  return new AppError(isErrorCode(code) ? code : 'unavailable', detail ?? `The embedder answered ${response.status}.`, {
    ...(Number.isFinite(retryAfter) ? { retryAfterS: retryAfter } : {}),
  })
}

/** A body that is no JSON reads as undefined: the schema then refuses it. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
