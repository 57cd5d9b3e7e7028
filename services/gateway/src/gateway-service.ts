import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { hostname } from 'node:os'
import { redisKeys } from '@docent/core/redis-keys'
import { type Check, healthRouter, NEEDED_MS } from '@docent/kit/health'
import { createApp, listen } from '@docent/kit/http-app'
import { leanFetch } from '@docent/kit/lean-fetch'
import type { Log } from '@docent/kit/logger'
import { createMetrics, dependencyUp, httpSeconds, type Metrics, serveMetrics } from '@docent/kit/metrics'
import { openPostgres } from '@docent/kit/postgres'
import { openRedis, type Redis } from '@docent/kit/redis'
import { openAiChatModel } from '@docent/models/openai/chat-model'
import { Router } from 'express'
import { createAnswers } from './answer/answer.ts'
import { createBudgetNotices } from './answer/budget-notices.ts'
import { createProvider } from './answer/providers.ts'
import { createRehearsals } from './answer/rehearsal.ts'
import { openChunkingDoor } from './clients/chunking.ts'
import { createRetrievalClient } from './clients/retrieval-client.ts'
import { createSourceStates } from './clients/source-states.ts'
import type { Config } from './config.ts'
import type { GatewayDeps } from './deps.ts'
import { createEvents } from './events.ts'
import { createAdmission } from './guard/admission.ts'
import { allowOrigins, localOnly, refuseHuge, requireJson, securityHeaders } from './guard/headers.ts'
import { inTurns } from './guard/in-turns.ts'
import { createRateLimit, createWrongKeyCount, limitKept, limitRate, limitUploads, refuseWhenOver } from './guard/limits.ts'
import { identifyPrincipal, requireChat, requireRead } from './guard/principal.ts'
import { createProviderGate } from './guard/provider-limits.ts'
import { createSignIn } from './guard/sign-in.ts'
import { answersRouter } from './routes/answers.ts'
import { askRouter } from './routes/ask.ts'
import { attachmentsRouter } from './routes/attachments.ts'
import { citationsRouter } from './routes/citations.ts'
import { compatRouter } from './routes/compat.ts'
import { conversationsRouter } from './routes/conversations.ts'
import { docsRouter } from './routes/docs.ts'
import { documentsRouter } from './routes/documents.ts'
import { generationsRouter } from './routes/generations.ts'
import { improveRouter } from './routes/improve.ts'
import { keysRouter } from './routes/keys.ts'
import { meRouter } from './routes/me.ts'
import { memoryRouter } from './routes/memory.ts'
import { openAiError, openAiRouter } from './routes/openai.ts'
import { pageRouter } from './routes/page.ts'
import { personasRouter } from './routes/personas.ts'
import { promptsRouter } from './routes/prompts.ts'
import { providersRouter } from './routes/providers.ts'
import { recordsRouter } from './routes/records.ts'
import { routesOf } from './routes/routes-of.ts'
import { settingsRouter } from './routes/settings.ts'
import { shadowRouter } from './routes/shadow.ts'
import { sharingRouter } from './routes/sharing.ts'
import { acceptSockets } from './routes/socket.ts'
import { statsRouter } from './routes/stats.ts'
import { usageRouter } from './routes/usage.ts'
import { createAnswerCache } from './store/answer-cache.ts'
import { createApiKeys } from './store/api-keys.ts'
import { createAttachments } from './store/attachments.ts'
import { createBeginnings } from './store/beginnings.ts'
import { createCitations } from './store/citations.ts'
import { createConversations } from './store/conversations.ts'
import { createEndings } from './store/endings.ts'
import { createGolden } from './store/golden.ts'
import { createMemories } from './store/memories.ts'
import { createMessages } from './store/messages.ts'
import { createPersonas } from './store/personas.ts'
import { createRecords } from './store/records.ts'
import { createSavedAnswers } from './store/saved-answers.ts'
import { createSettings } from './store/settings.ts'
import { createUsage } from './store/usage.ts'
import { createWrites } from './store/writes.ts'
import { followOtherReplicas, startKeeper } from './stream/keeper.ts'
import { startRetention } from './stream/retention.ts'
import { createStreamLog } from './stream/stream-log.ts'
import { startSweeper } from './stream/sweeper.ts'

