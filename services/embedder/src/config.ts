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
  provider: { kind: 'local' } | (RemoteConfig & { kind: 'openai'; baseUrl: string }) | (RemoteConfig & { kind: 'hf' })
  rerank?: { url: string; api: 'cohere' | 'tei'; apiKey?: string; model?: string }
}

export type RemoteConfig = {
  baseUrl?: string
  apiKey?: string
  model: string
  dimensions?: number
  queryPrefix: string
  passagePrefix: string
  batch: number
  timeoutMs: number
}

const checked = envSchema.superRefine((env, context) => {
  if (env.EMBEDDINGS_PROVIDER !== 'openai' && env.EMBEDDINGS_PROVIDER !== 'hf') return
  const need = (name: 'EMBEDDINGS_MODEL' | 'EMBEDDINGS_API_KEY' | 'EMBEDDINGS_BASE_URL', when: string) => {
    if (!env[name]) context.addIssue({ code: 'custom', path: [name], message: `is needed when ${when}` })
  }
  need('EMBEDDINGS_MODEL', 'EMBEDDINGS_PROVIDER is not local')
  if (env.EMBEDDINGS_PROVIDER === 'openai') need('EMBEDDINGS_BASE_URL', 'EMBEDDINGS_PROVIDER is openai')
  if (env.EMBEDDINGS_PROVIDER === 'hf' && !env.EMBEDDINGS_BASE_URL)
    need('EMBEDDINGS_API_KEY', 'EMBEDDINGS_PROVIDER is hf without EMBEDDINGS_BASE_URL')
}, always)

export function readConfig(env: Record<string, string | undefined>): Config {
  const read = readEnv(checked, env)
  return Object.freeze({
    host: read.HOST,
    port: read.PORT,
    metricsPort: read.METRICS_PORT,
    logLevel: read.LOG_LEVEL,
    provider: readProvider(read),
    ...(read.RERANK_URL
      ? { rerank: { url: read.RERANK_URL, api: read.RERANK_API, apiKey: read.RERANK_API_KEY, model: read.RERANK_MODEL } }
      : {}),
  })
}

function readProvider(read: z.infer<typeof envSchema>): Config['provider'] {
  if (read.EMBEDDINGS_PROVIDER === 'local') return { kind: 'local' }
  const remote = {
    apiKey: read.EMBEDDINGS_API_KEY,
    model: read.EMBEDDINGS_MODEL!, // `checked` demands it
    dimensions: read.EMBEDDINGS_DIMENSIONS,
    queryPrefix: read.EMBEDDINGS_QUERY_PREFIX,
    passagePrefix: read.EMBEDDINGS_PASSAGE_PREFIX,
    batch: read.EMBEDDINGS_BATCH,
    timeoutMs: read.EMBEDDINGS_TIMEOUT_MS,
  }
  return read.EMBEDDINGS_PROVIDER === 'openai'
    ? { kind: 'openai', baseUrl: read.EMBEDDINGS_BASE_URL!, ...remote }
    : { kind: 'hf', baseUrl: read.EMBEDDINGS_BASE_URL, ...remote }
}
