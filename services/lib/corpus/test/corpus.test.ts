import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Chunk } from '@docent/core/chunk'
import pg from 'pg'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { openHangingDoor } from '../../testkit/src/hanging-door.ts'
import { tempDatabase } from '../../testkit/src/temp-database.ts'
import { until } from '../../testkit/src/until.ts'
import { chunkId } from '../src/chunks.ts'
import type { Corpus, DenseScope, DocumentRow, Generation } from '../src/corpus.ts'
import { createCorpus } from '../src/create-corpus.ts'

const scope = new AsyncDisposableStack()
const quiet = { info: () => undefined, warn: () => undefined }
const signal = () => AbortSignal.timeout(3_000)
let corpus: Corpus
let urls: Awaited<ReturnType<typeof tempDatabase>>
let generation: Generation

function open(url: string, max = 4): pg.Pool {
  const pool = new pg.Pool({ connectionString: url, max })
  pool.on('error', () => undefined) // the database is dropped under idle connections at the end
  return scope.adopt(pool, (used) => used.end())
}

beforeAll(async () => {
  urls = await tempDatabase(inject('stores').databaseUrl, scope)
  corpus = createCorpus(open(urls.corpusUrl, 8), { url: inject('stores').chromaUrl }, quiet)
  generation = await corpus.activeGeneration('test-model', 8)
})
afterAll(() => scope.disposeAsync())

async function add(path = `${randomUUID()}.txt`): Promise<DocumentRow> {
  const [document] = await corpus.addDocuments([
    { path, collection: 'default', contentHash: randomUUID(), mediaType: 'text/plain', size: 1, modifiedAt: new Date() },
  ])
  return document!
}

function vectorOf(seed: number): Float32Array {
  const vector = Float32Array.from({ length: 8 }, (_, i) => Math.sin(seed * 31 + i * 7))
  const length = Math.hypot(...vector)
  return vector.map((value) => value / length)
}

let seeds = 0
async function makeChunks(count: number): Promise<Chunk[]> {
  const vectors = new Map<string, Float32Array>()
  const chunks = Array.from({ length: count }, (_, ordinal): Chunk => {
    const textHash = `hash-${++seeds}`
    vectors.set(textHash, vectorOf(seeds))
    const text = `text ${seeds}`
    return {
      ordinal,
      text,
      header: 'H',
      locator: { heading: ['a "quoted" \\ heading', '第一章'], start: 0, end: text.length, page: 2 },
      textHash,
      parent: { start: 0, end: text.length, text },
    }
  })
  await corpus.saveVectors('test-model', vectors)
  return chunks
}

const facts = (document: DocumentRow) => ({
  contentHash: document.contentHash,
  settingsHash: 's1',
  title: 'T',
  language: 'en' as const,
  notes: ['a note'],
})

async function index(document: DocumentRow, chunks: Chunk[]) {
  const attempt = await corpus.beginAttempt(document.id, document.contentHash)
  return corpus.replaceChunks(document, facts(document), chunks, generation, attempt)
}

async function activeOf(document: DocumentRow) {
  const found: { id: string; text: string; heading: string[]; version: number }[] = []
  await corpus.loadActive((batch) => found.push(...batch), [document.id])
  return found
}

test('the app role reads and writes rows and cannot change the schema', async () => {
  const app = open(urls.corpusUrl, 1)
  expect((await app.query('SELECT count(*) FROM document')).rowCount).toBe(1)
  for (const ddl of [
    'DROP TABLE document',
    'CREATE TABLE corpus.x ()',
    'CREATE TABLE public.x ()',
    'ALTER TABLE chunk ADD x int',
    'TRUNCATE document',
    'SELECT * FROM chat.message',
    'SELECT * FROM corpus.migration',
    'CREATE ROLE x',
  ]) {
    await expect(app.query(ddl), ddl).rejects.toMatchObject({ code: '42501' })
  }
})

