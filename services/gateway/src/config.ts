import { always, badConfig, envBoolean, envPort, envSecret, readEnv } from '@docent/kit/config'
import { z } from 'zod'
import { fallbacks, modelAddress, modelKey, type ProviderSpec } from './fallbacks.ts'
import type { ProviderLimits } from './guard/provider-limits.ts'

const url = (description: string) => z.url().meta({ description })
const optionalText = (description: string) => z.string().optional().meta({ description })
const keyText = (description: string) => modelKey.optional().meta({ description })
const seconds = (fallback: number, description: string) => z.coerce.number().positive().max(3_600).default(fallback).meta({ description })

const count = (description: string) => z.coerce.number().int().min(0).default(0).meta({ description })
const limit = (least: number, description: string) => z.coerce.number().int().min(least).optional().meta({ description })
const money = (description: string) => z.coerce.number().min(0).default(0).meta({ description })

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

const headerName = (description: string) =>
  z
    .string()
    .regex(/^[\w-]{1,64}$/, 'is no name of a header')
    .transform((name) => name.toLowerCase())
    .optional()
    .meta({ description })

const presetKeys = ['DEEPSEEK_API_KEY', 'DASHSCOPE_API_KEY', 'OPENROUTER_API_KEY'] as const

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
    ACCESS: z
      .enum(['public', 'keys'])
      .default('public')
      .meta({ description: 'Who may ask: anyone, or holders of a key and who signed in' }),
    SIGN_IN_USER_HEADER: headerName('Header in which a proxy in front names who signed in there, e.g. X-Forwarded-User'),
    SIGN_IN_GROUPS_HEADER: headerName('Header in which that proxy names the groups, e.g. X-Forwarded-Groups'),
    SIGN_IN_PROXY_SECRET: envSecret
      .optional()
      .meta({ description: 'Secret that the proxy sends as X-Docent-Proxy-Secret; without it nobody is believed' }),
    OIDC_ISSUER: z.url().optional().meta({ description: 'OpenID Connect provider whose tokens people may send as bearer tokens' }),
    OIDC_AUDIENCE: optionalText('Audience that such a token must be for, as a rule the client id of Docent'),
    OIDC_GROUPS_CLAIM: z.string().default('groups').meta({ description: 'Claim of such a token that lists the groups' }),
    ADMIN_GROUPS: list.meta({ description: 'Groups whose members may do everything' }),
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
    PUBLIC_URL: z
      .url({ protocol: /^https?$/ })
      .optional()
      .meta({ description: 'Address that readers open this under, for links given to other programs; default: as they ask' }),
    RATE_LIMIT_PER_MINUTE: z.coerce.number().int().min(1).default(30).meta({ description: 'Questions per minute and address' }),
    DAILY_TOKEN_BUDGET: z.coerce
      .number()
      .int()
      .min(0)
      .default(2_000_000)
      .meta({ description: 'Tokens a day for all together that the model may use; 0 is no limit' }),
    MONTHLY_TOKEN_BUDGET: count('The same for a month; 0 is no limit'),
    DAILY_MONEY_BUDGET: money('Money a day that the models may cost at their prices; 0 is no limit'),
    MONTHLY_MONEY_BUDGET: money('The same for a month; 0 is no limit'),
    BUDGET_WARN_PERCENT: z.coerce
      .number()
      .min(1)
      .max(100)
      .default(80)
      .meta({ description: 'From this share of a budget on each answer carries a warning' }),
    STREAM_FLUSH_MS: z.coerce
      .number()
      .int()
      .min(0)
      .max(1_000)
      .default(40)
      .meta({ description: 'At most this long tokens wait to leave together' }),
    MAX_RUNNING_ANSWERS: z.coerce
      .number()
      .int()
      .min(1)
      .max(10_000)
      .default(1_000)
      .meta({ description: 'Answers being written at once, per gateway' }),
    MAX_WAITING_QUESTIONS: z.coerce
      .number()
      .int()
      .min(0)
      .max(10_000)
      .default(200)
      .meta({ description: 'Questions that wait up to 5 s for a place; more are refused with 503 and Retry-After' }),
    DRAIN_S: z.coerce
      .number()
      .min(0)
      .max(15)
      .default(15)
      .meta({ description: 'Seconds that running answers get to finish when the gateway is told to stop' }),
    RETENTION_DAYS: z.coerce.number().int().min(1).default(90).meta({ description: 'Days that conversations and records are kept' }),
    LLM_BASE_URL: modelAddress.optional().meta({ description: 'OpenAI-compatible server, e.g. http://ollama:11434/v1' }),
    LLM_API_KEY: keyText('Key of the server at LLM_BASE_URL'),
    LLM_MODEL: optionalText('Name of the model to ask at LLM_BASE_URL'),
    DEEPSEEK_API_KEY: keyText('Enough by itself to answer with DeepSeek'),
    DASHSCOPE_API_KEY: keyText('Enough by itself to answer with Qwen'),
    OPENROUTER_API_KEY: keyText('Together with DEFAULT_MODEL enough to answer through OpenRouter'),
    DEFAULT_MODEL: optionalText('Model to ask at OpenRouter, e.g. deepseek/deepseek-chat'),
    LLM_FALLBACKS: fallbacks.meta({
      description: 'More providers, asked in this order when those before fail: JSON array, see services/gateway/README.md',
    }),
    BAILIAN_APP_ID: optionalText('Not supported: hosted applications of Bailian; use DASHSCOPE_API_KEY'),
    LLM_FIRST_TOKEN_S: seconds(20, 'Seconds without a first token after which the next provider is asked'),
    LLM_SILENCE_S: seconds(30, 'Seconds of silence in mid-answer after which it ends with an error'),
    LLM_PRICE_INPUT: z.coerce.number().min(0).optional().meta({ description: 'Price of a million input tokens of the first provider' }),
    LLM_PRICE_OUTPUT: z.coerce.number().min(0).optional().meta({ description: 'Price of a million output tokens of the first provider' }),
    LLM_CURRENCY: z.string().length(3).default('USD').meta({ description: 'Currency of these prices' }),
    LLM_REQUESTS_PER_MINUTE: limit(1, 'Requests a minute that the first provider allows; what is over it goes to the next one at once'),
    LLM_TOKENS_PER_MINUTE: limit(1_000, 'The same for tokens of prompts and answers together'),
    LLM_REQUESTS_AT_ONCE: limit(1, 'The same for requests that run at the same time, per gateway'),
    RAG_ENABLED: envBoolean.default(true).meta({ description: 'Answer from the documents; off leaves plain chat with the model' }),
    ATTACHMENT_DAYS: z.coerce
      .number()
      .int()
      .min(0)
      .max(365)
      .default(0)
      .meta({ description: 'Days that files attached to a conversation are kept; 0 takes none' }),
    ATTACHMENT_MAX_MB: z.coerce
      .number()
      .positive()
      .max(200)
      .default(10)
      .meta({ description: 'Greatest size of an attached file; never more than MAX_FILE_MB' }),
    MEMORY_ENABLED: envBoolean.default(false).meta({ description: 'Remember facts about readers who switched it on for themselves' }),
    EMOTION_ENABLED: envBoolean
      .default(false)
      .meta({ description: 'Label how a question sounds, by a list of phrases; the model adapts its tone' }),
    TOOLS_ENABLED: envBoolean
      .optional()
      .meta({ description: 'The model may search again, calculate and ask for the date before it answers; off by default' }),
    AGENT_ENABLED: envBoolean.optional().meta({ description: 'The same by its older name; TOOLS_ENABLED goes first' }),
    UPLOADS_ENABLED: envBoolean.default(true).meta({ description: 'Accept documents over the API' }),
  })
  .refine((env) => Boolean(env.SIGN_IN_USER_HEADER) === Boolean(env.SIGN_IN_PROXY_SECRET), {
    ...always,
    path: ['SIGN_IN_PROXY_SECRET'],
    message: 'goes with SIGN_IN_USER_HEADER: set both or neither, or anyone could send that header',
  })
  .refine((env) => Boolean(env.OIDC_ISSUER) === Boolean(env.OIDC_AUDIENCE), {
    ...always,
    path: ['OIDC_AUDIENCE'],
    message: 'goes with OIDC_ISSUER: set both or neither, or a token made for another application would be taken',
  })
  .refine((env) => !(env.SIGN_IN_USER_HEADER && env.OIDC_ISSUER), {
    ...always,
    path: ['OIDC_ISSUER'],
    message: 'and SIGN_IN_USER_HEADER exclude each other: two people of one name would be taken for one',
  })
  .refine((env) => !(env.LLM_BASE_URL || env.LLM_API_KEY) || env.LLM_MODEL, {
    ...always,
    path: ['LLM_MODEL'],
    message: 'must be set when LLM_BASE_URL or LLM_API_KEY is',
  })
  .refine((env) => !env.LLM_MODEL || env.LLM_BASE_URL || env.LLM_API_KEY || presetKeys.some((key) => env[key]), {
    ...always,
    path: ['LLM_MODEL'],
    message: "names a model and nobody to ask: set LLM_BASE_URL (a local or any OpenAI-compatible server) or a provider's key",
  })
  .refine((env) => !env.OPENROUTER_API_KEY || env.DEFAULT_MODEL, {
    ...always,
    path: ['DEFAULT_MODEL'],
    message: 'must be set when OPENROUTER_API_KEY is, e.g. deepseek/deepseek-chat',
  })
  .refine((env) => !env.BAILIAN_APP_ID, {
    ...always,
    path: ['BAILIAN_APP_ID'],
    message: 'is not supported: an application of Bailian searches and prompts by itself; set DASHSCOPE_API_KEY to use its models',
  })

