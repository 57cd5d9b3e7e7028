import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { DocumentView } from '@docent/core/document'
import type { Principal } from '@docent/core/principal'
import type { Corpus, IndexedChunk } from '@docent/corpus/corpus'
import { createCorpus } from '@docent/corpus/create-corpus'
import { internalHeaders } from '@docent/kit/internal'
import { createLogger } from '@docent/kit/logger'
import { openPostgres } from '@docent/kit/postgres'
import type { EmbeddingModels } from '@docent/models/embedder'
import { createFakeEmbedder, type FakeEmbedder } from '@docent/models/fake/fake-embedder'
import { inject } from 'vitest'
import { tempDatabase } from '../../lib/testkit/src/temp-database.ts'
import { until } from '../../lib/testkit/src/until.ts'
import type { Stores } from '../../solo/src/stores.ts'
import { readConfig } from '../src/config.ts'
import { startIngest } from '../src/ingest-service.ts'
import type { Measure } from '../src/measure.ts'
import { type FakeExtractor, startFakeExtractor } from './fake-extractor.ts'

export const admin: Principal = { id: 'admin', kind: 'admin', scopes: ['chat', 'read', 'ingest', 'admin'] }
export const token = 'a-token-of-the-test-0123456789-abcdefghij'

export type TestIngest = {
  folder: string
  url: string
  corpus: Corpus
  embedder: FakeEmbedder
  extractor: FakeExtractor
  databaseUrl: string
  ask(path: string, init?: RequestInit, principal?: Principal): Promise<Response>
  documents(): Promise<{ items: DocumentView[]; counts: Record<string, number> }>
  /** waits until `path` is listed in `state` */
  reaches(path: string, state: DocumentView['state'], deadlineMs?: number): Promise<DocumentView>
  vanishes(path: string): Promise<void>
  chunks(): Promise<IndexedChunk[]>
  /** the value of a counter without labels */
  counted(name: string): Promise<number>
  /** everything that SIGTERM would close */
  stop(): Promise<void>
}

export type TestOptions = {
  env?: Record<string, string>
  folder?: string
  databaseUrl?: string
  embedder?: FakeEmbedder
  /** several models instead of that one */
  models?: EmbeddingModels
  measure?: Measure
}

/** The started service over real stores, with a database and a folder of its own. */
export async function startTestIngest(scope: AsyncDisposableStack, options: TestOptions = {}): Promise<TestIngest> {
  const stores: Stores = inject('stores')
  const folder =
    options.folder ?? scope.adopt(mkdtempSync(join(tmpdir(), 'ingest-')), (path) => rmSync(path, { recursive: true, force: true }))
  const databaseUrl = options.databaseUrl ?? (await tempDatabase(stores.databaseUrl, scope)).corpusUrl
  const sockets = scope.adopt(mkdtempSync(join(tmpdir(), 'sock-')), (path) => rmSync(path, { recursive: true, force: true }))
  const log = createLogger('test', process.env.TEST_LOG ?? 'silent')
  const corpus = createCorpus(
    scope.adopt(openPostgres(databaseUrl, log, { max: 2 }), (pool) => pool.end()),
    { url: stores.chromaUrl },
    log,
  )
  const service = scope.use(new AsyncDisposableStack())
  const extractor = service.use(await startFakeExtractor(folder, join(sockets, 'extractor.sock')))
  const embedder = options.embedder ?? createFakeEmbedder()
  const config = readConfig({
    HOST: '127.0.0.1',
    PORT: '0',
    METRICS_PORT: '0',
    DATABASE_URL: databaseUrl,
    QUEUE_URL: stores.queueUrl,
    CHROMA_URL: stores.chromaUrl,
    EMBEDDER_URL: 'http://127.0.0.1:9',
    INTERNAL_TOKEN: token,
    DOCENT_FOLDER: folder,
    EXTRACTOR_SOCKET: extractor.socket,
    SETTLE_MS: '200',
    SCAN_INTERVAL_S: '0.3',
    RECONCILE_INTERVAL_S: '1',
    ...options.env,
  })
  const { url, metrics } = await startIngest(config, service, {
    log,
    embedder,
    ...(options.models ? { models: options.models } : {}),
    ...(options.measure ? { measure: options.measure } : {}),
  })

  const ask = (path: string, init: RequestInit = {}, principal = admin) =>
    fetch(`${url}${path}`, { ...init, headers: { ...internalHeaders(token, principal), ...(init.headers as Record<string, string>) } })
  const documents = async () => (await (await ask('/documents?limit=500')).json()) as Awaited<ReturnType<TestIngest['documents']>>
  const find = async (path: string) => (await documents()).items.find((item) => item.path === path)
  return {
    folder,
    url,
    corpus,
    embedder,
    extractor,
    databaseUrl,
    ask,
    documents,
    reaches: (path, state, deadlineMs) =>
      until(
        `${path} is ${state}`,
        async () => {
          const item = await find(path)
          return item?.state === state ? item : undefined
        },
        deadlineMs,
      ),
    vanishes: async (path) => void (await until(`${path} is gone`, async () => ((await find(path)) ? undefined : true))),
    async chunks() {
      const all: IndexedChunk[] = []
      await corpus.loadActive((batch) => all.push(...batch))
      return all
    },
    counted: async (name) => (await metrics.getSingleMetric(name)!.get()).values[0]!.value,
    stop: () => service.disposeAsync(),
  }
}