test('a version is replaced as a whole, keeps what it was told, and its old vectors leave Chroma', async () => {
  const document = await add()
  expect(await index(document, await makeChunks(3))).toEqual({ version: 1, dense: 'written' })
  const newer = await makeChunks(2)
  expect(await index(document, newer)).toEqual({ version: 2, dense: 'written' })
  const active = await activeOf(document)
  expect(active.map((chunk) => [chunk.text, chunk.version])).toEqual(newer.map((chunk) => [chunk.text, 2]))
  expect(active[0]!.heading).toEqual(['a "quoted" \\ heading', '第一章'])
  await until('Chroma holds the two only', async () => {
    const hits = await corpus.searchDense(vectorOf(seeds), 10, generation, signal())
    return hits.length === 2 || undefined
  })
  expect((await corpus.parentsOf([active[0]!.id])).get(active[0]!.id)?.text).toBe(newer[0]!.text)
  expect(await corpus.viewDocument(document.id)).toMatchObject({ state: 'ready', chunks: 2 })
})

test("a document's chunks are listed as they were written, with their whole place; a disabled one is not searched", async () => {
  const document = await add()
  const [row, gone] = await makeChunks(2)
  const written = [
    { ...row!, locator: { heading: [], start: 0, end: 6, sheet: 'Prices', row: 3, lastRow: 9 } },
    { ...gone!, isDisabled: true, source: { hash: 'of the source', text: 'what was extracted' } },
  ]
  await index(document, written)
  const listed = await corpus.listDocumentChunks(document.id, -1, 10)
  expect(listed.map(({ id: _, ...chunk }) => chunk)).toEqual([{ ...written[0], isDisabled: false }, written[1]])
  expect((await activeOf(document)).map(({ text }) => text)).toEqual([row!.text])
  expect(await corpus.findDocumentChunk(document.id, listed[1]!.id)).toEqual(listed[1])
})

test('a chunk keeps its whole place: slide, sheet, rows, chapter and attachment come back as they went in', async () => {
  const document = await add()
  const places = [
    { page: 2 },
    { slide: 3 },
    { sheet: '表 "1"', row: 2, lastRow: 9 },
    { chapter: '第一章' },
    { attachment: 'a.eml › b.pdf', page: 1 },
  ]
  const chunks = (await makeChunks(places.length)).map((chunk, i) => ({
    ...chunk,
    locator: { heading: [], start: 0, end: 1, ...places[i] },
  }))
  await index(document, chunks)
  const found: Parameters<Parameters<typeof corpus.loadActive>[0]>[0][number][] = []
  await corpus.loadActive((batch) => found.push(...batch), [document.id])
  expect(found.map(({ page, place }) => ({ ...(page === null ? {} : { page }), ...place }))).toEqual(places)
  const listed = await corpus.listDocumentChunks(document.id, -1, 10)
  expect(listed.map(({ locator: { heading: _h, start: _s, end: _e, ...place } }) => place)).toEqual(places)
})

test('the late write of an overtaken attempt is refused', async () => {
  const document = await add()
  const sleeper = await corpus.beginAttempt(document.id, document.contentHash)
  const [late, winner] = [await makeChunks(2), await makeChunks(1)]
  await index(document, winner)
  await expect(corpus.replaceChunks(document, facts(document), late, generation, sleeper)).rejects.toMatchObject({ code: 'conflict' })
  expect((await activeOf(document)).map((chunk) => chunk.text)).toEqual([winner[0]!.text])
})

test('content that has changed or gone meanwhile is not activated', async () => {
  const document = await add()
  const chunks = await makeChunks(1)
  await corpus.changeDocument(document.id, { contentHash: 'newer', mediaType: 'text/plain', size: 2, modifiedAt: new Date() })
  await expect(index(document, chunks)).rejects.toMatchObject({ code: 'conflict' })
  await corpus.removeDocument(document.id)
  await expect(index({ ...document, contentHash: 'newer' }, chunks)).rejects.toMatchObject({ code: 'gone' })
  await corpus.setState(document.id, 'queued')
  expect((await corpus.findDocument(document.id))?.state).toBe('removed')
})

test('a late verdict does not touch newer content', async () => {
  const document = await add()
  await corpus.changeDocument(document.id, { contentHash: 'newer', mediaType: 'text/plain', size: 2, modifiedAt: new Date() })
  await corpus.setState(document.id, 'failed', { code: 'corrupt', message: 'x' }, document)
  expect(await corpus.findDocument(document.id)).toMatchObject({ state: 'queued', errorCode: null })
})

test('a removal takes vectors that no other document uses, and no others', async () => {
  const [one, two] = [await add(), await add()]
  const [shared, own] = await makeChunks(2)
  await index(one, [shared!, own!])
  await index(two, [{ ...shared!, ordinal: 0 }])
  await corpus.removeDocument(one.id)
  const left = await corpus.vectorHashes([shared!.textHash, own!.textHash], 'test-model')
  expect([...left]).toEqual([shared!.textHash])
  expect(await corpus.loadVectors([shared!.textHash], 'test-model')).toHaveProperty('size', 1)
})

