import { expect, test } from 'vitest'
import { until } from '../../lib/testkit/src/until.ts'
import { isFull, PATIENCE, record, secondsSince } from './fault-record.ts'
import { startOwnChroma, startOwnRedis } from './own-stores.ts'
import { longText, openWorld, type World } from './worker-world.ts'

const book = (name: string) => longText(name, 110)
const attempts = async (world: World) =>
  (await world.pool.query<{ outcome: string | null; code: string | null }>('SELECT outcome, code FROM attempt ORDER BY id')).rows

test.concurrent.for(isFull ? ['K4', 'K5', 'K6', 'K7'] : ['K5', 'K6'])(
  'asked to stop at %s, it finishes or hands back within 10 s and ends with 0; the next start has nothing to repair',
  PATIENCE,
  async (point, context) => {
    await using scope = new AsyncDisposableStack()
    const world = await openWorld(scope)
    world.put('book.txt', book('once'))
    const worker = await world.worker({ FAULT_POINT: `${point}:TERM` })
    await until('it is at the point', async () => (await attempts(world)).length > 0 || undefined)
    const started = performance.now()
    expect(await worker.ended(10_000)).toEqual({ code: 0, signal: null })
    const seconds = secondsSince(started)
    const next = await world.worker()
    await next.up()
    await world.allReady()
    await world.clean()
    expect(new Set(world.embedder.embedded).size).toBe(world.embedder.embedded.length)
    record(context, { row: 3, fault: 'worker SIGTERM', moment: point, seconds, note: 'until exit 0' })
  },
)

test.concurrent.for(isFull ? ['K5', 'K6', 'K7'] : ['K5', 'K6'])(
  'frozen at %s, its job is taken over, and what it writes when it wakes up is refused',
  PATIENCE,
  async (point, context) => {
    await using scope = new AsyncDisposableStack()
    const world = await openWorld(scope)
    world.put('book.txt', book('sleep'))
    const sleeper = await world.worker({ FAULT_POINT: `${point}:STOP` })
    await sleeper.frozen()
    const started = performance.now()
    const other = await world.worker()
    await other.up()
    await world.allReady(30_000)
    const seconds = secondsSince(started)
    sleeper.send('SIGCONT')
    // until it speaks, its attempt counts as lost
    await until('the sleeper has told its end', async () => (await attempts(world))[0]!.outcome === 'skipped' || undefined)
    const ended = await attempts(world)
    expect(ended[0]).toEqual({ outcome: 'skipped', code: 'conflict' })
    expect(ended.filter(({ outcome }) => outcome === 'done')).toHaveLength(1)
    expect(await world.states()).toEqual({ 'book.txt': 'ready' })
    expect((await world.clean()).chunks).toBe(110)
    record(context, { row: 4, fault: 'worker SIGSTOP, then SIGCONT', moment: point, seconds, note: 'late write refused' })
  },
)

test.concurrent('two workers on one folder share the work: no document is there twice, in no store', PATIENCE, async (context) => {
  await using scope = new AsyncDisposableStack()
  const world = await openWorld(scope)
  const both = await Promise.all([world.worker(), world.worker()])
  await Promise.all(both.map((worker) => worker.up()))
  const started = performance.now()
  const files = isFull ? 1_000 : 40
  for (let i = 0; i < files; i++) world.put(`file-${i}.txt`, longText(`f${i}`, 3))
  await world.allReady(isFull ? 600_000 : 30_000)
  const { documents, chunks } = await world.clean(60_000)
  expect({ documents, chunks }).toEqual({ documents: files, chunks: 3 * files })
  // a worker that is starved for longer than its lock loses a job to the other: that costs work, never a duplicate
  const again = world.embedder.embedded.length - new Set(world.embedder.embedded).size
  expect(again).toBeLessThan(files / 10)
  const note = `${files} files, ${again} texts embedded twice`
  record(context, { row: 7, fault: 'two workers, same files', moment: 'K3', seconds: secondsSince(started), note })
})

test.concurrent.for(isFull ? [1, 7, 15, 60] : [7])(
  'the queue killed in mid-job and away for %i s: ingest works again within 10 s of its return, without a restart',
  PATIENCE,
  async (downS, context) => {
    await using scope = new AsyncDisposableStack()
    const redis = await startOwnRedis(scope)
    const world = await openWorld(scope, { queueUrl: redis.url })
    world.put('book.txt', book('outage'))
    const worker = await world.worker({ FAULT_POINT: 'K5:STOP' })
    await worker.frozen()
    await redis.kill()
    worker.send('SIGCONT')
    const down = performance.now()
    world.put('during.txt', 'Dropped while the queue is away.')
    await until('the new file is in the ledger', async () => (await world.states())['during.txt'] ?? undefined)
    await until('the outage is over', () => secondsSince(down) >= downS || undefined, downS * 1000 + 5_000)
    await redis.start()
    const back = performance.now()
    world.put('after.txt', 'Dropped when it is back.')
    await world.allReady(10_000)
    const seconds = secondsSince(back)
    await world.clean()
    record(context, { row: 13, fault: `queue SIGKILL, down ${downS} s`, moment: 'K5', seconds })
  },
)