const LAST_BYTES_MS = 3_000 // for readers that have not read to the end yet
const CONNECT_MS = 1_500
const MOST_FACTS = 50 // of one reader
const BEGUN_AT_ONCE = 16 // requests in one turn of the event loop
const TELL_MS = 5_000 // between two tries to tell ingest what the settings say of it
const QUERY_MS = 4_000 // a question that meets a hung database is refused within five seconds

export type Gateway = { url: string; port: number; metrics: Metrics; metricsPort: number; routes: string[] }

/** Opens what the gateway needs, outermost last: shutdown runs this file from bottom to top. */
export async function startGateway(config: Config, scope: AsyncDisposableStack, { log }: { log: Log }): Promise<Gateway> {
  const pool = scope.adopt(openPostgres(config.postgres, log, { name: 'docent-gateway', queryTimeoutMs: QUERY_MS }), (open) => open.end())
  const queue = scope.adopt(openRedis(config.queue, log, { commandTimeout: 1_000 }), (open) => open.disconnect())
  const cache = scope.adopt(openRedis(config.cache, log, { commandTimeout: 500 }), (open) => open.disconnect())
  await Promise.all([connected(queue), connected(cache)])
  const metrics = createMetrics('gateway')

  const messages = createMessages(pool)
  const usage = createUsage(pool, config.guard.budgets)
  const streams = scope.use(
    createStreamLog(queue, {
      flushMs: config.stream.flushMs,
      findAnswer: messages.answer,
      onRemoteRead: (answerId) => void queue.publish(redisKeys.stop.channel, `reader ${answerId}`).catch(() => 0),
    }),
  )
  const events = createEvents(log, metrics, streams.size)
  const stores = {
    messages,
    usage,
    writes: createWrites(pool),
    streams,
    beginnings: createBeginnings(pool, usage),
    endings: createEndings(pool),
    records: createRecords(pool),
    citations: createCitations(pool),
    personas: createPersonas(pool),
    settings: createSettings(pool),
    keys: createApiKeys(pool),
    saved: createSavedAnswers(pool),
    golden: createGolden(pool),
    attachments: createAttachments(pool, config.attachments),
    memories: createMemories(pool, MOST_FACTS),
  }
  const retrieval = createRetrievalClient(config.neighbours.retrieval, config.neighbours.internalToken)
  const providers = config.models.providers.map((provider) =>
    createProvider(openAiChatModel({ ...provider, fetch: leanFetch }), {
      address: new URL(provider.baseUrl).host,
      price: provider.price,
      firstTokenMs: provider.firstTokenMs,
      breaker: config.models.breaker,
      gate: createProviderGate(cache, provider.name, provider.limits),
    }),
  )
  const owner = `${hostname()}/${randomUUID()}`
  const answerCache = createAnswerCache(cache)
  const answers = createAnswers({
    ...stores,
    pool,
    events,
    retrieval,
    stateOf: createSourceStates(config.neighbours.ingest, config.neighbours.internalToken, log),
    providers,
    admission: createAdmission(config.admission),
    cache: answerCache,
    owner,
    ragEnabled: config.ragEnabled,
    memoryEnabled: config.features.memory,
    toolsEnabled: config.features.tools,
    emotionEnabled: config.features.emotion,
    budgetNotices: createBudgetNotices(config.guard.budgets.warnPercent, events),
  })

  scope.use(
    startSweeper(
      { messages, endings: stores.endings, writes: stores.writes, streams, events, log },
      { everyMs: config.stream.sweepMs, orphanMs: config.stream.orphanMs, settleMs: config.stream.settleMs },
    ),
  )
  scope.use(startRetention({ messages, attachments: stores.attachments }, config.retentionDays, log))
  scope.use(
    startKeeper(
      { answers, messages, writes: stores.writes, streams, log },
      { everyMs: config.stream.snapshotMs, abandonMs: config.stream.abandonMs },
    ),
  )
  scope.use(await followOtherReplicas(queue, { answers, streams, log }))

  const { neighbours, guard } = config
  const chunking = scope.use(openChunkingDoor({ neighbours, settings: stores.settings, log }, { everyMs: TELL_MS }))
  const checks: Record<string, Check> = {
    accepting: async () => {
      if (answers.isClosing()) throw new Error('is being shut down')
      return undefined
    },
    postgres: async () => void (await stores.writes.check()),
    queue: async () => void (await queue.ping()),
    cache: async () => void (await cache.ping()),
    retrieval: (signal) => isReady(neighbours.retrieval, signal),
    ingest: (signal) => isReady(neighbours.ingest, signal),
  }
  const neededChecks = ['accepting', 'postgres', 'retrieval']
  const rate = createRateLimit(cache, guard.perMinute)
  const signIn = createSignIn({ ...config.signIn, allowedOrigins: guard.allowedOrigins })
  const asking = Router().use(requireChat, limitRate(rate))
  const deps: GatewayDeps = {
    ...stores,
    config,
    log,
    pool,
    queue,
    answers,
    providers,
    retrieval,
    chunking,
    answerCache,
    rehearsals: createRehearsals({ ...stores, pool, answers, providers, toolsEnabled: config.features.tools }),
    conversations: createConversations(pool),
    checks,
    neededChecks,
    guards: {
      asking,
      keeping: Router().use(requireChat, limitKept(rate)),
      chatting: requireChat,
      reading: requireRead,
      uploading: limitUploads(rate),
    },
    signIn,
    startedAt: new Date(),
  }
  const api = [
    answersRouter,
    askRouter,
    compatRouter,
    conversationsRouter,
    citationsRouter,
    usageRouter,
    providersRouter,
    recordsRouter,
    settingsRouter,
    keysRouter,
    meRouter,
    memoryRouter,
    improveRouter,
    generationsRouter,
    shadowRouter,
    personasRouter,
    sharingRouter,
    promptsRouter,
    statsRouter,
    openAiRouter,
  ]
  const app = createApp({
    log,
    seconds: httpSeconds(metrics),
    before: [
      inTurns(BEGUN_AT_ONCE),
      securityHeaders,
      ...(guard.local ? [localOnly(guard.allowedOrigins, config.http.host)] : []),
      allowOrigins(guard.allowedOrigins),
      healthRouter(checks, { up: dependencyUp(metrics), needed: neededChecks, asideMs: NEEDED_MS }),
      pageRouter(),
      docsRouter(),
      refuseHuge,
      identifyPrincipal(stores.keys, guard, signIn, createWrongKeyCount(cache)),
    ],
    besideProblem: openAiError,
    // its callers send the whole conversation each time
    largerBodies: { '/v1/chat/completions': '1mb' },
    routers: [documentsRouter(deps), attachmentsRouter(deps), requireJson, ...api.map((router) => router(deps))],
  })
  app.set('trust proxy', config.http.trustProxy)

  const metricsServer = scope.use(await serveMetrics(metrics, config.http.metricsPort, config.http.host))
  let sockets: AsyncDisposable | undefined
  const server = scope.use(
    await listen(app, {
      host: config.http.host,
      port: config.http.port,
      drainMs: LAST_BYTES_MS,
      onUpgrade: (http) => {
        sockets = acceptSockets(http, deps, async (address) => refuseWhenOver(await rate.consume(address), rate.perMinute))
      },
    }),
  )
  // sockets end before the server that waits for them
  if (sockets) scope.use(sockets)
  scope.defer(() => answers.close(config.drainMs))
  log.info({ port: server.port, providers: providers.map(({ name }) => name), access: guard.access }, 'gateway is listening')
  return { url: server.url, port: server.port, metrics, metricsPort: metricsServer.port, routes: routesOf(app) }
}

/** The first answers get their journal too; a Redis that is down does not hold the start up. */
async function connected(redis: Redis): Promise<void> {
  if (redis.status !== 'ready') await once(redis, 'ready', { signal: AbortSignal.timeout(CONNECT_MS) }).catch(() => undefined)
}

async function isReady(url: string, signal: AbortSignal): Promise<undefined> {
  const response = await fetch(`${url}/readyz`, { signal })
  await response.body?.cancel()
  if (!response.ok) throw new Error(`answers ${response.status}`)
}