test('chunks whose vectors are missing are not activated', async () => {
  const document = await add()
  const [chunk] = await makeChunks(1)
  await expect(index(document, [{ ...chunk!, textHash: 'never-embedded' }])).rejects.toMatchObject({ code: 'unavailable' })
  expect(await activeOf(document)).toEqual([])
})

test('the verdict of an attempt that another one has overtaken changes nothing', async () => {
  const document = await add()
  const late = await corpus.beginAttempt(document.id, document.contentHash)
  await index(document, await makeChunks(2))
  for (const state of ['queued', 'indexing', 'failed'] as const)
    await corpus.setState(document.id, state, undefined, { contentHash: document.contentHash, attempt: late })
  expect(await corpus.findDocument(document.id)).toMatchObject({ state: 'ready' })
  expect(await activeOf(document)).toHaveLength(2)
})

test('the feed tells every change in order, to followers that poll and to those that listen', async () => {
  const from = await corpus.lastChange()
  let woken = 0
  await using _listening = corpus.onChange(() => void woken++)
  await until('it listens', () => woken > 0 || undefined)
  const documents = await Promise.all(Array.from({ length: 8 }, () => add()))
  const before = woken
  await Promise.all(documents.map(async (document) => index(document, await makeChunks(1))))
  await until('it was woken', () => woken > before || undefined)
  const changes = await corpus.changesAfter(from, 100)
  expect(new Set(changes.map((change) => change.documentId))).toEqual(new Set(documents.map((document) => document.id)))
  expect(changes.every((change, i) => change.kind === 'activated' && (i === 0 || change.seq > changes[i - 1]!.seq))).toBe(true)
  await corpus.moveDocument(documents[0]!.id, 'moved.txt')
  await corpus.removeDocument(documents[0]!.id)
  expect((await corpus.changesAfter(changes.at(-1)!.seq, 10)).map((change) => change.kind)).toEqual(['moved', 'removed'])
})

test('the same path is added once, and again after its removal', async () => {
  const document = await add('same.txt')
  expect(
    await corpus.addDocuments([
      { path: 'same.txt', collection: 'default', contentHash: 'x', mediaType: 'text/plain', size: 1, modifiedAt: new Date() },
    ]),
  ).toEqual([])
  await corpus.removeDocument(document.id)
  expect((await add('same.txt')).id).not.toBe(document.id)
})

test('another model begins a generation; going back revives the old one; only one is active', async () => {
  const other = await corpus.activeGeneration('other-model', 4)
  expect(other.chromaCollection).not.toBe(generation.chromaCollection)
  const back = await Promise.all([corpus.activeGeneration('test-model', 8), corpus.activeGeneration('test-model', 8)])
  expect(back).toEqual([generation, generation])
})

test('what the embedder offers decides: the one that serves stays as long as its model is offered, whatever stands first', async () => {
  const first = { model: 'other-model', dimension: 4 }
  const served = { model: 'test-model', dimension: 8 }
  expect(await corpus.servingGeneration([first, served])).toEqual(generation)
  // it does not answer now, which is no reason to change
  expect(await corpus.servingGeneration([first, { model: 'test-model', problem: 'away' }])).toEqual(generation)
  expect(await corpus.servingGeneration([first])).toMatchObject({ model: 'other-model', state: 'active' })
  await expect(corpus.servingGeneration([{ model: 'test-model', problem: 'away' }])).rejects.toMatchObject({ code: 'unavailable' })
  expect(await corpus.servingGeneration([served])).toEqual(generation)
})

