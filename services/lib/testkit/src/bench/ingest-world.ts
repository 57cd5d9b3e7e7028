import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { encodePrincipal } from '@docent/core/principal'
import { startExtractor } from '@docent/extractor/extractor-service'
import type { Stores } from '@docent/solo/stores'
import { makeFile } from '../chaos/make-files.ts'
import { tempDatabase } from '../temp-database.ts'
import { until } from '../until.ts'
import { type ChildService, startChild } from './child-service.ts'

export const TOKEN = 'bench-internal-token-0123456789-abcdefg'
const kinds = ['txt-zh', 'txt-en', 'md', 'html', 'docx', 'csv', 'xlsx', 'pdf', 'pdf-zh']
export const headers = {
  'content-type': 'application/json',
  'x-docent-token': TOKEN,
  'x-docent-principal': encodePrincipal({ id: 'bench', kind: 'admin', scopes: ['chat', 'read', 'ingest'] }),
}

export function openFolder(scope: AsyncDisposableStack): string {
  return scope.adopt(mkdtempSync(join(tmpdir(), 'docent-bench-folder-')), (path) => rmSync(path, { recursive: true, force: true }))
}

/** Files of all kinds in turn, four paragraphs each: about a page. */
export function putPages(folder: string, count: number, name: string): string[] {
  return Array.from({ length: count }, (_, i) => {
    const kind = kinds[i % kinds.length]!
    const path = `${name}-${i}.${kind.split('-')[0]}`
    writeFileSync(join(folder, path), makeFile({ kind, seeds: [0, 1, 2, 3].map((n) => `${name} ${i} ${n}`) }).bytes)
    return path
  })
}

export async function extractorOf(folder: string, scope: AsyncDisposableStack): Promise<string> {
  const sockets = scope.adopt(mkdtempSync(join(tmpdir(), 'docent-')), (path) => rmSync(path, { recursive: true, force: true }))
  const socket = join(sockets, 'extractor.sock')
  await startExtractor({ root: folder, socket, log: 'error' }, scope)
  return socket
}

export function ingestEnv(stores: Stores, corpusUrl: string, folder: string, socket: string): Record<string, string> {
  return {
    LOG_LEVEL: 'error',
    INTERNAL_TOKEN: TOKEN,
    DATABASE_URL: corpusUrl,
    QUEUE_URL: stores.queueUrl,
    CHROMA_URL: stores.chromaUrl,
    DOCENT_FOLDER: folder,
    EXTRACTOR_SOCKET: socket,
    SETTLE_MS: '50',
    SCAN_INTERVAL_S: '2',
    HOST: '127.0.0.1',
    PORT: '0',
    METRICS_PORT: '0',
  }
}

/** Another question each time, for what a vector in a cache would tell; milliseconds of the search. */
export function asker(retrieval: ChildService): () => Promise<number> {
  let asked = 0
  return async () => {
    const started = performance.now()
    const body = JSON.stringify({ query: `设备 ${++asked} 的温度是多少？` })
    const response = await fetch(`${retrieval.url}/search`, { method: 'POST', headers, body })
    if (!response.ok) throw new Error(`search: ${response.status}`)
    await response.arrayBuffer()
    return performance.now() - started
  }
}

/** Documents per state; throws where one has failed. */
export async function countsOf(ingest: ChildService): Promise<Record<string, number>> {
  const { counts } = (await (await fetch(`${ingest.url}/documents?limit=1`, { headers })).json()) as { counts: Record<string, number> }
  if (counts.failed) throw new Error(`${counts.failed} files failed`)
  return counts
}

/** A database and an ingest process of its own. */
export async function openWorld(stores: Stores, embedderUrl: string, folder: string, socket: string, scope: AsyncDisposableStack) {
  const { corpusUrl } = await tempDatabase(stores.databaseUrl, scope)
  const started = performance.now()
  const ingest = scope.use(
    await startChild('ingest', { ...ingestEnv(stores, corpusUrl, folder, socket), EMBEDDER_URL: embedderUrl }, { readyPath: '/healthz' }),
  )
  return {
    corpusUrl,
    /** milliseconds from the start of the process to `count` ready files */
    readyAfter: async (count: number) => {
      await until(`${count} files are ready`, async () => (await countsOf(ingest)).ready === count || undefined, 1_800_000)
      return performance.now() - started
    },
  }
}
