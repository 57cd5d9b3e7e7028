import { chunkBounds } from '@docent/core/chunking'
import { always, envBoolean, envPort, envSecret, readEnv } from '@docent/kit/config'
import { z } from 'zod'

const seconds = z.coerce.number().positive().max(86_400)

export const envSchema = z.object({
  HOST: z.string().default('0.0.0.0').meta({ description: 'address to listen on' }),
  PORT: envPort.default(8082).meta({ description: 'port of the document API' }),
  METRICS_PORT: envPort.default(9082).meta({ description: 'port of /metrics' }),
  LOG_LEVEL: z
    .enum(['debug', 'info', 'warn', 'error'])
    .default('info')
    .meta({ description: 'how much is logged: debug, info, warn or error' }),
  DATABASE_URL: z.url().meta({ description: 'Postgres, as the role that owns rows of schema corpus' }),
  QUEUE_URL: z.url().meta({ description: 'Redis of the queue (noeviction)' }),
  CHROMA_URL: z.url().meta({ description: 'Chroma' }),
  EMBEDDER_URL: z.url().meta({ description: 'the embedder' }),
  INTERNAL_TOKEN: envSecret.meta({ description: 'what the gateway proves itself with' }),
  DOCENT_FOLDER: z.string().min(1).default('/documents').meta({ description: 'the folder of documents' }),
  EXTRACTOR_SOCKET: z.string().min(1).default('/run/extractor/extractor.sock').meta({ description: 'Unix socket of the extractor' }),
  CHUNK_SIZE: z.coerce
    .number()
    .int()
    .min(chunkBounds.size.min)
    .max(chunkBounds.size.max)
    .default(500)
    .meta({ description: 'size of an indexed chunk, in characters; a change re-indexes by itself; the settings go before it' }),
  CHUNK_OVERLAP: z.coerce
    .number()
    .int()
    .min(chunkBounds.overlap.min)
    .max(chunkBounds.overlap.max)
    .default(50)
    .meta({ description: 'how many characters neighbouring chunks share at most' }),
  MAX_FILE_MB: z.coerce
    .number()
    .positive()
    .max(2_000)
    .default(50)
    .meta({ description: 'larger files are not read and fail with too_large' }),
  WATCH_POLLING: z
    .enum(['auto', 'always', 'never'])
    .default('auto')
    .meta({ description: 'watch by polling: auto, always (network shares) or never' }),
  SCAN_INTERVAL_S: seconds.default(30).meta({ description: 'seconds between full scans of the folder' }),
  RECONCILE_INTERVAL_S: seconds.default(5).meta({ description: 'seconds between looks at the queue, the neighbours and the dense index' }),
  SETTLE_MS: z.coerce
    .number()
    .int()
    .min(0)
    .max(600_000)
    .default(2_000)
    .meta({ description: 'a file must be unchanged for so many milliseconds before it is read' }),
  INGEST_CONCURRENCY: z.coerce.number().int().min(1).max(16).default(2).meta({ description: 'documents indexed at the same time' }),
  MIN_FREE_DISK_MB: z.coerce
    .number()
    .min(0)
    .default(200)
    .meta({ description: "indexing pauses while the documents' disk has less room; 0 never pauses" }),
  MIN_FREE_MEMORY_MB: z.coerce
    .number()
    .min(0)
    .default(16)
    .meta({ description: 'indexing pauses while less memory is left in its container (or on the machine); 0 never pauses' }),
  STATUS_FILE: envBoolean.default(false).meta({ description: "keep _status.json in the folder: each file's state and error" }),
  WEBHOOK_URL: z
    .url({ protocol: /^https?$/, error: 'must be an http or https address' })
    .optional()
    .meta({ description: 'is sent a POST for each document that fails; under Docker set INGEST_NETWORK=egress, too' }),
  WEBHOOK_SECRET: z
    .string()
    .min(16, 'must have at least 16 characters')
    .optional()
    .meta({ description: 'signs these (at least 16 characters): x-docent-signature is the HMAC-SHA256 of timestamp, dot and body' }),
})

const checked = envSchema.refine((env) => !(env.CHUNK_OVERLAP >= env.CHUNK_SIZE), {
  ...always,
  path: ['CHUNK_OVERLAP'],
  message: 'must be smaller than CHUNK_SIZE',
})

export type Config = ReturnType<typeof readConfig>

export function readConfig(env: Record<string, string | undefined>) {
  const e = readEnv(checked, env)
  return Object.freeze({
    http: { host: e.HOST, port: e.PORT, metricsPort: e.METRICS_PORT },
    logLevel: e.LOG_LEVEL,
    databaseUrl: e.DATABASE_URL,
    queueUrl: e.QUEUE_URL,
    chromaUrl: e.CHROMA_URL,
    embedderUrl: e.EMBEDDER_URL,
    internalToken: e.INTERNAL_TOKEN,
    folder: e.DOCENT_FOLDER,
    extractorSocket: e.EXTRACTOR_SOCKET,
    chunking: { size: e.CHUNK_SIZE, overlap: Math.min(e.CHUNK_OVERLAP, Math.floor(e.CHUNK_SIZE / 2)) },
    maxFileBytes: e.MAX_FILE_MB * 1024 * 1024,
    polling: e.WATCH_POLLING,
    scanIntervalMs: e.SCAN_INTERVAL_S * 1000,
    reconcileIntervalMs: e.RECONCILE_INTERVAL_S * 1000,
    settleMs: e.SETTLE_MS,
    concurrency: e.INGEST_CONCURRENCY,
    statusFile: e.STATUS_FILE,
    webhook: e.WEBHOOK_URL ? { url: e.WEBHOOK_URL, secret: e.WEBHOOK_SECRET } : undefined,
    minFree: { diskBytes: e.MIN_FREE_DISK_MB * 1024 * 1024, memoryBytes: e.MIN_FREE_MEMORY_MB * 1024 * 1024 },
  })
}