test('one process fills a generation at a time; a switch leaves exactly one that serves, however many switch at once', async () => {
  const { id } = await corpus.beginGeneration('beside', 4, 'test')
  await expect(corpus.beginGeneration('more', 4, 'test')).rejects.toMatchObject({ code: 'conflict' })
  expect(await corpus.holdGeneration(id, 'a')).toBe(true)
  expect(await corpus.holdGeneration(id, 'b')).toBe(false)
  expect(await corpus.holdGeneration(id, 'a', { embedded: 3, ms: 40 })).toBe(true)
  await corpus.releaseGeneration(id, 'b')
  expect(await corpus.holdGeneration(id, 'b')).toBe(false)
  await corpus.releaseGeneration(id, 'a')
  expect(await corpus.holdGeneration(id, 'b')).toBe(true)
  expect(await corpus.findGeneration(id)).toMatchObject({ embedded: 3, busyMs: 40, isCompared: false })
  await corpus.releaseGeneration(id, 'b')
  await Promise.all([id, generation.id, id, generation.id].map((one) => corpus.activateGeneration(one, { force: true })))
  expect((await corpus.listGenerations()).filter(({ state }) => state === 'active')).toHaveLength(1)
  await corpus.activateGeneration(generation.id, { force: true })
  await corpus.dropGeneration(id)
  expect(await corpus.holdGeneration(id, 'a')).toBe(false)
  expect(await corpus.findActive()).toEqual(generation)
})

test('a collection of another model is refused, vectors of another length as well', async () => {
  await corpus.searchDense(vectorOf(1), 1, generation, signal())
  const fresh = createCorpus(open(urls.corpusUrl), { url: inject('stores').chromaUrl }, quiet)
  await expect(fresh.searchDense(vectorOf(1), 1, { ...generation, model: 'another' }, signal())).rejects.toMatchObject({ code: 'conflict' })
  await expect(corpus.searchDense(new Float32Array(4), 1, generation, signal())).rejects.toMatchObject({ code: 'conflict' })
})

test('the canary passes on a whole index and fails on an emptied one, which is mended', async () => {
  await index(await add(), await makeChunks(3))
  await corpus.reconcileDense(generation)
  await corpus.denseCanary(generation, signal())
  const base = `${inject('stores').chromaUrl}/api/v2/tenants/default_tenant/databases/default_database/collections/${generation.chromaCollection}`
  expect((await fetch(base, { method: 'DELETE' })).status).toBe(200)
  await expect(corpus.denseCanary(generation, signal())).rejects.toMatchObject({ code: 'unavailable' })
  expect((await corpus.reconcileDense(generation)).added).toBeGreaterThanOrEqual(3)
  await corpus.denseCanary(generation, signal())
})

test('an index that is slow is not torn: nothing is dropped for it, until it has been slow at three looks', {
  timeout: 60_000,
}, async () => {
  await index(await add(), await makeChunks(3))
  await corpus.reconcileDense(generation)
  const door = await openHangingDoor(inject('stores').chromaUrl, scope)
  const behind = createCorpus(open(urls.corpusUrl), { url: door.url }, quiet)
  const dropped = () => door.seen.filter((line) => line.startsWith('DELETE') && line.includes('/collections/')).length
  await behind.denseCanary(generation, signal())
  door.hang = (path) => path.endsWith('/query') && dropped() === 0
  for (const _look of [1, 2]) await expect(behind.reconcileDense(generation)).rejects.toThrow(/no answer|timeout/)
  expect(dropped()).toBe(0)
  expect((await behind.reconcileDense(generation)).added).toBeGreaterThanOrEqual(3)
  expect(dropped()).toBeGreaterThan(0)
  await corpus.denseCanary(generation, signal())
})

test('a text that stands many times in a document is in the dense index once, and hides no other', async () => {
  const others = await makeChunks(40)
  const before = await add()
  await index(before, others)
  const [same, last] = await makeChunks(2)
  const many = await add()
  const repeated = Array.from({ length: 2_000 }, (_, ordinal) => ({ ...same!, ordinal }))
  const attempt = await corpus.beginAttempt(many.id, many.contentHash)
  const chunks = [...repeated, { ...last!, ordinal: 2_000 }]
  await corpus.replaceChunks(many, facts(many), chunks, generation, attempt)
  await corpus.endAttempt(attempt, 'done', { chunks: chunks.length })
  expect(await activeOf(many)).toHaveLength(2_001)
  const idsOf = async (seed: number, limit: number) =>
    (await corpus.searchDense(vectorOf(seed), limit, generation, signal())).map(({ chunkId }) => chunkId)
  const first = seeds - 41
  for (const [i, chunk] of others.entries()) expect(await idsOf(first + i, 10)).toContain(chunkId(before.id, 1, chunk.ordinal))
  const within = await corpus.searchDense(vectorOf(seeds), 50, generation, signal(), { documents: [many.id] })
  expect(within.map((hit) => hit.chunkId)).toEqual([chunkId(many.id, 1, 2_000), chunkId(many.id, 1, 0)])
  // reconciling has the same opinion
  expect(await corpus.reconcileDense(generation)).toMatchObject({ added: 0 })
  expect((await corpus.verify()).findings.filter(({ path }) => path === many.path)).toEqual([])
})

