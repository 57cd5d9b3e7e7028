import { createCorpus } from '@docent/corpus/create-corpus'
import { faultPoint } from '@docent/kit/fault-point'
import { type Checks, healthRouter } from '@docent/kit/health'
import { createApp, listen } from '@docent/kit/http-app'
import { requireInternal } from '@docent/kit/internal'
import { openQueue, startWorker } from '@docent/kit/jobs'
import type { Log } from '@docent/kit/logger'
import { createMetrics, type Metrics, serveMetrics } from '@docent/kit/metrics'
import { openPostgres } from '@docent/kit/postgres'
import { openRedis, refuseEviction, workerConnection } from '@docent/kit/redis'
import { type Embedder, type EmbeddingModels, onlyModel } from '@docent/models/embedder'
import { createHttpModels } from '@docent/models/http-embedder'
import { createCurrentChunking } from './chunk/current-chunking.ts'
import type { Config } from './config.ts'
import { createEvents } from './events.ts'
import { createExtractClient } from './extract-client.ts'
import { fillGenerations } from './generations/fill-generations.ts'
import { createFindServing } from './generations/serving.ts'
import { type IndexDeps, indexDocument } from './jobs/index-document.ts'
import { createLane } from './jobs/lane.ts'
import { createMeasure, type Measure } from './measure.ts'
import type { PauseReason } from './pauses.ts'
import { closeWorker, createPush, fillOfInfo, stopJob } from './queue.ts'
import { startReconciler } from './reconcile.ts'
import { bulkRouter } from './routes/bulk.ts'
import { chunkingRouter } from './routes/chunking.ts'
import { chunksRouter } from './routes/chunks.ts'
import { documentsRouter } from './routes/documents.ts'
import { generationsRouter } from './routes/generations.ts'
import { ingestRouter } from './routes/ingest.ts'
import { readRouter } from './routes/read.ts'
import { removeStaleUploads } from './routes/upload.ts'
import { createScanner } from './scan/scan-folder.ts'
import { watchFolder } from './scan/watch-folder.ts'
import { lendSpare } from './spare-worker.ts'
import { startStatusFile } from './status-file.ts'
import { startWebhook } from './webhook.ts'
import { createGate } from './work-gate.ts'

const WATCH_DEBOUNCE_MS = 300

export type Parts = {
  log: Log
  embedder?: Embedder
  models?: EmbeddingModels
  measure?: Measure
  /** hears why ingest begins to wait, and when it goes on */
  onPause?: (reason: PauseReason, isOn: boolean) => void
}

