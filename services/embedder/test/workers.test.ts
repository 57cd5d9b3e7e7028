import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readVocabulary } from '../src/vocabulary.ts'
import { openWorkers, type Workers } from '../src/workers.ts'

const model = new URL('../model/', import.meta.url)
const never = new AbortController().signal
const lost: string[] = []
const events = {
  embedded() {},
  paced() {},
  waiting() {},
  started() {},
  workerBack() {},
  workerLost: (kind: string) => void lost.push(kind),
}
const session = { model: new URL('model.onnx', model).href, vocabulary: readVocabulary(readFileSync(new URL('vocab.bin', model))) }

describe('the worker threads', () => {
  let workers: Workers
  beforeAll(async () => {
    workers = await openWorkers({
      session,
      events,
      maxWaiting: { query: 10, passage: 10 },
      script: new URL('./dying-worker.ts', import.meta.url),
    })
  })
  afterAll(() => workers[Symbol.asyncDispose]())

  it('give the text that killed one an error, the texts behind it their vectors', async () => {
    const first = workers.embed('passage', ['passage: die!'], never)
    const behind = workers.embed('passage', ['passage: one', 'passage: two', 'passage: three'], never)
    await expect(first).rejects.toMatchObject({ code: 'embedding_failed' })
    expect((await behind).map(({ vector }) => vector.length)).toEqual([384, 384, 384])
    expect(lost).toEqual(['passage'])
  })

  it('answer questions while the thread for passages is being replaced', async () => {
    const died = expect(workers.embed('passage', ['passage: die!'], never)).rejects.toMatchObject({ code: 'embedding_failed' })
    expect(await workers.embed('query', ['query: still there?'], never)).toHaveLength(1)
    await died
    expect(await workers.embed('passage', ['passage: back'], never)).toHaveLength(1)
  })

  it('keep no store of what onnxruntime would report to its vendor', () => {
    const open = readdirSync('/proc/self/fd').flatMap((fd) => {
      try {
        return [readlinkSync(`/proc/self/fd/${fd}`)]
      } catch {
        return [] // the descriptor of the listing itself
      }
    })
    expect(open.length).toBeGreaterThan(2)
    expect(open.filter((path) => /onnxruntime\.db|mat-debug/.test(path))).toEqual([])
  })

  it('come back again and again', async () => {
    for (let i = 0; i < 3; i++)
      await expect(workers.embed('query', ['query: die!'], never)).rejects.toMatchObject({ code: 'embedding_failed' })
    expect(await workers.embed('query', ['query: well?'], never)).toHaveLength(1)
  })
})

it('a model that is not there fails the start with its reason', async () => {
  const missing = { ...session, model: new URL('missing.onnx', model).href }
  await expect(openWorkers({ session: missing, events, maxWaiting: { query: 1, passage: 1 } })).rejects.toMatchObject({
    code: 'unavailable',
  })
})

it('closing fails what waits, and afterwards nothing is taken', async () => {
  const workers = await openWorkers({ session, events, maxWaiting: { query: 10, passage: 1_000 } })
  const waiting = workers.embed('passage', Array(100).fill('passage: text'), never)
  const failed = expect(waiting).rejects.toMatchObject({ code: 'unavailable' })
  await workers[Symbol.asyncDispose]()
  await failed
  await expect(workers.embed('passage', ['passage: late'], never)).rejects.toMatchObject({ code: 'unavailable' })
})