test('a language, documents or a collection: the nearest are sought among those alone', async () => {
  const [english, chinese] = await makeChunks(2)
  const one = await add()
  await index(one, [english!])
  const two = await add()
  await index(two, [{ ...chinese!, text: '保修期为二十四个月。' }])
  await corpus.reconcileDense(generation)
  const ids = async (within: DenseScope) =>
    (await corpus.searchDense(vectorOf(seeds), 50, generation, signal(), within)).map((hit) => hit.chunkId)
  const [idOne, idTwo] = [chunkId(one.id, 1, english!.ordinal), chunkId(two.id, 1, chinese!.ordinal)]
  expect(await ids({ language: 'zh' })).toEqual([idTwo])
  expect(await ids({ language: 'en' })).not.toContain(idTwo)
  expect(await ids({ documents: [one.id] })).toEqual([idOne])
  expect(new Set(await ids({ documents: [one.id, two.id] }))).toEqual(new Set([idOne, idTwo]))
  expect(await ids({ language: 'zh', documents: [one.id] })).toEqual([])
  expect(await ids({ language: 'zh', collections: ['default'] })).toEqual([idTwo])
  expect(await ids({ collections: ['elsewhere'] })).toEqual([])
})

test.for([{}, { layout: 3 }])(
  'a collection as earlier versions laid it out (%j) is built anew, from the vectors in Postgres alone',
  async (layout) => {
    await index(await add(), await makeChunks(2))
    const collections = `${inject('stores').chromaUrl}/api/v2/tenants/default_tenant/databases/default_database/collections`
    for (const name of [generation.chromaCollection, `${generation.chromaCollection}-zh`])
      await fetch(`${collections}/${name}`, { method: 'DELETE' })
    const earlier = {
      name: generation.chromaCollection,
      metadata: { model: generation.model, dimension: generation.dimension, space: 'cosine', ...layout },
      configuration: { hnsw: { space: 'cosine' } },
    }
    const made = await fetch(collections, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(earlier),
    })
    expect(made.status).toBe(200)
    const fresh = createCorpus(open(urls.corpusUrl), { url: inject('stores').chromaUrl }, quiet)
    await expect(fresh.denseCanary(generation, signal())).rejects.toThrow(/is being rebuilt/)
    expect((await fresh.reconcileDense(generation)).added).toBeGreaterThanOrEqual(2)
    await fresh.denseCanary(generation, signal())
    const now = (await (await fetch(`${collections}/${generation.chromaCollection}`)).json()) as { configuration_json: { hnsw: object } }
    expect(now.configuration_json.hnsw).toMatchObject({ max_neighbors: 64, ef_construction: 200, ef_search: 200 })
  },
)

test('vectors in Chroma that belong to nothing are dropped, those of a version being written stay', async () => {
  const document = await add()
  await corpus.reconcileDense(generation)
  const collections = `${inject('stores').chromaUrl}/api/v2/tenants/default_tenant/databases/default_database/collections`
  const { id } = (await (await fetch(`${collections}/${generation.chromaCollection}`)).json()) as { id: string }
  const put = (chunk: string, of: string, version: number) =>
    fetch(`${collections}/${id}/add`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ ids: [chunk], embeddings: [[...vectorOf(1)]], metadatas: [{ document: of, version }] }),
    })
  await corpus.setState(document.id, 'indexing')
  await open(urls.ownerUrl, 1).query(
    `INSERT INTO corpus.version (document, version, content_hash, settings_hash) VALUES ($1, 1, 'x', 'x')`,
    [document.id],
  )
  expect([(await put('orphan', randomUUID(), 1)).status, (await put('being-written', document.id, 1)).status]).toEqual([201, 201])
  expect(await corpus.reconcileDense(generation)).toEqual({ added: 0, removed: 1 })
  await corpus.setState(document.id, 'queued')
  expect(await corpus.reconcileDense(generation)).toEqual({ added: 0, removed: 1 })
})

test('without a database every call says so in time', async () => {
  const lost = createCorpus(open('postgres://nobody:x@127.0.0.1:9/none'), undefined, quiet)
  await expect(lost.lastChange()).rejects.toMatchObject({ code: 'unavailable' })
  await expect(lost.removeDocument(randomUUID())).rejects.toMatchObject({ code: 'unavailable' })
})

