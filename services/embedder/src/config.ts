import { always, envPort, readEnv } from '@docent/kit/config'
import { z } from 'zod'

export const envSchema = z.object({
  HOST: z.string().default('0.0.0.0').meta({ description: 'Address the service listens on' }),
  PORT: envPort.default(8083).meta({ description: 'Port of the service' }),
  METRICS_PORT: envPort.default(9083).meta({ description: 'Internal port of /metrics' }),
  LOG_LEVEL: z
    .enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'])
    .default('info')
    .meta({ description: 'Least level that is logged' }),
  EMBEDDINGS_PROVIDER: z
    .enum(['local', 'openai', 'hf'])
    .default('local')
    .meta({ description: 'Where vectors come from: the bundled model, an OpenAI-compatible server, or Hugging Face / TEI' }),
  EMBEDDINGS_BASE_URL: z
    .url()
    .optional()
    .meta({ description: 'openai: base URL ending in /v1; hf: a TEI or Inference Endpoint (unset: Hugging Face itself)' }),
  EMBEDDINGS_API_KEY: z.string().optional().meta({ description: 'Key of the remote embedding provider' }),
  EMBEDDINGS_MODEL: z.string().max(200).optional().meta({ description: 'Model of the remote embedding provider' }),
  EMBEDDINGS_DIMENSIONS: z.coerce
    .number()
    .int()
    .min(1)
    .max(8192)
    .optional()
    .meta({ description: 'Asks an OpenAI-compatible model for shorter vectors' }),
  EMBEDDINGS_QUERY_PREFIX: z
    .string()
    .max(500)
    .default('')
    .meta({ description: 'Text a remote model wants in front of questions, e.g. "query: "' }),
  EMBEDDINGS_PASSAGE_PREFIX: z
    .string()
    .max(500)
    .default('')
    .meta({ description: 'Text a remote model wants in front of passages, e.g. "passage: "' }),
  EMBEDDINGS_BATCH: z.coerce.number().int().min(1).max(256).default(32).meta({ description: 'Texts in one request to a remote provider' }),
  EMBEDDINGS_TIMEOUT_MS: z.coerce
    .number()
    .int()
    .min(100)
    .max(600_000)
    .default(30_000)
    .meta({ description: 'Limit of one request to a remote provider' }),
  EMBEDDINGS_REQUESTS_PER_MINUTE: z.coerce
    .number()
    .int()
    .min(1)
    .optional()
    .meta({ description: 'Passages keep to so many requests a minute to a remote provider; questions count and do not wait' }),
  EMBEDDINGS_TOKENS_PER_MINUTE: z.coerce
    .number()
    .int()
    .min(1_000)
    .optional()
    .meta({ description: 'Passages keep to so many tokens a minute at a remote provider; questions count and do not wait' }),
  EMBEDDINGS_PRICE: z.coerce.number().min(0).optional().meta({ description: 'Price of a million tokens of the model, for estimates' }),
  EMBEDDINGS_CURRENCY: z.string().length(3).default('USD').meta({ description: 'Currency of the prices of embedding models' }),
  EMBEDDINGS_NEXT_PROVIDER: z
    .enum(['local', 'openai', 'hf'])
    .optional()
    .meta({ description: 'A candidate beside the model above: POST /api/v1/generations builds an index with it while the other serves' }),
  EMBEDDINGS_NEXT_BASE_URL: z.url().optional().meta({ description: 'As EMBEDDINGS_BASE_URL, of the candidate' }),
  EMBEDDINGS_NEXT_API_KEY: z.string().optional().meta({ description: 'As EMBEDDINGS_API_KEY, of the candidate' }),
  EMBEDDINGS_NEXT_MODEL: z.string().max(200).optional().meta({ description: 'As EMBEDDINGS_MODEL, of the candidate' }),
  EMBEDDINGS_NEXT_DIMENSIONS: z.coerce
    .number()
    .int()
    .min(1)
    .max(8192)
    .optional()
    .meta({ description: 'As EMBEDDINGS_DIMENSIONS, of the candidate' }),
  EMBEDDINGS_NEXT_QUERY_PREFIX: z.string().max(500).default('').meta({ description: 'As EMBEDDINGS_QUERY_PREFIX, of the candidate' }),
  EMBEDDINGS_NEXT_PASSAGE_PREFIX: z.string().max(500).default('').meta({ description: 'As EMBEDDINGS_PASSAGE_PREFIX, of the candidate' }),
  EMBEDDINGS_NEXT_PRICE: z.coerce.number().min(0).optional().meta({ description: 'As EMBEDDINGS_PRICE, of the candidate' }),
  RERANK_URL: z.url().optional().meta({ description: 'Full address of a remote /rerank; unset: reranking is off' }),
  RERANK_API: z
    .enum(['cohere', 'tei'])
    .default('cohere')
    .meta({ description: "Shape RERANK_URL speaks: Cohere's (Jina, vLLM, SiliconFlow too) or TEI's" }),
  RERANK_API_KEY: z.string().optional().meta({ description: 'Key of the remote reranker' }),
  RERANK_MODEL: z.string().max(200).optional().meta({ description: 'Model of the remote reranker' }),
})

