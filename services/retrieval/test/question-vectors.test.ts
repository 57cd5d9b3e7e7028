import { createLogger } from '@docent/kit/logger'
import { openRedis } from '@docent/kit/redis'
import { afterAll, expect, inject, test } from 'vitest'
import { until } from '../../lib/testkit/src/until.ts'
import { createQuestionVectors } from '../src/search/question-vectors.ts'

const scope = new AsyncDisposableStack()
const quiet = createLogger('test', 'silent')
const redis = scope.adopt(openRedis(inject('stores').cacheUrl, quiet), (open) => open.disconnect())
afterAll(() => scope.disposeAsync())

const space = { model: `test-${Math.random()}`, dimension: 3 }
const vector = Float32Array.of(0.25, -0.5, 1)

/** One process's cache; `from` notes where each vector came from. */
function open(given: typeof space = space, cache: typeof redis | undefined = redis) {
  const from: string[] = []
  return { from, vectors: createQuestionVectors(given, cache, { questionVector: (source) => from.push(source) }) }
}
const never = () => Promise.reject(new Error('embedded again'))

test('a question is embedded once: then memory has its vector, and for other replicas Redis', async () => {
  await redis.ping()
  const first = open()
  expect(await first.vectors.of('保修期？', async () => vector)).toEqual(vector)
  expect(await first.vectors.of('保修期？', never)).toEqual(vector)
  expect(first.from).toEqual(['embedder', 'memory'])
  const other = open()
  await until('Redis has it', async () => (await other.vectors.of('保修期？', never).catch(() => undefined)) ?? undefined)
  expect(other.from.at(-1)).toBe('cache')
})

test('another model, another dimension and another text have vectors of their own; a value of another size is none', async () => {
  for (const [given, text] of [
    [{ ...space, model: 'another' }, '保修期？'],
    [{ ...space, dimension: 4 }, '保修期？'],
    [space, '保修'],
  ] as const)
    await expect(open(given).vectors.of(text, never)).rejects.toThrow('embedded again')
})

test('a Redis that is away costs an embedding and is counted', async () => {
  const away = scope.adopt(openRedis('redis://127.0.0.1:1', quiet, { commandTimeout: 100, enableOfflineQueue: false }), (open) =>
    open.disconnect(),
  )
  const { vectors, from } = open(space, away)
  expect(await vectors.of('offline?', async () => vector)).toEqual(vector)
  expect(from).toEqual(['cache_down', 'embedder'])
})