test('a query that Chroma fails because a vector was removed while it was found is asked again, once', async () => {
  await index(await add(), await makeChunks(3))
  const real = new URL(inject('stores').chromaUrl)
  let failures = 1
  let queries = 0
  const door = createServer((req, res) => {
    if (req.url?.includes('/query')) {
      queries++
      if (failures-- > 0) {
        const body = { error: 'InternalError', message: 'Error executing plan: Internal error: Error finding id: 7f1' }
        return void res.writeHead(500, { 'content-type': 'application/json' }).end(JSON.stringify(body))
      }
    }
    const { method, url, headers } = req
    const onward = request({ host: real.hostname, port: real.port, method, path: url, headers }, (answer) => {
      res.writeHead(answer.statusCode ?? 500, answer.headers)
      answer.pipe(res)
    })
    req.pipe(onward)
  })
  door.listen(0, '127.0.0.1')
  await once(door, 'listening')
  scope.defer(() => door.closeAllConnections())
  scope.defer(() => void door.close())
  const through = createCorpus(open(urls.corpusUrl), { url: `http://127.0.0.1:${(door.address() as AddressInfo).port}` }, quiet)
  const found = await through.searchDense(vectorOf(seeds), 3, generation, signal(), { language: 'en' })
  expect(found.length).toBeGreaterThan(0)
  expect(queries).toBe(2)
  failures = 2
  await expect(through.searchDense(vectorOf(seeds), 3, generation, signal(), { language: 'en' })).rejects.toThrow('Error finding id')
})

test('a text is suspected of ending its workers, unless others were lost in between that went well later', async () => {
  const [poison, victim] = [await add(), await add()]
  const lost = async (document: DocumentRow) => {
    const attempt = await corpus.beginAttempt(document.id, document.contentHash)
    await corpus.markAttempt(attempt, 'read')
  }
  const crashes = (document: DocumentRow) => corpus.countCrashes(document.id, document.contentHash)
  const companion = await add()
  await lost(companion)
  await lost(poison)
  for (let i = 0; i < 3; i++) await lost(poison)
  // its companion of the first time went well, which says nothing: from then on the suspect ran alone
  await corpus.endAttempt(await corpus.beginAttempt(companion.id, companion.contentHash), 'done', {})
  expect(await crashes(poison)).toBe(4)

  for (let i = 0; i < 2; i++) await lost(victim)
  for (let i = 0; i < 3; i++) {
    const other = await add()
    await lost(other)
    await lost(victim)
    await corpus.endAttempt(await corpus.beginAttempt(other.id, other.contentHash), 'done', {})
  }
  expect(await crashes(victim)).toBe(2)
  // two that end their workers by turns condemn each other not to live for ever
  const twin = await add()
  for (let i = 0; i < 3; i++) {
    await lost(twin)
    await lost(poison)
  }
  expect([await crashes(twin), (await crashes(poison)) >= 3]).toEqual([3, true])
  await corpus.endAttempt(await corpus.beginAttempt(victim.id, victim.contentHash), 'done', {})
  expect(await crashes(victim)).toBe(0)
})

test('a list of documents and its counts are of one moment', async () => {
  const folder = `moment-${randomUUID()}`
  const changing = await add(`${folder}/a.txt`)
  const own = { collections: [folder] }
  await open(urls.ownerUrl).query('UPDATE corpus.document SET collection = $1 WHERE id = $2', [folder, changing.id])
  let isOver = false
  const flipping = (async () => {
    for (let i = 0; !isOver; i++) await corpus.setState(changing.id, i % 2 ? 'queued' : 'indexing')
  })()
  const wrong: string[] = []
  for (let i = 0; i < 300; i++) {
    const { items, counts } = await corpus.listDocuments({ limit: 10, ...own })
    if (counts[items[0]!.state] !== 1) wrong.push(`${items[0]!.state}: ${JSON.stringify(counts)}`)
  }
  isOver = true
  await flipping
  expect(wrong).toEqual([])
  const nothing = await corpus.listDocuments({ limit: 10, state: 'failed', ...own })
  expect(nothing.items).toEqual([])
  expect((nothing.counts.queued ?? 0) + (nothing.counts.indexing ?? 0)).toBe(1)
})