export type Config = {
  host: string
  port: number
  metricsPort: number
  logLevel: string
  provider: ProviderConfig
  /** the candidate for another generation of the index */
  next?: ProviderConfig
  rerank?: { url: string; api: 'cohere' | 'tei'; apiKey?: string; model?: string }
}

export type Price = { amount: number; currency: string }
export type ProviderConfig = { price?: Price } & (
  | { kind: 'local' }
  | (RemoteConfig & { kind: 'openai'; baseUrl: string })
  | (RemoteConfig & { kind: 'hf' })
)

export type RemoteConfig = {
  baseUrl?: string
  apiKey?: string
  model: string
  dimensions?: number
  queryPrefix: string
  passagePrefix: string
  batch: number
  timeoutMs: number
  limits: { requestsPerMinute?: number | undefined; tokensPerMinute?: number | undefined }
}

type Env = z.infer<typeof envSchema>
type Prefix = 'EMBEDDINGS_' | 'EMBEDDINGS_NEXT_'

const checked = envSchema.superRefine((env, context) => {
  for (const prefix of ['EMBEDDINGS_', 'EMBEDDINGS_NEXT_'] as const) {
    const provider = env[`${prefix}PROVIDER`]
    if (provider !== 'openai' && provider !== 'hf') continue
    const need = (name: 'MODEL' | 'API_KEY' | 'BASE_URL', when: string) => {
      if (!env[`${prefix}${name}`]) context.addIssue({ code: 'custom', path: [prefix + name], message: `is needed when ${when}` })
    }
    need('MODEL', `${prefix}PROVIDER is not local`)
    if (provider === 'openai') need('BASE_URL', `${prefix}PROVIDER is openai`)
    if (provider === 'hf' && !env[`${prefix}BASE_URL`]) need('API_KEY', `${prefix}PROVIDER is hf without ${prefix}BASE_URL`)
  }
  const next = env.EMBEDDINGS_NEXT_PROVIDER
  if (next && nameOf(env, 'EMBEDDINGS_NEXT_') === nameOf(env, 'EMBEDDINGS_'))
    context.addIssue({ code: 'custom', path: ['EMBEDDINGS_NEXT_MODEL'], message: 'must name another model than EMBEDDINGS_MODEL' })
}, always)

export function readConfig(env: Record<string, string | undefined>): Config {
  const read = readEnv(checked, env)
  return Object.freeze({
    host: read.HOST,
    port: read.PORT,
    metricsPort: read.METRICS_PORT,
    logLevel: read.LOG_LEVEL,
    provider: readProvider(read, 'EMBEDDINGS_'),
    ...(read.EMBEDDINGS_NEXT_PROVIDER ? { next: readProvider(read, 'EMBEDDINGS_NEXT_') } : {}),
    ...(read.RERANK_URL
      ? { rerank: { url: read.RERANK_URL, api: read.RERANK_API, apiKey: read.RERANK_API_KEY, model: read.RERANK_MODEL } }
      : {}),
  })
}

function readProvider(read: Env, prefix: Prefix): ProviderConfig {
  const amount = read[`${prefix}PRICE`]
  const price = amount === undefined ? {} : { price: { amount, currency: read.EMBEDDINGS_CURRENCY } }
  const kind = read[`${prefix}PROVIDER`]
  if (kind !== 'openai' && kind !== 'hf') return { kind: 'local', ...price }
  const remote = {
    ...price,
    apiKey: read[`${prefix}API_KEY`],
    model: read[`${prefix}MODEL`]!, // `checked` demands it
    dimensions: read[`${prefix}DIMENSIONS`],
    queryPrefix: read[`${prefix}QUERY_PREFIX`],
    passagePrefix: read[`${prefix}PASSAGE_PREFIX`],
    batch: read.EMBEDDINGS_BATCH,
    timeoutMs: read.EMBEDDINGS_TIMEOUT_MS,
    limits: { requestsPerMinute: read.EMBEDDINGS_REQUESTS_PER_MINUTE, tokensPerMinute: read.EMBEDDINGS_TOKENS_PER_MINUTE },
  }
  const baseUrl = read[`${prefix}BASE_URL`]
  return kind === 'openai' ? { kind, baseUrl: baseUrl!, ...remote } : { kind, baseUrl, ...remote }
}

function nameOf(read: Env, prefix: Prefix): string {
  const provider = read[`${prefix}PROVIDER`]
  return provider === 'openai' || provider === 'hf' ? modelId(read[`${prefix}MODEL`] ?? '', read[`${prefix}DIMENSIONS`]) : 'local'
}

/** Vectors of another length are another model's: both may be wanted beside each other. */
export function modelId(model: string, dimensions: number | undefined): string {
  return dimensions === undefined ? model : `${model}@${dimensions}`
}