export type ProviderConfig = {
  name: string
  baseUrl: string
  apiKey: string
  model: string
  firstTokenMs: number
  silenceMs: number
  price: { input: number; output: number; currency: string } | undefined
  limits: ProviderLimits
}
export type Config = Readonly<ReturnType<typeof readConfig>>

export function readConfig(env: Record<string, string | undefined>) {
  const e = readEnv(envSchema, env)
  const providers = providersOf(e)
  if (e.DAILY_MONEY_BUDGET > 0 || e.MONTHLY_MONEY_BUDGET > 0) requirePrices(providers)
  return {
    http: { host: e.HOST, port: e.PORT, metricsPort: e.METRICS_PORT, trustProxy: e.TRUST_PROXY, publicUrl: e.PUBLIC_URL },
    logLevel: e.LOG_LEVEL,
    postgres: e.DATABASE_URL,
    queue: e.QUEUE_URL,
    cache: e.CACHE_URL,
    neighbours: { retrieval: e.RETRIEVAL_URL.replace(/\/$/, ''), ingest: e.INGEST_URL.replace(/\/$/, ''), internalToken: e.INTERNAL_TOKEN },
    guard: {
      adminKey: e.ADMIN_KEY,
      access: e.ACCESS,
      publicReads: e.PUBLIC_READS,
      local: e.LOCAL_ONLY,
      allowedOrigins: e.ALLOWED_ORIGINS,
      perMinute: e.RATE_LIMIT_PER_MINUTE,
      budgets: {
        dayTokens: e.DAILY_TOKEN_BUDGET,
        monthTokens: e.MONTHLY_TOKEN_BUDGET,
        dayMoney: e.DAILY_MONEY_BUDGET,
        monthMoney: e.MONTHLY_MONEY_BUDGET,
        warnPercent: e.BUDGET_WARN_PERCENT,
      },
      uploads: e.UPLOADS_ENABLED,
    },
    signIn: {
      proxy:
        e.SIGN_IN_USER_HEADER && e.SIGN_IN_PROXY_SECRET
          ? { userHeader: e.SIGN_IN_USER_HEADER, groupsHeader: e.SIGN_IN_GROUPS_HEADER, secret: e.SIGN_IN_PROXY_SECRET }
          : undefined,
      oidc:
        e.OIDC_ISSUER && e.OIDC_AUDIENCE
          ? { issuer: e.OIDC_ISSUER, audience: e.OIDC_AUDIENCE, groupsClaim: e.OIDC_GROUPS_CLAIM }
          : undefined,
      adminGroups: e.ADMIN_GROUPS,
    },
    stream: { flushMs: e.STREAM_FLUSH_MS, snapshotMs: 1_000, orphanMs: 15_000, settleMs: 5_000, sweepMs: 5_000, abandonMs: 30_000 },
    retentionDays: e.RETENTION_DAYS,
    admission: { running: e.MAX_RUNNING_ANSWERS, waiting: e.MAX_WAITING_QUESTIONS, waitMs: 5_000 },
    drainMs: e.DRAIN_S * 1_000,
    ragEnabled: e.RAG_ENABLED,
    attachments: { days: e.ATTACHMENT_DAYS, maxBytes: Math.floor(e.ATTACHMENT_MAX_MB * 1024 * 1024), most: 5 },
    features: { memory: e.MEMORY_ENABLED, emotion: e.EMOTION_ENABLED, tools: e.TOOLS_ENABLED ?? e.AGENT_ENABLED ?? false },
    models: {
      providers,
      breaker: { failures: 3, openMs: 10_000, maxOpenMs: 120_000 },
    },
  }
}