test('the load counts chunks: of what is embedding from its first word to its last, and of what ended', async () => {
  const { corpusUrl } = await tempDatabase(inject('stores').databaseUrl, scope)
  const pool = open(corpusUrl)
  const own = createCorpus(pool, { url: inject('stores').chromaUrl }, quiet)
  const none = { made: { chunks: 0, seconds: 0 }, samples: [], running: [], queued: [] }
  expect(await own.indexingLoad(60)).toEqual(none)
  const file = { collection: 'default', contentHash: 'h', modifiedAt: new Date() }
  const [done, big] = await own.addDocuments([
    { path: 'a.txt', ...file, mediaType: 'text/plain', size: 1_000 },
    { path: 'big.pdf', ...file, mediaType: 'application/pdf', size: 9_000 },
    { path: 'waits.pdf', ...file, mediaType: 'application/pdf', size: 500 },
  ])
  const first = await own.beginAttempt(done!.id, 'h')
  await own.endAttempt(first, 'done', { chunks: 20 })
  await pool.query(`UPDATE attempt SET started_at = ended_at - interval '4 seconds'`)
  await own.setState(done!.id, 'ready')
  await own.setState(big!.id, 'indexing')
  const attempt = await own.beginAttempt(big!.id, 'h')
  const progress = (chunks: number) => ({ stage: 'embed', unit: 'chunk', done: chunks, total: 480 }) as const
  await own.markAttempt(attempt, 'extract', { stage: 'extract', unit: 'page', done: 3, total: 9 })
  await own.markAttempt(attempt, 'read', progress(400)) // kept from an earlier attempt: not made now
  await own.markAttempt(attempt, 'saved', progress(416))
  await own.markAttempt(attempt, 'saved', progress(432))
  const load = await own.indexingLoad(60)
  expect(load).toMatchObject({
    samples: [{ mediaType: 'text/plain', chunks: 20, bytes: 1_000 }],
    running: [{ mediaType: 'application/pdf', bytes: 9_000, progress: progress(432) }],
    queued: [{ mediaType: 'application/pdf', documents: 1, bytes: 500 }],
  })
  expect(load.made.chunks).toBeCloseTo(20 + 32, 3)
  expect(load.made.seconds).toBeGreaterThan(4)
  // half of the time lies before the window, which is long enough that a slow machine moves it by nothing
  await pool.query(
    `UPDATE attempt SET started_at = now() - interval '6200 seconds', ended_at = now() - interval '5800 seconds' WHERE id = $1`,
    [first],
  )
  expect((await own.indexingLoad(6_000)).made.chunks).toBeCloseTo(10 + 32, 0)
})

test('the pace is that of the time in which something was in work, not of pauses', async () => {
  const { corpusUrl } = await tempDatabase(inject('stores').databaseUrl, scope)
  const pool = open(corpusUrl)
  const own = createCorpus(pool, { url: inject('stores').chromaUrl }, quiet)
  expect(await own.indexingPace(300)).toBe(0)
  const file = { collection: 'default', contentHash: 'h', mediaType: 'text/plain', size: 1, modifiedAt: new Date() }
  const [document] = await own.addDocuments([{ path: 'a.txt', ...file }])
  const now = Date.now()
  const ago = (seconds: number | null) => (seconds === null ? null : new Date(now - seconds * 1_000))
  const attempt = (began: number, ended: number | null, outcome: string | null) =>
    pool.query(`INSERT INTO attempt (document, content_hash, started_at, ended_at, outcome) VALUES ($1, 'h', $2, $3, $4)`, [
      document!.id,
      ago(began),
      ago(ended),
      outcome,
    ])
  // two at once in four seconds, a pause, and one in two seconds
  await attempt(50, 48, 'done')
  await attempt(49, 46, 'failed')
  await attempt(49.5, 47, 'lost')
  await attempt(6, 4, 'done')
  await attempt(900, 890, 'done')
  expect(await own.indexingPace(300)).toBeCloseTo(3 / 6, 3)
  // one that nobody works at is no work; one that is being worked at is
  await attempt(30, null, null)
  expect(await own.indexingPace(300)).toBeCloseTo(3 / 6, 3)
  await own.setState(document!.id, 'indexing')
  const pace = await own.indexingPace(300)
  expect(pace).toBeGreaterThan(0)
  expect(pace).toBeLessThanOrEqual(3 / 34)
})
