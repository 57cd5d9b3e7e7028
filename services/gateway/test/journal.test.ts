import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { redisKeys } from '@docent/core/redis-keys'
import { createLogger } from '@docent/kit/logger'
import { openRedis } from '@docent/kit/redis'
import { afterAll, expect, inject, test } from 'vitest'
import { createJournals } from '../src/stream/journal.ts'

const scope = new AsyncDisposableStack()
afterAll(() => scope.disposeAsync())

test('what fifty streams append at once is kept whole, and they are told of it a few in each turn of the event loop', async () => {
  const redis = scope.adopt(openRedis(inject('stores').queueUrl, createLogger('test', 'silent')), (open) => open.disconnect())
  await once(redis, 'ready')
  const journals = scope.use(createJournals(redis))
  const ids = Array.from({ length: 50 }, () => randomUUID())
  const told: number[] = []
  let isOver = false
  const turns = () => {
    told.push(0)
    if (!isOver) setImmediate(turns)
  }
  turns()
  const kept = await Promise.all(
    ids.map(async (id, i) => {
      const said = await journals.open(id)([{ id: 1, type: 'delta', data: `{"text":"${i}"}` }], [])
      told[told.length - 1]!++
      return said
    }),
  )
  isOver = true
  expect(kept).toEqual(ids.map(() => 'kept'))
  expect(told.reduce((sum, count) => sum + count, 0)).toBe(50)
  expect(Math.max(...told)).toBeLessThan(50)
  for (const [i, id] of ids.entries()) {
    expect(await redis.xrange(redisKeys.stream.key(id), '-', '+')).toEqual([['1-0', ['t', 'delta', 'd', `{"text":"${i}"}`]]])
  }
})
