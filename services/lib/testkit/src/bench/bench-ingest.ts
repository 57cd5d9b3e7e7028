import { createHash, randomUUID } from 'node:crypto'
import { mkdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { embedText } from '@docent/core/chunk'
import { chunkDocument } from '@docent/ingest/chunk/chunk'
import { readConfig } from '@docent/ingest/config'
import { createExtractClient } from '@docent/ingest/extract-client'
import { startIngest } from '@docent/ingest/ingest-service'
import { settingsHash } from '@docent/ingest/jobs/index-document'
import { createLogger } from '@docent/kit/logger'
import { createFakeEmbedder } from '@docent/models/fake/fake-embedder'
import { createHttpEmbedder } from '@docent/models/http-embedder'
import type { Stores } from '@docent/solo/stores'
import pg from 'pg'
import { tempDatabase } from '../temp-database.ts'
import { until } from '../until.ts'
import { type ChildService, startChild } from './child-service.ts'
import { asker, extractorOf, headers, ingestEnv, openFolder, openWorld, putPages, TOKEN } from './ingest-world.ts'
import { openBenchStores, percentile } from './open-bench.ts'

const chunking = { size: 500, overlap: 50 }
type Figures = Record<string, number>

/** BENCH 9, 10 and 11: the real extractor, embedder, ingest and retrieval over folders of made files; services in processes of their own. */
export async function benchIngest(scope: AsyncDisposableStack): Promise<Figures> {
  const stores = await openBenchStores(scope)
  const embedder = scope.use(await startChild('embedder', { INTERNAL_TOKEN: TOKEN }))
  return {
    ...(await endToEnd(stores, embedder)),
    ...(await nothingNew(stores)),
    ...(await questionsMeanwhile(stores, embedder)),
  }
}

/** A page a file. The raw sum: each file extracted, each chunk embedded, one after the other, with nothing between. */
async function endToEnd(stores: Stores, embedder: ChildService, files = 500, rounds = 2): Promise<Figures> {
  const ratios: number[] = []
  const walls: number[] = []
  const raws: number[] = []
  let chunks = 0
  for (let round = 0; round < rounds; round++) {
    await using scope = new AsyncDisposableStack()
    const folder = openFolder(scope)
    const paths = putPages(folder, files, `e2e${round}`)
    const socket = await extractorOf(folder, scope)
    const extractor = createExtractClient(socket)
    const models = createHttpEmbedder({ url: embedder.url })
    const signal = AbortSignal.timeout(1_800_000)
    const extracting = performance.now()
    const texts: string[] = []
    for (const path of paths) texts.push(...chunkDocument(await extractor.extract(path, signal), chunking).map(embedText))
    const embedding = performance.now()
    for (let at = 0; at < texts.length; at += 16) await models.passages(texts.slice(at, at + 16), signal)
    const raw = performance.now() - extracting
    console.log(
      `  raw: extracted in ${seconds(embedding - extracting)} s, ${texts.length} chunks embedded in ${seconds(raw - (embedding - extracting))} s`,
    )
    const world = await openWorld(stores, embedder.url, folder, socket, scope)
    const wall = await world.readyAfter(files)
    console.log(`  the whole of ingest: ${seconds(wall)} s`)
    chunks = texts.length
    raws.push(raw)
    walls.push(wall)
    ratios.push(wall / raw)
  }
  return {
    'ingest-e2e: pages': files,
    'ingest-e2e: chunks': chunks,
    'ingest-e2e: extract + embed, raw sum, s': percentile(raws, 0.5) / 1000,
    'ingest-e2e: wall, s': percentile(walls, 0.5) / 1000,
    'ingest-e2e: wall ÷ raw sum': percentile(ratios, 0.5),
  }
}

/** A ledger that knows all files already, as after a restart; then a paragraph of one file changes. */
async function nothingNew(stores: Stores, files = 10_000): Promise<Figures> {
  await using scope = new AsyncDisposableStack()
  const folder = openFolder(scope)
  const embedder = createFakeEmbedder()
  const { ownerUrl, corpusUrl } = await tempDatabase(stores.databaseUrl, scope)
  const rows = Array.from({ length: files }, (_, i) => {
    const path = `${i % 100}/file-${i}.txt`
    if (i < 100) mkdirSync(join(folder, String(i)))
    const text = `File ${i} tells about number ${i * 7919}.`
    writeFileSync(join(folder, path), text)
    return { id: randomUUID(), path, hash: createHash('sha256').update(text).digest('hex'), stats: statSync(join(folder, path)) }
  })
  await knowAll(ownerUrl, rows, settingsHash({ chunkSize: null, chunkOverlap: null, language: null }, chunking))
  const env = {
    ...ingestEnv(stores, corpusUrl, folder, await extractorOf(folder, scope)),
    SCAN_INTERVAL_S: '3600',
    RECONCILE_INTERVAL_S: '1',
  }
  const ingest = await startIngest(readConfig({ ...env, EMBEDDER_URL: 'http://127.0.0.1:1' }), scope, {
    log: createLogger('bench', 'error'),
    embedder,
  })
  const scan = async () =>
    (await (await fetch(`${ingest.url}/ingest/scan`, { method: 'POST', headers })).json()) as { ms: number; files: number; changed: number }
  const first = await until(
    'the first scan has ended',
    async () => {
      const { items } = (await (await fetch(`${ingest.url}/ingest/scans`, { headers })).json()) as {
        items: { files: number; ms: number }[]
      }
      return items.find((item) => item.files === files)
    },
    120_000,
  )
  const times: number[] = []
  for (let round = 0; round < 5; round++) times.push((await scan()).ms)

  const paragraphs = Array.from({ length: 40 }, (_, i) => `Paragraph ${i} of the book: ${`word${i} `.repeat(60)}ends here.`)
  const book = async (name: string) => {
    writeFileSync(join(folder, 'book.txt'), paragraphs.join('\n\n'))
    await until(
      `the book is ready ${name}`,
      async () => {
        await scan()
        const { items } = (await (await fetch(`${ingest.url}/documents?path=book.txt`, { headers })).json()) as {
          items: { state: string; contentHash: string }[]
        }
        const hash = createHash('sha256').update(paragraphs.join('\n\n')).digest('hex')
        return (items[0]?.state === 'ready' && items[0].contentHash === hash) || undefined
      },
      60_000,
    )
    return embedder.embedded.length
  }
  const whole = await book('for the first time')
  paragraphs[20] = paragraphs[20]!.replace('word20', 'another')
  const changed = (await book('after the edit')) - whole
  return {
    'reindex-noop: files': files,
    'reindex-noop: files/s, first scan after a start': files / (first.ms / 1000),
    'reindex-noop: files/s, later scans (p50)': files / (percentile(times, 0.5) / 1000),
    'reindex-noop: chunks embedded of a book of 40 paragraphs': whole,
    'reindex-noop: chunks embedded after one paragraph changed': changed,
  }
}

/** Searches over HTTP while the folder grows, against the same searches at rest. */
async function questionsMeanwhile(stores: Stores, embedder: ChildService, files = 500): Promise<Figures> {
  await using scope = new AsyncDisposableStack()
  const folder = openFolder(scope)
  putPages(folder, 100, 'at-rest')
  const world = await openWorld(stores, embedder.url, folder, await extractorOf(folder, scope), scope)
  await world.readyAfter(100)
  const retrieval = scope.use(
    await startChild('retrieval', {
      DATABASE_URL: world.corpusUrl,
      CHROMA_URL: stores.chromaUrl,
      EMBEDDER_URL: embedder.url,
      INTERNAL_TOKEN: TOKEN,
    }),
  )
  const ask = asker(retrieval)
  for (let i = 0; i < 50; i++) await ask()
  const idle: number[] = []
  for (let i = 0; i < 300; i++) idle.push(await ask())
  putPages(folder, files, 'meanwhile')
  const busy: number[] = []
  let isOver = false
  const growing = world.readyAfter(100 + files).finally(() => {
    isOver = true
  })
  while (!isOver) busy.push(await ask())
  await growing
  return {
    'query-under-ingest: questions meanwhile': busy.length,
    'query-under-ingest: p50 at rest, ms': percentile(idle, 0.5),
    'query-under-ingest: p99 at rest, ms': percentile(idle, 0.99),
    'query-under-ingest: p50 meanwhile, ms': percentile(busy, 0.5),
    'query-under-ingest: p99 meanwhile, ms': percentile(busy, 0.99),
    'query-under-ingest: p99 meanwhile ÷ at rest': percentile(busy, 0.99) / percentile(idle, 0.99),
  }
}

type Known = { id: string; path: string; hash: string; stats: { size: number; mtime: Date } }

async function knowAll(ownerUrl: string, rows: readonly Known[], settings: string): Promise<void> {
  const client = new pg.Client({ connectionString: ownerUrl })
  await client.connect()
  try {
    await client.query('SET search_path TO corpus')
    await client.query(
      `INSERT INTO document (id, path, content_hash, media_type, size, modified_at, state, active_version, indexed_at)
       SELECT id, path, hash, 'text/plain', size, mtime, 'ready', 1, now()
       FROM unnest($1::uuid[], $2::text[], $3::text[], $4::bigint[], $5::timestamptz[]) AS row (id, path, hash, size, mtime)`,
      [
        rows.map(({ id }) => id),
        rows.map(({ path }) => path),
        rows.map(({ hash }) => hash),
        rows.map(({ stats }) => stats.size),
        rows.map(({ stats }) => stats.mtime),
      ],
    )
    await client.query(
      `INSERT INTO version (document, version, content_hash, settings_hash, title, language) SELECT id, 1, content_hash, $1, path, 'en' FROM document`,
      [settings],
    )
    await client.query('ANALYZE')
  } finally {
    await client.end()
  }
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(1)
}
