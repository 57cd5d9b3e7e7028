import { randomBytes } from 'node:crypto'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { readConfig as readEmbedder } from '@docent/embedder/config'
import { startEmbedder } from '@docent/embedder/embedder-service'
import { readConfig as readExtractor } from '@docent/extractor/config'
import { startExtractor } from '@docent/extractor/extractor-service'
import { readConfig as readGateway } from '@docent/gateway/config'
import { startGateway } from '@docent/gateway/gateway-service'
import { readConfig as readIngest } from '@docent/ingest/config'
import { startIngest } from '@docent/ingest/ingest-service'
import { createLogger } from '@docent/kit/logger'
import { derivedPassword, migrateAll } from '@docent/kit/migrate-all'
import { readConfig as readRetrieval } from '@docent/retrieval/config'
import { startRetrieval } from '@docent/retrieval/retrieval-service'
import { commonEnv, gatewayEnv } from './service-env.ts'
import { makeSocketDir } from './temp-dir.ts'

const SOCKET = 'extractor.sock'

export type SoloStores = { databaseUrl: string; queueUrl: string; cacheUrl: string; chromaUrl: string }

export type Solo = { url: string; adminKey: string; internalToken: string; ingestUrl: string; retrievalUrl: string; embedderUrl: string }

export type SoloSettings = {
  folder: string
  host: string
  port: number
  adminKey: string
  stores: SoloStores
  /** JSON log lines go here; without it they are dropped to warnings on stdout */
  logFile?: string
  /** where retrieval keeps its index of words between starts */
  snapshotFile?: string
  /** variables of the services, e.g. LLM_API_KEY or CHUNK_SIZE */
  env: Record<string, string | undefined>
  /** hears why ingest begins to wait, and when it goes on */
  onPause?: (reason: string, isOn: boolean) => void
}

/** All services in one process on loopback ports, over given stores: what `npm start` and the whole-stack tests run. */
export async function startSolo(settings: SoloSettings, scope: AsyncDisposableStack): Promise<Solo> {
  const { stores, env } = settings
  const log = (service: string) => createLogger(service, env.LOG_LEVEL || (settings.logFile ? 'info' : 'warn'), settings.logFile)
  const roles = await migrateAll({
    adminUrl: stores.databaseUrl,
    corpusPassword: derivedPassword(stores.databaseUrl, 'corpus'),
    chatPassword: derivedPassword(stores.databaseUrl, 'chat'),
    corpusDir: new URL('../../lib/corpus/migrations/', import.meta.url),
    chatDir: new URL('../../gateway/migrations/', import.meta.url),
    log: () => undefined,
  })

  const socketDir = makeSocketDir(SOCKET)
  scope.defer(() => rmSync(socketDir, { recursive: true, force: true }))
  const common = commonEnv(settings, randomBytes(32).toString('hex'), join(socketDir, SOCKET))
  await startExtractor(
    { ...readExtractor(common), ...(settings.logFile ? { logFile: settings.logFile } : { log: env.LOG_LEVEL || 'warn' }) },
    scope,
  )
  const embedder = await startEmbedder(readEmbedder(common), scope, { log: log('embedder') })
  const inner = { ...common, EMBEDDER_URL: embedder.url, DATABASE_URL: roles.corpusUrl }
  const retrieval = await startRetrieval(readRetrieval({ ...inner, SNAPSHOT_FILE: settings.snapshotFile }), scope, {
    log: log('retrieval'),
  })
  const ingest = await startIngest(readIngest(inner), scope, {
    log: log('ingest'),
    ...(settings.onPause ? { onPause: settings.onPause } : {}),
  })
  const addresses = { DATABASE_URL: roles.chatUrl, EMBEDDER_URL: embedder.url, RETRIEVAL_URL: retrieval.url, INGEST_URL: ingest.url }
  const gateway = await startGateway(readGateway(gatewayEnv(common, settings, addresses)), scope, { log: log('gateway') })
  return {
    url: gateway.url,
    adminKey: settings.adminKey,
    internalToken: common.INTERNAL_TOKEN!,
    ingestUrl: ingest.url,
    retrievalUrl: retrieval.url,
    embedderUrl: embedder.url,
  }
}
