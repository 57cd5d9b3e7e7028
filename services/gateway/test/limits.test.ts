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

test.each([1, 2, 3])('a flood at %i processes passes as often as the limit says, neither more nor less', async (count) => {
  const processes = await Promise.all(Array.from({ length: count }, () => process()))
  const address = randomUUID()
  let passed = 0
  const ask = async (i: number) => {
    const { consumedPoints } = await processes[i % processes.length]!.limit.consume(address)
    if (consumedPoints <= LIMIT) passed++
  }
  // each knows a little of the minute when the flood comes
  for (let i = 0; i < processes.length; i++) await ask(i)
  await Promise.all(Array.from({ length: 150 }, (_, i) => ask(i)))
  expect(passed).toBe(LIMIT)
  for (let i = 0; i < 2 * processes.length; i++) await ask(i)
  expect(passed).toBe(LIMIT)
})

test('a tenth of the limit is counted along with a question: the next ones wait for nobody, and who is refused asks nobody', async () => {
  const { redis, limit } = await process()
  const address = randomUUID()
  const send = redis.sendCommand.bind(redis)
  let sent = 0
  redis.sendCommand = ((command, stream) => {
    sent++
    return send(command, stream)
  }) as typeof redis.sendCommand
  const seen: number[] = []
  for (let i = 0; i < LIMIT + 20; i++) seen.push((await limit.consume(address)).consumedPoints)
  expect(seen.slice(0, LIMIT)).toEqual(Array.from({ length: LIMIT }, (_, i) => i + 1))
  expect(seen.slice(LIMIT).every((points) => points > LIMIT)).toBe(true)
  expect(sent).toBe(LIMIT / (1 + LIMIT / 10))
  // what another process sees was counted before it was given
  expect((await createRateLimit(redis, LIMIT).consume(address)).consumedPoints).toBeGreaterThan(LIMIT)
})

test('a small limit is counted one by one', async () => {
  const [one, other] = [await process(), await process()]
  const address = randomUUID()
  const seen: number[] = []
  for (let i = 0; i < 6; i++) seen.push((await (i % 2 ? one : other).limit.consume(address, 5)).consumedPoints)
  expect(seen).toEqual([1, 2, 3, 4, 5, 6])
})
