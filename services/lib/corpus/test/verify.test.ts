import { randomUUID } from 'node:crypto'
import type { Chunk } from '@docent/core/chunk'
import pg from 'pg'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { tempDatabase } from '../../testkit/src/temp-database.ts'
import { openChroma } from '../src/chroma.ts'
import type { Corpus, DocumentRow, Generation } from '../src/corpus.ts'
import { createCorpus } from '../src/create-corpus.ts'

const scope = new AsyncDisposableStack()
const quiet = { info: () => undefined, warn: () => undefined }
const CHUNKS = 3
let corpus: Corpus
let pool: pg.Pool
let generation: Generation
let seeds = 0

beforeAll(async () => {
  const { corpusUrl } = await tempDatabase(inject('stores').databaseUrl, scope)
  pool = scope.adopt(new pg.Pool({ connectionString: corpusUrl, max: 2 }), (open) => open.end())
  pool.on('error', () => undefined) // the database is dropped under idle connections at the end
  corpus = createCorpus(pool, { url: inject('stores').chromaUrl }, quiet)
  generation = await corpus.activeGeneration('test-model', 8)
})
afterAll(() => scope.disposeAsync())

const collection = () => openChroma({ url: inject('stores').chromaUrl }).open(generation, 'en', AbortSignal.timeout(5_000))
const chunkIds = async ({ id }: DocumentRow) =>
  (await pool.query<{ id: string }>('SELECT id FROM chunk WHERE document = $1 ORDER BY ordinal', [id])).rows.map((row) => row.id)

function vectorOf(seed: number): Float32Array {
  const vector = Float32Array.from({ length: 8 }, (_, i) => Math.sin(seed * 31 + i * 7))
  const length = Math.hypot(...vector)
  return vector.map((value) => value / length)
}

async function index(document: DocumentRow): Promise<void> {
  const vectors = new Map<string, Float32Array>()
  const chunks = Array.from({ length: CHUNKS }, (_, ordinal): Chunk => {
    const textHash = `hash-${++seeds}`
    vectors.set(textHash, vectorOf(seeds))
    return {
      ordinal,
      text: 'text',
      header: '',
      locator: { heading: [], start: 0, end: 4 },
      textHash,
      parent: { start: 0, end: 4, text: 'text' },
    }
  })
  await corpus.saveVectors('test-model', vectors)
  const facts = { contentHash: document.contentHash, settingsHash: 's', title: '', language: 'en' as const, notes: [] }
  const attempt = await corpus.beginAttempt(document.id, document.contentHash)
  await corpus.replaceChunks(document, facts, chunks, generation, attempt)
  await corpus.endAttempt(attempt, 'done', { chunks: CHUNKS })
}

async function add(): Promise<DocumentRow> {
  const path = `${randomUUID()}.txt`
  const fields = { path, collection: 'default', contentHash: randomUUID(), mediaType: 'text/plain', size: 1, modifiedAt: new Date() }
  const [document] = await corpus.addDocuments([fields])
  return document!
}

const cases: { damage: string; faults: string[]; act(document: DocumentRow): Promise<unknown> }[] = [
  {
    damage: 'a chunk in the middle is gone',
    faults: ['missing_chunk', 'missing_chunk', 'orphan_vector'],
    act: ({ id }) =>
      pool
        .query('DELETE FROM chunk WHERE document = $1 AND ordinal = 1', [id])
        .then(() => pool.query(`UPDATE attempt SET detail = '{"chunks": 4}' WHERE document = $1`, [id])),
  },
  {
    damage: 'the last chunk is gone',
    faults: ['missing_chunk', 'orphan_vector'],
    act: ({ id }) => pool.query('DELETE FROM chunk WHERE document = $1 AND ordinal = $2', [id, CHUNKS - 1]),
  },
  {
    damage: 'all chunks are gone',
    faults: ['missing_chunk', 'orphan_vector', 'orphan_vector', 'orphan_vector'],
    act: ({ id }) => pool.query('DELETE FROM chunk WHERE document = $1', [id]),
  },
  {
    damage: 'a chunk of an older version stayed',
    faults: ['missing_chunk', 'mixed_version', 'orphan_vector'],
    act: async ({ id }) => {
      await pool.query(`INSERT INTO version (document, version, content_hash, settings_hash) VALUES ($1, 0, 'old', 's')`, [id])
      await pool.query('UPDATE chunk SET version = 0 WHERE document = $1 AND ordinal = $2', [id, CHUNKS - 1])
    },
  },
  {
    damage: 'a failed document kept its chunks',
    faults: ['orphan_chunk'],
    act: ({ id }) => pool.query(`UPDATE document SET state = 'failed' WHERE id = $1`, [id]),
  },
  {
    damage: 'a document is stuck',
    faults: ['unfinished'],
    act: ({ id }) => pool.query(`UPDATE document SET state = 'queued' WHERE id = $1`, [id]),
  },
  {
    damage: 'the text that serves is that of an older file',
    faults: ['mixed_version'],
    act: ({ id }) => pool.query(`UPDATE document SET content_hash = 'newer' WHERE id = $1`, [id]),
  },
  {
    damage: 'a vector is gone from Postgres',
    faults: ['orphan_vector', 'vector_absent'],
    act: ({ id }) =>
      pool.query('DELETE FROM embedding WHERE text_hash = (SELECT text_hash FROM chunk WHERE document = $1 AND ordinal = 0)', [id]),
  },
  {
    damage: 'a vector is gone from Chroma',
    faults: ['missing_vector'],
    act: async (document) => (await collection()).delete({ ids: (await chunkIds(document)).slice(1, 2) }),
  },
  {
    damage: 'Chroma holds another vector for a chunk',
    faults: ['wrong_vector'],
    act: async (document) => (await collection()).update({ ids: (await chunkIds(document)).slice(1, 2), embeddings: [[...vectorOf(-5)]] }),
  },
  {
    damage: 'Chroma holds a vector of nobody',
    faults: ['orphan_vector'],
    act: async ({ id }) =>
      (await collection()).add({ ids: [randomUUID()], embeddings: [[...vectorOf(-9)]], metadatas: [{ document: id, version: 77 }] }),
  },
]

test.for(cases)('the oracle finds: $damage', async ({ faults, act }) => {
  const document = await add()
  await index(document)
  expect(await corpus.verify()).toMatchObject({ findings: [] })
  await act(document)
  const { findings } = await corpus.verify()
  expect(findings.map(({ fault }) => fault).sort()).toEqual(faults)
  await pool.query('DELETE FROM document WHERE id = $1', [document.id])
  await corpus.reconcileDense(generation)
})
