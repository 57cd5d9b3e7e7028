import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Queue } from 'bullmq'
import { expect, inject, test } from 'vitest'
import { until } from '../../lib/testkit/src/until.ts'
import { cuttable } from './cuttable.ts'
import { startTestIngest, type TestIngest } from './start-test-ingest.ts'

// each has an ingest, a database and a folder of its own, and waits most of the time: side by side

const put = (ingest: TestIngest, path: string, text: string) => writeFileSync(join(ingest.folder, path), text)
const generation = (ingest: TestIngest) => ingest.corpus.activeGeneration('fake-hash', 64)
const stats = async (ingest: TestIngest) =>
  (await (await ingest.ask('/stats')).json()) as { documents: Record<string, number>; paused: string[] }
const ready = async (ingest: TestIngest) =>
  ((await (await fetch(`${ingest.url}/readyz`)).json()) as { checks: Record<string, { ok: boolean }> }).checks

/** One chunk per document, version and ordinal; all of an active version; Chroma holds exactly them. */
async function expectConsistent(ingest: TestIngest): Promise<void> {
  const chunks = await ingest.chunks()
  expect(new Set(chunks.map((chunk) => `${chunk.documentId}:${chunk.ordinal}`)).size).toBe(chunks.length)
  await until('Chroma holds exactly the active chunks', async () => {
    const { added, removed } = await ingest.corpus.reconcileDense(await generation(ingest))
    return added + removed === 0 || undefined
  })
}

test.concurrent('jobs that vanish from Redis are found again in the ledger', async () => {
  await using scope = new AsyncDisposableStack()
  const ingest = await startTestIngest(scope)
  const release = ingest.extractor.hold()
  for (let i = 0; i < 12; i++) put(ingest, `file-${i}.txt`, `The text of file ${i}.`)
  await until(
    'all are in the ledger',
    async () => ((await stats(ingest)).documents.queued ?? 0) + ((await stats(ingest)).documents.indexing ?? 0) === 12 || undefined,
  )
  const queue = scope.adopt(
    new Queue('index-document', {
      connection: { url: inject('stores').queueUrl, maxRetriesPerRequest: null },
      prefix: `docent:${new URL(ingest.databaseUrl).pathname.slice(1)}`,
    }),
    (open) => open.close(),
  )
  await queue.obliterate({ force: true })
  release()
  for (let i = 0; i < 12; i++) await ingest.reaches(`file-${i}.txt`, 'ready', 60_000)
  expect(ingest.embedder.embedded).toHaveLength(12)
  await expectConsistent(ingest)
})

test.concurrent('while Redis is away the folder is still watched; when it is back all is indexed without a restart', async () => {
  await using scope = new AsyncDisposableStack()
  const redis = scope.use(await cuttable(inject('stores').queueUrl))
  const ingest = await startTestIngest(scope, { env: { QUEUE_URL: redis.url } })
  put(ingest, 'before.txt', 'Before the outage.')
  await ingest.reaches('before.txt', 'ready')
  redis.cut()
  put(ingest, 'during.txt', 'During the outage.')
  await ingest.reaches('during.txt', 'queued')
  await until('it is said', async () => (await stats(ingest)).paused.includes('queue_down') || undefined)
  await until('readyz says so', async () => (await ready(ingest)).queue?.ok === false || undefined)
  redis.mend()
  await ingest.reaches('during.txt', 'ready', 20_000)
  expect((await stats(ingest)).documents.failed).toBe(0)
})

test.concurrent('while the embedder is away documents wait, and nothing fails', async () => {
  await using scope = new AsyncDisposableStack()
  const ingest = await startTestIngest(scope)
  ingest.embedder.setUp(false)
  put(ingest, 'waits.txt', 'This one waits.')
  await until('it is said', async () => (await stats(ingest)).paused.includes('embedder_down') || undefined)
  expect((await ready(ingest)).embedder?.ok).toBe(false)
  ingest.embedder.setUp(true)
  await ingest.reaches('waits.txt', 'ready', 40_000)
  await until('it goes on', async () => (await stats(ingest)).paused.length === 0 || undefined)
})

