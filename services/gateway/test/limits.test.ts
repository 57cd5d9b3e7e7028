import { randomUUID } from 'node:crypto'
import { createLogger } from '@docent/kit/logger'
import { openRedis, type Redis } from '@docent/kit/redis'
import { afterAll, expect, inject, test } from 'vitest'
import { until } from '../../lib/testkit/src/until.ts'
import { createRateLimit } from '../src/guard/limits.ts'

const LIMIT = 40
const opened: Redis[] = []
afterAll(() => {
  for (const redis of opened) redis.disconnect()
})

async function process() {
  const redis = openRedis(inject('stores').cacheUrl, createLogger('test', 'silent'))
  opened.push(redis)
  await until('redis is ready', () => redis.status === 'ready' || undefined)
  return { redis, limit: createRateLimit(redis, LIMIT) }
}

test('one process keeps to the limit exactly, a second one adds at most the tenth that it let pass unchecked', async () => {
  for (const processes of [[await process()], [await process(), await process()]]) {
    const address = randomUUID()
    let passed = 0
    const ask = async (i: number) => {
      const { consumedPoints } = await processes[i % processes.length]!.limit.consume(address)
      if (consumedPoints <= LIMIT) passed++
    }
    // each knows a little of the minute when the flood comes
    for (let i = 0; i < processes.length; i++) await ask(i)
    await Promise.all(Array.from({ length: 100 }, (_, i) => ask(i)))
    expect(passed).toBeGreaterThanOrEqual(LIMIT)
    expect(passed).toBeLessThanOrEqual(LIMIT + (processes.length - 1) * (LIMIT / 10))
    const sofar = passed
    for (let i = 0; i < 4; i++) await ask(i)
    expect(passed).toBe(sofar)
  }
})

test('far from the limit nobody waits for the count, yet each is counted', async () => {
  const { redis, limit } = await process()
  const address = randomUUID()
  expect(await limit.consume(address)).toMatchObject({ consumedPoints: 1 })
  const send = redis.sendCommand.bind(redis)
  const waiting: (() => void)[] = []
  redis.sendCommand = ((command, stream) => {
    waiting.push(() => void send(command, stream))
    return command.promise
  }) as typeof redis.sendCommand
  expect(await limit.consume(address)).toMatchObject({ consumedPoints: 2 })
  expect(await limit.consume(address)).toMatchObject({ consumedPoints: 3 })
  await until('both are on their way', () => waiting.length === 2 || undefined)
  redis.sendCommand = send
  for (const go of waiting) go()
  const other = createRateLimit(redis, LIMIT)
  expect(await other.consume(address)).toMatchObject({ consumedPoints: 4 })
})
