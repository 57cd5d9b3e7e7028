import { envBoolean, envPort, envSecret, readEnv } from '@docent/kit/config'
import { z } from 'zod'

const url = (description: string) => z.url().meta({ description })
const optionalText = (description: string) => z.string().optional().meta({ description })
const seconds = (fallback: number, description: string) => z.coerce.number().positive().max(3_600).default(fallback).meta({ description })

/** `a,b` or `["a","b"]` */
const list = z
  .string()
  .default('')
  .transform((value, context) => {
    try {
      const entries: unknown = value.trim().startsWith('[') ? JSON.parse(value) : value.split(',')
      return z
        .array(z.string())
        .parse(entries)
        .map((entry) => entry.trim().replace(/\/$/, ''))
        .filter(Boolean)
    } catch {
      context.addIssue('must be a comma list or a JSON array of strings')
      return z.NEVER
    }
  })

export const envSchema = z
  .object({
    HOST: z.string().default('0.0.0.0').meta({ description: 'Address the gateway listens on' }),
    PORT: envPort.default(8080).meta({ description: 'Port of the API and the page' }),
    METRICS_PORT: envPort.default(9080).meta({ description: 'Port of /metrics, internal only' }),
    LOG_LEVEL: z.enum(['debug', 'info', 'warn', 'error']).default('info').meta({ description: 'Least severe log line that is written' }),
    DATABASE_URL: url('Postgres, the truth'),
    QUEUE_URL: url('Redis for stream journals and jobs (noeviction)'),
    CACHE_URL: url('Redis for cached answers and limits (allkeys-lru)'),
    RETRIEVAL_URL: url('Where the retrieval service answers'),
    INGEST_URL: url('Where the ingest service answers'),
    EMBEDDER_URL: z.url().optional().meta({ description: 'Where the embedder answers' }),
    INTERNAL_TOKEN: envSecret.meta({ description: 'Secret between the services' }),
    ADMIN_KEY: envSecret.meta({ description: 'Bearer key that may do everything' }),
    ACCESS: z.enum(['public', 'keys']).default('public').meta({ description: 'Who may ask: anyone, or holders of a key' }),
    PUBLIC_READS: envBoolean.default(false).meta({ description: 'Document list and search without a key' }),
    LOCAL_ONLY: envBoolean.default(false).meta({ description: 'Answer only requests to this machine by its own name (npm start)' }),
    ALLOWED_ORIGINS: list.meta({ description: 'Web origins that may call the API: comma list or JSON array' }),
    TRUST_PROXY: z.coerce
      .number()
      .int()
      .min(0)
      .max(5)
      .default(0)
      .meta({ description: 'Proxies in front whose X-Forwarded-For is believed' }),
    RATE_LIMIT_PER_MINUTE: z.coerce.number().int().min(1).default(30).meta({ description: 'Questions per minute and address' }),
    DAILY_TOKEN_BUDGET: z.coerce
      .number()
      .int()
      .min(0)
      .default(2_000_000)
      .meta({ description: 'Tokens a day for all together that the model may use; 0 is no limit' }),
    STREAM_FLUSH_MS: z.coerce
      .number()
      .int()
      .min(0)
      .max(1_000)
      .default(40)
      .meta({ description: 'At most this long tokens wait to leave together' }),
    RETENTION_DAYS: z.coerce.number().int().min(1).default(90).meta({ description: 'Days that conversations and records are kept' }),
    LLM_BASE_URL: z.url().optional().meta({ description: 'OpenAI-compatible server, e.g. http://ollama:11434/v1' }),
    LLM_API_KEY: optionalText('Key of the server at LLM_BASE_URL'),
    LLM_MODEL: optionalText('Name of the model to ask at LLM_BASE_URL'),
    DEEPSEEK_API_KEY: optionalText('Enough by itself to answer with DeepSeek'),
    DASHSCOPE_API_KEY: optionalText('Enough by itself to answer with Qwen'),
    OPENROUTER_API_KEY: optionalText('Enough by itself to answer through OpenRouter'),
    DEFAULT_MODEL: optionalText('Model for OpenRouter'),
    LLM_FIRST_TOKEN_S: seconds(20, 'Seconds without a first token after which the next provider is asked'),
    LLM_SILENCE_S: seconds(30, 'Seconds of silence in mid-answer after which it ends with an error'),
    LLM_PRICE_INPUT: z.coerce.number().min(0).optional().meta({ description: 'Price of a million input tokens' }),
    LLM_PRICE_OUTPUT: z.coerce.number().min(0).optional().meta({ description: 'Price of a million output tokens' }),
    LLM_CURRENCY: z.string().length(3).default('USD').meta({ description: 'Currency of these prices' }),
    RAG_ENABLED: envBoolean.default(true).meta({ description: 'Answer from the documents; off leaves plain chat with the model' }),
    UPLOADS_ENABLED: envBoolean.default(true).meta({ description: 'Accept documents over the API' }),
  })
  .refine((env) => !env.LLM_BASE_URL || env.LLM_MODEL, { path: ['LLM_MODEL'], message: 'must be set when LLM_BASE_URL is' })