test.concurrent.for(isFull ? ['K3', 'K4', 'K5', 'K6'] : ['K3', 'K5'])(
  'the queue emptied at %s: no document is lost, the jobs are back by themselves',
  PATIENCE,
  async (point, context) => {
    await using scope = new AsyncDisposableStack()
    const redis = await startOwnRedis(scope)
    const world = await openWorld(scope, { queueUrl: redis.url })
    for (let i = 0; i < 10; i++) world.put(`file-${i}.txt`, longText(`f${i}`, 2))
    world.put('book.txt', book('flush'))
    const worker = await world.worker({ FAULT_POINT: `${point}:STOP` })
    await worker.frozen()
    await redis.flushAll()
    const started = performance.now()
    worker.send('SIGCONT')
    await world.allReady(60_000)
    const seconds = secondsSince(started)
    await world.clean()
    record(context, { row: 16, fault: 'FLUSHALL of the queue', moment: point, seconds, note: 'until all are ready' })
  },
)

test.concurrent('a file that ends its worker is failed(worker_crash) at the fourth look; others go on', PATIENCE, async (context) => {
  await using scope = new AsyncDisposableStack()
  const redis = await startOwnRedis(scope)
  const world = await openWorld(scope, { queueUrl: redis.url })
  world.put('poison.txt', book('poison'))
  world.put('book.txt', book('beside'))
  const started = performance.now()
  for (let death = 0; death < 3; death++) {
    const worker = await world.worker({ FAULT_POINT: 'K4:KILL:poison.txt' })
    expect((await worker.ended(60_000)).signal).toBe('SIGKILL')
    await redis.flushAll() // an emptied queue spares the wait for the lock of the dead
    world.put(`leaf-${death}.txt`, `Leaf ${death} beside the poison.`)
  }
  const worker = await world.worker({ FAULT_POINT: 'K4:KILL:poison.txt' })
  await worker.up()
  const known = async (path: string) => (await world.corpus.listKnown()).find((document) => document.path === path)
  const poison = await until('the poison is given up', async () => {
    const document = await known('poison.txt')
    return document?.state === 'failed' ? document : undefined
  })
  const seconds = secondsSince(started)
  expect(poison.errorCode).toBe('worker_crash')
  expect(poison.errorText).toMatch(/ended its worker 3 times/)
  const told = (await world.corpus.listAttempts(poison.id, 10)).map(({ outcome, code }) => code ?? outcome)
  expect(told).toEqual(['worker_crash', 'lost', 'lost', 'lost'])
  for (const path of ['book.txt', 'leaf-0.txt', 'leaf-2.txt'])
    await until(`${path} is ready`, async () => (await known(path))?.state === 'ready' || undefined)
  await world.clean()
  await until('no attempt is open', async () => (await attempts(world)).every(({ outcome }) => outcome !== null) || undefined)
  record(context, { row: 6, fault: 'a file that ends ingest itself', moment: 'K4', seconds, note: 'failed(worker_crash) after 3 deaths' })
})

test.concurrent(
  'Chroma killed at half the vectors and during queries: every chunk finds itself again, without an embedding',
  PATIENCE,
  async (context) => {
    await using scope = new AsyncDisposableStack()
    const chroma = await startOwnChroma(scope)
    const world = await openWorld(scope, { chromaUrl: chroma.url })
    world.put('book.txt', book('dense'))
    const worker = await world.worker({ FAULT_POINT: 'K6:STOP' })
    await worker.frozen()
    const embedded = world.embedder.embedded.length
    for (let round = 0; round < (isFull ? 30 : 1); round++) {
      await chroma.kill()
      if (round === 0) worker.send('SIGCONT')
      await chroma.back()
    }
    await world.allReady(30_000)
    const started = performance.now()
    expect((await world.clean(60_000)).vectors).toBe(110)
    const seconds = secondsSince(started)

    const generation = await world.corpus.activeGeneration('fake-hash', 64)
    const question = await world.embedder.query('number word1dense', AbortSignal.timeout(1_000))
    const search = () => world.corpus.searchDense(question, 3, generation, AbortSignal.timeout(3_000))
    const asked = Array.from({ length: 20 }, () =>
      search().then(
        (hits) => hits.length,
        () => 'refused' as const,
      ),
    )
    await chroma.kill()
    asked.push(
      search().then(
        (hits) => hits.length,
        () => 'refused' as const,
      ),
    )
    const answers = await Promise.all(asked) // none hangs, none is half an answer
    expect(new Set(answers).isSubsetOf(new Set([3, 'refused']))).toBe(true)
    expect(answers.at(-1)).toBe('refused')
    await chroma.back()
    await world.clean(60_000)
    expect(world.embedder.embedded).toHaveLength(embedded)
    record(context, { row: 26, fault: 'Chroma SIGKILL', moment: 'K6, query', seconds, note: 'until each chunk finds itself' })
  },
)

test.concurrent('a queue that evicts keys is refused at start, in one clear line', PATIENCE, async (context) => {
  await using scope = new AsyncDisposableStack()
  const redis = await startOwnRedis(scope, 'allkeys-lru')
  const world = await openWorld(scope, { queueUrl: redis.url })
  const started = performance.now()
  const worker = await world.worker()
  expect(await worker.ended()).toEqual({ code: 1, signal: null })
  expect(worker.output()).toMatch(/QUEUE_URL: .*allkeys-lru.*noeviction/)
  record(context, { row: 18, fault: 'queue set to allkeys-lru', moment: 'start', seconds: secondsSince(started), note: 'refused' })
})
