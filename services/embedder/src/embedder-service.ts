import { healthRouter } from '@docent/kit/health'
import { createApp, listen } from '@docent/kit/http-app'
import { createLogger, type Log } from '@docent/kit/logger'
import { createMetrics, dependencyUp, httpSeconds, type Metrics, serveMetrics } from '@docent/kit/metrics'
import { createHttpReranker } from '@docent/models/http-reranker'
import { createCanary } from './canary.ts'
import type { Config, ProviderConfig } from './config.ts'
import { createEvents, type EmbedderEvents } from './events.ts'
import type { Provider } from './provider.ts'
import { openLocal } from './providers/local.ts'
import { embeddingsRouter } from './routes/embeddings.ts'
import { rerankRouter } from './routes/rerank.ts'

const BODY_LIMIT = '16mb' // 256 texts of a generous size
const modelFolder = new URL('../model/', import.meta.url)

/** Texts → vectors: the one door to embedding and rerank models. */
export async function startEmbedder(
  config: Config,
  scope: AsyncDisposableStack,
  { log = createLogger('embedder', config.logLevel) }: { log?: Log } = {},
): Promise<{ url: string; metrics: Metrics }> {
  const metrics = createMetrics('embedder')
  const events = createEvents(metrics, log)
  const first = await open(config.provider)
  const next = config.next && (await open(config.next))

  const app = createApp({
    log,
    seconds: httpSeconds(metrics),
    bodyLimit: BODY_LIMIT,
    routers: [
      healthRouter({ model: first.canary, ...(next ? { candidate: next.canary } : {}) }, { up: dependencyUp(metrics), needed: ['model'] }),
      embeddingsRouter(next ? [first, next] : [first]),
      rerankRouter(config.rerank && createHttpReranker(config.rerank)),
    ],
  })
  scope.use(await serveMetrics(metrics, config.metricsPort, config.host))
  const door = scope.use(await listen(app, { host: config.host, port: config.port }))
  return { url: door.url, metrics }

  async function open(provided: ProviderConfig) {
    const provider = await openProvider(provided, events, scope)
    const isLocal = provided.kind === 'local'
    const canary = createCanary(
      (signal) => provider.canary(signal),
      isLocal ? { goodMs: 5_000, badMs: 1_000 } : { goodMs: 60_000, badMs: 5_000 },
    )
    // A bundled model that answers wrongly must not start; a remote one may come later, /readyz says so.
    if (isLocal) await canary(AbortSignal.timeout(10_000))
    events.started(provider.model)
    return { provider, canary, price: provided.price }
  }
}

async function openProvider(provider: ProviderConfig, events: EmbedderEvents, scope: AsyncDisposableStack): Promise<Provider> {
  // Vendors' clients are loaded only when asked for: they cost memory that the bundled model needs.
  if (provider.kind === 'hf') return (await import('./providers/hf.ts')).hfProvider(provider, events)
  if (provider.kind === 'openai') return (await import('./providers/openai.ts')).openAiProvider(provider, events)
  return openLocal({ folder: modelFolder, events, maxWaitingQueries: 128, maxWaitingPassages: 1_024 }, scope)
}