test.concurrent('while Chroma is away documents become ready; when it is back it is filled without an embedding', async () => {
  await using scope = new AsyncDisposableStack()
  const chroma = scope.use(await cuttable(inject('stores').chromaUrl))
  const ingest = await startTestIngest(scope, { env: { CHROMA_URL: chroma.url } })
  put(ingest, 'first.txt', 'With Chroma.')
  await ingest.reaches('first.txt', 'ready')
  chroma.cut()
  put(ingest, 'second.txt', 'Without Chroma.')
  await ingest.reaches('second.txt', 'ready')
  const cost = ingest.embedder.embedded.length
  chroma.mend()
  const second = (await ingest.chunks()).find((chunk) => chunk.path === 'second.txt')!
  const vector = await ingest.embedder.query('Without Chroma.', AbortSignal.timeout(1_000))
  await until(
    'its vector is found',
    async () => {
      const [best] = await ingest.corpus.searchDense(vector, 1, await generation(ingest), AbortSignal.timeout(3_000))
      return best?.chunkId === second.id || undefined
    },
    60_000,
  )
  expect(ingest.embedder.embedded).toHaveLength(cost)
})

test.concurrent('a deleted collection is noticed and built again without an embedding', async () => {
  await using scope = new AsyncDisposableStack()
  const ingest = await startTestIngest(scope)
  for (let i = 0; i < 5; i++) put(ingest, `kept-${i}.txt`, `What is kept, number ${i}.`)
  for (let i = 0; i < 5; i++) await ingest.reaches(`kept-${i}.txt`, 'ready')
  const { chromaCollection } = await generation(ingest)
  const gone = await fetch(
    `${inject('stores').chromaUrl}/api/v2/tenants/default_tenant/databases/default_database/collections/${chromaCollection}`,
    { method: 'DELETE' },
  )
  expect(gone.status).toBe(200)
  const vector = await ingest.embedder.query('What is kept, number 3.', AbortSignal.timeout(1_000))
  await until(
    'all five are found again',
    async () =>
      ingest.corpus.searchDense(vector, 10, await generation(ingest), AbortSignal.timeout(3_000)).then(
        (found) => found.length === 5 || undefined,
        () => undefined, // while it is rebuilt, a query may fail
      ),
    60_000,
  )
  expect(ingest.embedder.embedded).toHaveLength(5)
})

test.concurrent('a restart reads nothing again; other chunk settings index anew and embed only what is new', async () => {
  await using scope = new AsyncDisposableStack()
  const first = await startTestIngest(scope)
  const text = `# One\n\n${'A sentence of the first part. '.repeat(30).trim()}\n\n# Two\n\nShort.`
  put(first, 'long.md', text)
  const before = await first.reaches('long.md', 'ready')
  await first.stop()
  const again = await startTestIngest(scope, { folder: first.folder, databaseUrl: first.databaseUrl })
  await until('it has scanned', async () => ((await stats(again)) as unknown as { lastScanAt: string | null }).lastScanAt ?? undefined)
  expect(await again.reaches('long.md', 'ready')).toEqual(before)
  expect(again.extractor.asked.size).toBe(0)
  await again.stop()

  const other = await startTestIngest(scope, { folder: first.folder, databaseUrl: first.databaseUrl, env: { CHUNK_SIZE: '1000' } })
  await until('it is cut in another way', async () =>
    (await other.reaches('long.md', 'ready')).chunks !== before.chunks ? true : undefined,
  )
  const chunks = await other.chunks()
  expect(other.embedder.embedded.length).toBe(chunks.length - 1)
  expect(other.embedder.embedded.some((embedded) => embedded.includes('Short.'))).toBe(false)
})

test.concurrent('a wrong answer of the model is never stored, and the document says so in the end', async () => {
  await using scope = new AsyncDisposableStack()
  const ingest = await startTestIngest(scope)
  ingest.embedder.passages = (texts) => Promise.resolve(texts.map(() => new Float32Array(64).fill(Number.NaN)))
  put(ingest, 'holes.txt', 'Vectors with holes.')
  expect((await ingest.reaches('holes.txt', 'failed')).error?.code).toBe('embedding_failed')
  expect(await ingest.chunks()).toEqual([])
})

test.concurrent('the service stops within seconds in the middle of a document, which is indexed after the next start', async () => {
  await using scope = new AsyncDisposableStack()
  const first = await startTestIngest(scope)
  first.extractor.hold()
  put(first, 'slow.txt', 'A slow one.')
  await first.reaches('slow.txt', 'indexing')
  const started = performance.now()
  await first.stop()
  expect(performance.now() - started).toBeLessThan(10_000)
  const again = await startTestIngest(scope, { folder: first.folder, databaseUrl: first.databaseUrl })
  await again.reaches('slow.txt', 'ready', 20_000)
  await expectConsistent(again)
})
