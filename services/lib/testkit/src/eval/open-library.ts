import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type SearchRequest, SearchResponse } from '@docent/core/passage'
import { encodePrincipal } from '@docent/core/principal'
import { startExtractor } from '@docent/extractor/extractor-service'
import { readConfig as readIngest } from '@docent/ingest/config'
import { startIngest } from '@docent/ingest/ingest-service'
import { createLogger } from '@docent/kit/logger'
import type { Embedder } from '@docent/models/embedder'
import { readConfig as readRetrieval } from '@docent/retrieval/config'
import { startRetrieval } from '@docent/retrieval/retrieval-service'
import { everydayQuestions } from '@docent/retrieval/search/everyday-questions'
import type { Stores } from '@docent/solo/stores'
import pg from 'pg'
import type { z } from 'zod'
import { tempDatabase } from '../temp-database.ts'
import { until } from '../until.ts'

const TOKEN = 'eval-internal-token-0123456789-abcdefg'
const INGEST_MS = 30 * 60_000

export type Library = {
  files: number
  ingestS: number
  search(request: z.input<typeof SearchRequest>): Promise<SearchResponse>
  figures(): Promise<{ chunks: number; stageMs: Record<string, number>; indexBytes: number }>
}

/** The real extractor, ingest and retrieval over a folder, in a database of their own; resolves when `files` are ready and found. */
export async function openLibrary(
  stores: Stores,
  { folder, files: expected }: { folder: string; files: number },
  embedder: Embedder,
  scope: AsyncDisposableStack,
): Promise<Library> {
  const { corpusUrl, ownerUrl } = await tempDatabase(stores.databaseUrl, scope)
  const socketDir = mkdtempSync(join(tmpdir(), 'docent-'))
  scope.defer(() => rmSync(socketDir, { recursive: true, force: true }))
  const log = createLogger('eval', 'error')
  const env = {
    LOG_LEVEL: 'error',
    HOST: '127.0.0.1',
    PORT: '0',
    METRICS_PORT: '0',
    INTERNAL_TOKEN: TOKEN,
    DATABASE_URL: corpusUrl,
    QUEUE_URL: stores.queueUrl,
    CHROMA_URL: stores.chromaUrl,
    EMBEDDER_URL: 'http://127.0.0.1:1',
    DOCENT_FOLDER: folder,
    EXTRACTOR_SOCKET: join(socketDir, 'extractor.sock'),
    SETTLE_MS: '50',
    SCAN_INTERVAL_S: '5',
    FEED_POLL_MS: '200',
  }
  await startExtractor({ root: folder, socket: env.EXTRACTOR_SOCKET, log: 'error' }, scope)
  const started = performance.now()
  const ingest = await startIngest(readIngest(env), scope, { log, embedder })
  const headers = {
    'content-type': 'application/json',
    'x-docent-token': TOKEN,
    'x-docent-principal': encodePrincipal({ id: 'eval', kind: 'admin', scopes: ['chat', 'read'] }),
  }
  const files = await until(
    'the folder is indexed',
    async () => {
      const response = await fetch(`${ingest.url}/documents?limit=1`, { headers })
      if (!response.ok) throw new Error(`documents: ${response.status} ${await response.text()}`)
      const { counts } = (await response.json()) as { counts: Record<string, number> }
      if (counts.failed) throw new Error(`${counts.failed} files could not be indexed`)
      return counts.ready === expected ? counts.ready : undefined
    },
    INGEST_MS,
  )
  const ingestS = (performance.now() - started) / 1000
  let asked = 0
  const counting: Embedder = {
    ...embedder,
    query: (text, signal) => embedder.query(text, signal).finally(() => asked++),
  }
  const retrieval = await startRetrieval(readRetrieval(env), scope, { log, embedder: counting })
  const search: Library['search'] = async (request) => {
    const response = await fetch(`${retrieval.url}/search`, { method: 'POST', headers, body: JSON.stringify(request) })
    if (!response.ok) throw new Error(`search: ${response.status} ${await response.text()}`)
    return SearchResponse.parse(await response.json())
  }
  // the vectors of everyday questions are read behind the first search; two runs must not differ by when they came
  await search({ query: 'ready?' })
  const everyday = everydayQuestions.zh.length + everydayQuestions.en.length
  await until('the everyday questions are embedded', () => asked > everyday || undefined, 120_000)
  return { files, ingestS, search, figures: () => figuresOf(ownerUrl) }
}

async function figuresOf(ownerUrl: string): Promise<Awaited<ReturnType<Library['figures']>>> {
  const client = new pg.Client({ connectionString: ownerUrl })
  await client.connect()
  try {
    const { rows: size } = await client.query<{ bytes: string }>('SELECT pg_database_size(current_database()) AS bytes')
    const { rows: ended } = await client.query<{ detail: { chunks?: number; stages?: Record<string, number> } | null }>(
      "SELECT detail FROM corpus.attempt WHERE outcome = 'done'",
    )
    const stageMs: Record<string, number> = {}
    let chunks = 0
    for (const { detail } of ended) {
      chunks += detail?.chunks ?? 0
      for (const [stage, ms] of Object.entries(detail?.stages ?? {})) stageMs[stage] = (stageMs[stage] ?? 0) + ms
    }
    return { chunks, stageMs, indexBytes: Number(size[0]!.bytes) }
  } finally {
    await client.end()
  }
}