export type Provider = { name: string; baseUrl: string; apiKey: string; model: string }
export type Config = Readonly<ReturnType<typeof readConfig>>

export function readConfig(env: Record<string, string | undefined>) {
  const e = readEnv(envSchema, env)
  return {
    http: { host: e.HOST, port: e.PORT, metricsPort: e.METRICS_PORT, trustProxy: e.TRUST_PROXY },
    logLevel: e.LOG_LEVEL,
    postgres: e.DATABASE_URL,
    queue: e.QUEUE_URL,
    cache: e.CACHE_URL,
    neighbours: { retrieval: e.RETRIEVAL_URL.replace(/\/$/, ''), ingest: e.INGEST_URL.replace(/\/$/, ''), internalToken: e.INTERNAL_TOKEN },
    guard: {
      adminKey: e.ADMIN_KEY,
      access: e.ACCESS,
      publicReads: e.PUBLIC_READS || e.LOCAL_ONLY,
      local: e.LOCAL_ONLY,
      allowedOrigins: e.ALLOWED_ORIGINS,
      perMinute: e.RATE_LIMIT_PER_MINUTE,
      dailyTokens: e.DAILY_TOKEN_BUDGET,
      uploads: e.UPLOADS_ENABLED,
    },
    stream: { flushMs: e.STREAM_FLUSH_MS, snapshotMs: 1_000, orphanMs: 15_000, sweepMs: 5_000, abandonMs: 30_000 },
    retentionDays: e.RETENTION_DAYS,
    ragEnabled: e.RAG_ENABLED,
    models: {
      providers: providersOf(e),
      firstTokenMs: e.LLM_FIRST_TOKEN_S * 1_000,
      silenceMs: e.LLM_SILENCE_S * 1_000,
      price:
        e.LLM_PRICE_INPUT === undefined && e.LLM_PRICE_OUTPUT === undefined
          ? undefined
          : { input: e.LLM_PRICE_INPUT ?? 0, output: e.LLM_PRICE_OUTPUT ?? 0, currency: e.LLM_CURRENCY },
    },
  }
}

/** Tried in this order. A key alone is enough: base URL and model are preset. */
function providersOf(e: z.infer<typeof envSchema>): Provider[] {
  const own = e.LLM_BASE_URL ?? (e.LLM_API_KEY && e.LLM_MODEL ? 'https://api.openai.com/v1' : undefined)
  return [
    own && e.LLM_MODEL ? { name: 'llm', baseUrl: own, apiKey: e.LLM_API_KEY ?? '', model: e.LLM_MODEL } : undefined,
    e.DEEPSEEK_API_KEY
      ? { name: 'deepseek', baseUrl: 'https://api.deepseek.com/v1', apiKey: e.DEEPSEEK_API_KEY, model: 'deepseek-chat' }
      : undefined,
    e.DASHSCOPE_API_KEY
      ? { name: 'dashscope', baseUrl: 'https://dashscope.aliyuncs.com/compatible-mode/v1', apiKey: e.DASHSCOPE_API_KEY, model: 'qwen-plus' }
      : undefined,
    e.OPENROUTER_API_KEY
      ? {
          name: 'openrouter',
          baseUrl: 'https://openrouter.ai/api/v1',
          apiKey: e.OPENROUTER_API_KEY,
          model: e.DEFAULT_MODEL ?? 'deepseek/deepseek-chat',
        }
      : undefined,
  ].filter((provider) => provider !== undefined)
}
