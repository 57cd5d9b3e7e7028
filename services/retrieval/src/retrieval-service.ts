import { within } from '@docent/core/within'
import type { Corpus } from '@docent/corpus/corpus'
import { createCorpus } from '@docent/corpus/create-corpus'
import { healthRouter } from '@docent/kit/health'
import { createApp, listen } from '@docent/kit/http-app'
import { requireInternal } from '@docent/kit/internal'
import { leanFetch } from '@docent/kit/lean-fetch'
import { createLogger, type Log } from '@docent/kit/logger'
import { createMetrics, dependencyUp, httpSeconds, type Metrics, serveMetrics } from '@docent/kit/metrics'
import { openPostgres } from '@docent/kit/postgres'
import { openRedis } from '@docent/kit/redis'
import { type Embedder, type EmbeddingModels, onlyModel } from '@docent/models/embedder'
import { createHttpModels } from '@docent/models/http-embedder'
import { createHttpReranker } from '@docent/models/http-reranker'
import type { Reranker } from '@docent/models/reranker'
import type { Config } from './config.ts'
import { createEvents } from './events.ts'
import { createChunkIndex } from './index/chunk-index.ts'
import { followFeed } from './index/follow-feed.ts'
import { keepSnapshot } from './index/keep-snapshot.ts'
import { searchRouter } from './routes/search.ts'
import { createDenseLeg } from './search/dense-leg.ts'
import { createDictionary } from './search/dictionary.ts'
import { watchMemory } from './watch-memory.ts'

const WARM_MS = 5_000

export type Parts = { log?: Log; embedder?: Embedder; models?: EmbeddingModels; reranker?: Reranker; corpus?: Corpus }

/** Question → passages. Postgres and the index in memory are needed; Chroma and the embedder may come and go. */
export async function startRetrieval(
  config: Config,
  scope: AsyncDisposableStack,
  parts: Parts = {},
): Promise<{ url: string; metrics: Metrics }> {
  const log = parts.log ?? createLogger('retrieval', config.logLevel)
  const metrics = createMetrics('retrieval')
  const events = createEvents(metrics, log)
  const corpus = parts.corpus ?? openCorpus(config, scope, log)
  const models =
    parts.models ??
    (parts.embedder
      ? onlyModel(parts.embedder)
      : createHttpModels({ url: config.embedderUrl, timeoutMs: 3_000, passagesTimeoutMs: 8_000, fetch: leanFetch }))

  const reranker = parts.reranker ?? createHttpReranker({ url: `${config.embedderUrl.replace(/\/+$/, '')}/rerank`, api: 'cohere' })

  const index = createChunkIndex()
  const translate = createDictionary()
  let isWarm = false
  const cache = config.cacheUrl
    ? scope.adopt(openRedis(config.cacheUrl, log, { commandTimeout: 250, enableOfflineQueue: false }), (open) => open.disconnect())
    : undefined
  const dense = scope.use(createDenseLeg({ corpus, models, index, flatChunks: config.flatScanChunks, events, cache }))
  const snapshots = config.snapshotFile ? scope.use(keepSnapshot(index, events, { path: config.snapshotFile })) : undefined
  const lookAtMemory = watchMemory(events)
  const alsoFollowed = async () => {
    lookAtMemory(index.size)
    await dense.follow()
  }
  const follower = scope.use(followFeed(corpus, index, events, config.feedPollMs, alsoFollowed, snapshots))

  const checks = {
    postgres: async () => `change ${await corpus.lastChange()}`,
    index: async () => {
      if (!follower.loaded) throw new Error('the index is not loaded yet')
      if (!isWarm) throw new Error('the first question would still wait for what is being read ahead')
      return `${index.size} chunks`
    },
    chroma: (signal: AbortSignal) => dense.chromaCanary(signal).then(() => undefined),
    embedder: (signal: AbortSignal) => dense.embedderCanary(signal).then(() => undefined),
  }
  const app = createApp({
    log,
    seconds: httpSeconds(metrics),
    routers: [
      healthRouter(checks, { up: dependencyUp(metrics), needed: ['postgres', 'index'] }),
      requireInternal(config.internalToken),
      searchRouter({
        index,
        dense,
        translate,
        corpus,
        reranker,
        events,
        isLoaded: () => follower.loaded,
        catchUp: follower.catchUp,
      }),
    ],
  })
  app.disable('etag') // a hash of each response, and nobody asks by it
  scope.use(await serveMetrics(metrics, config.http.metricsPort, config.http.host))
  const door = scope.use(await listen(app, { host: config.http.host, port: config.http.port }))
  await follower.tried // the door is open meanwhile: health answers, and searches are told to wait
  // what the first question would wait for; where a part is away the start does not wait for it
  translate('warranty', 'en')
  await within(WARM_MS, undefined, dense.warm).catch(() => undefined)
  isWarm = true
  return { url: door.url, metrics }
}

function openCorpus(config: Config, scope: AsyncDisposableStack, log: Log): Corpus {
  const pool = scope.adopt(openPostgres(config.databaseUrl, log, { name: 'docent-retrieval', max: 5 }), (open) => open.end())
  return createCorpus(pool, { url: config.chromaUrl, fetch: leanFetch }, log)
}