/** Opens what ingest needs; shutdown closes it in reverse order. */
export async function startIngest(
  config: Config,
  scope: AsyncDisposableStack,
  { log, embedder, models: given, measure = createMeasure(config.folder), onPause }: Parts,
): Promise<{ url: string; metrics: Metrics }> {
  const metrics = createMetrics('ingest')
  const events = createEvents(log, metrics, onPause)
  const pool = scope.adopt(openPostgres(config.databaseUrl, log, { name: 'docent-ingest', max: 6 }), (open) => open.end())
  const corpus = createCorpus(pool, { url: config.chromaUrl }, log, faultPoint)
  const models = given ?? (embedder ? onlyModel(embedder) : createHttpModels({ url: config.embedderUrl }))
  const findServing = createFindServing(models, corpus)
  const { chunking: configured, concurrency } = config
  const chunking = createCurrentChunking({ corpus, models, findServing, configured, concurrency })
  const extractor = createExtractClient(config.extractorSocket)
  await refuseEviction(config.queueUrl, 'QUEUE_URL', log)
  const connection = workerConnection(config.queueUrl)
  // installations that share a Redis, as tests do, keep their jobs apart
  const prefix = `docent:${new URL(config.databaseUrl).pathname.slice(1)}`
  const queue = scope.adopt(openQueue(indexDocument.name, connection, log, prefix), (open) => open.close())
  const redis = scope.adopt(openRedis(config.queueUrl, log), (open) => open.disconnect())
  const gate = createGate(events, () => worker, 12 * config.reconcileIntervalMs)
  const push = createPush(queue, log, {
    is: () => events.pausedReasons().includes('queue_full'),
    found: () => gate.set('queue_full', true),
  })

  const scanner = scope.use(
    createScanner({ corpus, events, log, folder: config.folder, settleMs: config.settleMs, maxFileBytes: config.maxFileBytes, push }),
  )
  let densePending: () => void = () => undefined
  const jobDeps: IndexDeps = {
    corpus,
    findServing,
    extractor,
    events,
    findChunking: chunking.find,
    folder: config.folder,
    lane: createLane(),
    densePending: () => densePending(),
    waitFor: gate.waitFor,
    isWaiting: gate.isWaiting,
  }
  const worker = startWorker(indexDocument, jobDeps, connection, { concurrency, log, prefix })
  await worker.pause(true) // until the first look has found no reason to wait
  const spare = startWorker(indexDocument, jobDeps, connection, { concurrency: 1, log, prefix })
  const workers = [worker, spare]
  scope.defer(async () => void (await Promise.all(workers.map(closeWorker))))
  scope.use(await lendSpare(worker, spare, queue, { concurrency, isWaiting: gate.isWaiting, log }))
  const reconciler = scope.use(
    startReconciler({
      corpus,
      models,
      findServing,
      extractor,
      events,
      scanner,
      queue,
      gate,
      measure,
      minFree: config.minFree,
      queueFill: async () => fillOfInfo(await redis.info('memory')),
      push,
      chunking,
      scanIntervalMs: config.scanIntervalMs,
      intervalMs: config.reconcileIntervalMs,
      log,
    }),
  )
  densePending = reconciler.densePending
  const filler = scope.use(
    fillGenerations({ corpus, models, gate, events, densePending: () => densePending(), intervalMs: config.reconcileIntervalMs, log }),
  )

  if (config.webhook) scope.use(startWebhook({ ...config.webhook, corpus, events, log }))
  const statusFile = config.statusFile
    ? scope.use(startStatusFile({ folder: config.folder, corpus, scanner, events, log, everyMs: config.reconcileIntervalMs }))
    : undefined

  let hint: NodeJS.Timeout | undefined
  scope.defer(() => clearTimeout(hint))
  const changed = () => {
    clearTimeout(hint)
    hint = setTimeout(
      () => scanner.scan().catch((err: unknown) => log.warn({ err }, 'a scan failed; the next one follows')),
      WATCH_DEBOUNCE_MS,
    )
  }
  scope.use(watchFolder(config.folder, config.polling, changed, log))

  const checks: Checks = {
    postgres: async () => void (await pool.query('SELECT 1')),
    queue: async () => void (await queue.getJobCounts('active')), // a real command: a connection may look alive and hang
    extractor: (signal) => extractor.alive(signal).then(() => undefined),
    embedder: async (signal) => void (await (await findServing(signal)).embedder.query('canary', signal)),
    chroma: async (signal) => corpus.denseCanary((await findServing(signal)).generation, signal).then(() => undefined),
    folder: async () => {
      if (scanner.status().missing) throw new Error(`the folder is missing; mount it, or set DOCENT_FOLDER`)
      return undefined
    },
  }
  const app = createApp({
    log,
    seconds: events.httpSeconds,
    routers: [
      healthRouter(checks, { up: events.up, needed: ['postgres', 'queue', 'extractor', 'embedder', 'folder'] }),
      requireInternal(config.internalToken),
      ingestRouter({ corpus, events, scanner, reconciler, measure, chunking, statusFile }),
      chunkingRouter({ chunking }),
      generationsRouter({ corpus, models, events, filler, densePending: () => densePending() }),
      bulkRouter({ corpus, events, scanner, push, stopJob: (id) => stopJob(queue, workers, id) }),
      chunksRouter({ corpus, extractor, push, folder: config.folder }),
      readRouter({ extractor, chunking, folder: config.folder, maxFileBytes: config.maxFileBytes }),
      documentsRouter({ corpus, events, scanner, push, folder: config.folder, maxFileBytes: config.maxFileBytes }),
    ],
  })
  scope.use(await serveMetrics(metrics, config.http.metricsPort, config.http.host))
  const { url } = scope.use(await listen(app, config.http))
  await removeStaleUploads(config.folder)
  changed()
  return { url, metrics }
}
