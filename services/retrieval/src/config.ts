import { envPort, envSecret, readEnv } from '@docent/kit/config'
import { z } from 'zod'

export const envSchema = z.object({
  HOST: z.string().default('0.0.0.0').meta({ description: 'address to listen on' }),
  PORT: envPort.default(8081).meta({ description: 'port of the search API' }),
  METRICS_PORT: envPort.default(9081).meta({ description: 'port of /metrics' }),
  LOG_LEVEL: z
    .enum(['debug', 'info', 'warn', 'error'])
    .default('info')
    .meta({ description: 'how much is logged: debug, info, warn or error' }),
  DATABASE_URL: z.url().meta({ description: 'Postgres, as the role that owns rows of schema corpus' }),
  CACHE_URL: z.url().optional().meta({ description: 'Redis of the cache (allkeys-lru)' }),
  CHROMA_URL: z.url().meta({ description: 'Chroma' }),
  EMBEDDER_URL: z.url().meta({ description: 'the embedder' }),
  INTERNAL_TOKEN: envSecret.meta({ description: 'what the gateway proves itself with' }),
  SNAPSHOT_FILE: z
    .string()
    .optional()
    .meta({ description: 'where the lexical index is kept between starts; without it each start reads every text' }),
  FEED_POLL_MS: z.coerce
    .number()
    .int()
    .min(50)
    .max(60_000)
    .default(2_000)
    .meta({ description: 'how often the change feed is read when nobody wakes retrieval, in milliseconds' }),
  FLAT_SCAN_CHUNKS: z.coerce
    .number()
    .int()
    .min(0)
    .max(200_000)
    .default(20_000)
    .meta({ description: 'up to so many chunks are compared exactly, in memory, where Chroma does not serve (1.5 KB each while in use)' }),
})

export type Config = ReturnType<typeof readConfig>

export function readConfig(env: Record<string, string | undefined>) {
  const e = readEnv(envSchema, env)
  return Object.freeze({
    http: { host: e.HOST, port: e.PORT, metricsPort: e.METRICS_PORT },
    logLevel: e.LOG_LEVEL,
    databaseUrl: e.DATABASE_URL,
    cacheUrl: e.CACHE_URL,
    chromaUrl: e.CHROMA_URL,
    embedderUrl: e.EMBEDDER_URL,
    internalToken: e.INTERNAL_TOKEN,
    snapshotFile: e.SNAPSHOT_FILE,
    feedPollMs: e.FEED_POLL_MS,
    flatScanChunks: e.FLAT_SCAN_CHUNKS,
  })
}