/** A budget of money counts nothing without prices, and cannot add up two currencies. */
function requirePrices(providers: readonly ProviderConfig[]): void {
  const currencies = new Set(providers.flatMap(({ price }) => price?.currency ?? []))
  if (currencies.size !== 1)
    throw badConfig([
      `DAILY_MONEY_BUDGET, MONTHLY_MONEY_BUDGET: need prices in one currency (LLM_PRICE_INPUT, LLM_PRICE_OUTPUT, LLM_FALLBACKS); there are ${currencies.size || 'none'}`,
    ])
}

/** Tried in this order: LLM_*, then the presets (a key alone is enough), then LLM_FALLBACKS. */
function providersOf(e: z.infer<typeof envSchema>): ProviderConfig[] {
  const own = e.LLM_BASE_URL ?? (e.LLM_API_KEY && e.LLM_MODEL ? 'https://api.openai.com/v1' : undefined)
  const presets: (ProviderSpec & { isSet: unknown })[] = [
    { name: 'llm', baseUrl: own ?? '', apiKey: e.LLM_API_KEY, model: e.LLM_MODEL ?? '', isSet: own && e.LLM_MODEL },
    {
      name: 'deepseek',
      baseUrl: 'https://api.deepseek.com/v1',
      apiKey: e.DEEPSEEK_API_KEY,
      model: 'deepseek-chat',
      isSet: e.DEEPSEEK_API_KEY,
    },
    {
      name: 'dashscope',
      baseUrl: 'https://dashscope.aliyuncs.com/compatible-mode/v1',
      apiKey: e.DASHSCOPE_API_KEY,
      model: 'qwen-plus',
      isSet: e.DASHSCOPE_API_KEY,
    },
    {
      name: 'openrouter',
      baseUrl: 'https://openrouter.ai/api/v1',
      apiKey: e.OPENROUTER_API_KEY,
      model: e.DEFAULT_MODEL ?? '',
      isSet: e.OPENROUTER_API_KEY,
    },
  ]
  const specs: ProviderSpec[] = [...presets.filter(({ isSet }) => isSet), ...e.LLM_FALLBACKS]
  return specs.map(({ name, baseUrl, apiKey = '', model, ...spec }, i) => {
    const input = spec.priceInput ?? (i === 0 ? e.LLM_PRICE_INPUT : undefined)
    const output = spec.priceOutput ?? (i === 0 ? e.LLM_PRICE_OUTPUT : undefined)
    const isPriced = input !== undefined || output !== undefined
    return {
      name,
      baseUrl,
      apiKey,
      model,
      firstTokenMs: (spec.firstTokenS ?? e.LLM_FIRST_TOKEN_S) * 1_000,
      silenceMs: (spec.silenceS ?? e.LLM_SILENCE_S) * 1_000,
      limits: {
        requestsPerMinute: spec.requestsPerMinute ?? (i === 0 ? e.LLM_REQUESTS_PER_MINUTE : undefined),
        tokensPerMinute: spec.tokensPerMinute ?? (i === 0 ? e.LLM_TOKENS_PER_MINUTE : undefined),
        requestsAtOnce: spec.requestsAtOnce ?? (i === 0 ? e.LLM_REQUESTS_AT_ONCE : undefined),
      },
      price: isPriced ? { input: input ?? 0, output: output ?? 0, currency: spec.currency ?? e.LLM_CURRENCY } : undefined,
    }
  })
}
