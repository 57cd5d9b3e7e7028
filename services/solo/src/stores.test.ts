import { lstatSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ChromaClient } from 'chromadb'
import { Redis } from 'ioredis'
import { Client } from 'pg'
import { afterAll, expect, test } from 'vitest'
import { isRunning, type ProcessMark } from './stores/processes.ts'
import { openStores, type Stores } from './stores.ts'

// 0700, as mkdtemp makes it: run as root, this is the case in which the cluster lies elsewhere.
const dataDir = mkdtempSync(join(tmpdir(), 'docent-stores-'))
const lines: string[] = []

afterAll(() => {
  const postgres = join(dataDir, 'postgres')
  if (lstatSync(postgres, { throwIfNoEntry: false })) rmSync(realpathSync(postgres), { recursive: true, force: true })
  rmSync(dataDir, { recursive: true, force: true })
})

test('stores answer, end with their scope, and find their data again', async () => {
  let children: ProcessMark[]
  {
    await using scope = new AsyncDisposableStack()
    const stores = await open(scope)
    children = runningChildren()
    expect(children).toHaveLength(4)
    expect(children.every(isRunning)).toBe(true)
    await expect(open(scope)).rejects.toThrow(`already runs on ${dataDir} as process ${process.pid}`)
    await fill(stores)
  }
  expect(children.filter(isRunning)).toEqual([])
  expect(readdirSync(join(dataDir, 'run')).filter((file) => !file.endsWith('.conf'))).toEqual([])

  await using scope = new AsyncDisposableStack()
  expect(await read(await open(scope))).toEqual({ row: 'kept', job: 'kept', cached: null, vectors: 1 })
})

test('an index that Chroma cannot read keeps nothing from starting: it is put aside for an empty one', async () => {
  {
    await using scope = new AsyncDisposableStack()
    await fillChroma(await open(scope))
  }
  writeFileSync(join(dataDir, 'chroma', 'chroma.sqlite3'), 'no database at all'.repeat(500))

  await using scope = new AsyncDisposableStack()
  const stores = await open(scope)
  await using clients = await connect(stores)
  expect(await clients.chroma.listCollections()).toEqual([])
  expect(await clients.queue.ping()).toBe('PONG')
  expect(readdirSync(join(dataDir, 'chroma-unreadable'))).toContain('chroma.sqlite3')
  expect(lines.filter((line) => line.includes('chroma-unreadable'))).toHaveLength(1)
})

test('stores given by URL are not started', async () => {
  await using scope = new AsyncDisposableStack()
  const given = { databaseUrl: 'postgresql://db/x', queueUrl: 'redis://q', cacheUrl: 'redis://c', chromaUrl: 'http://v' }
  expect(await openStores({ dataDir, scope, given, log: (line) => lines.push(line) })).toEqual(given)
  expect(runningChildren()).toEqual([])
})

function open(scope: AsyncDisposableStack): Promise<Stores> {
  return openStores({ dataDir, scope, given: {}, log: (line) => lines.push(line) })
}

function runningChildren(): ProcessMark[] {
  const run = join(dataDir, 'run')
  return readdirSync(run)
    .filter((file) => file.endsWith('.json'))
    .map((file) => JSON.parse(readFileSync(join(run, file), 'utf8')))
}

async function fill(stores: Stores): Promise<void> {
  await using clients = await connect(stores)
  await clients.database.query(`create table kept as select 'kept' as value`)
  await clients.queue.set('key', 'kept')
  await clients.cache.set('key', 'forgotten')
  await addVector(clients.chroma)
}

async function fillChroma(stores: Stores): Promise<void> {
  await using clients = await connect(stores)
  await addVector(clients.chroma)
}

async function addVector(chroma: ChromaClient): Promise<void> {
  const collection = await chroma.getOrCreateCollection({ name: 'kept', embeddingFunction: null })
  await collection.upsert({ ids: ['a'], embeddings: [[1, 2, 3]] })
}

async function read(stores: Stores) {
  await using clients = await connect(stores)
  const { rows } = await clients.database.query('select value from kept')
  const collection = await clients.chroma.getCollection({ name: 'kept' })
  return {
    row: rows[0].value,
    job: await clients.queue.get('key'),
    cached: await clients.cache.get('key'),
    vectors: await collection.count(),
  }
}

async function connect(stores: Stores) {
  const scope = new AsyncDisposableStack()
  const database = scope.adopt(new Client(stores.databaseUrl), (client) => client.end())
  await database.connect()
  const queue = scope.adopt(new Redis(stores.queueUrl), (client) => client.disconnect())
  const cache = scope.adopt(new Redis(stores.cacheUrl), (client) => client.disconnect())
  const { hostname, port } = new URL(stores.chromaUrl)
  const chroma = new ChromaClient({ host: hostname, port: Number(port) })
  return { database, queue, cache, chroma, [Symbol.asyncDispose]: () => scope.disposeAsync() }
}
