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

test.each([1, 2, 3, 12])('a flood at %i processes passes as often as the limit says, neither more nor less', async (count) => {
  const processes = await Promise.all(Array.from({ length: count }, () => process()))
  const address = randomUUID()
  let passed = 0
  const ask = async (i: number) => {
    const { consumedPoints } = await processes[i % processes.length]!.limit.consume(address)
    if (consumedPoints <= LIMIT) passed++
  }
  // each knows a little of the minute when the flood comes
  for (let i = 0; i < processes.length; i++) await ask(i)
  await Promise.all(Array.from({ length: 100 * count }, (_, i) => ask(i)))
  expect(passed).toBe(LIMIT)
  for (let i = 0; i < 2 * processes.length; i++) await ask(i)
  expect(passed).toBe(LIMIT)
})

test('places are counted along with a question: most others wait for nobody, and who is refused asks nobody', async () => {
  const { redis, limit } = await process()
  const address = randomUUID()
  const send = redis.sendCommand.bind(redis)
  let sent = 0
  redis.sendCommand = ((command, stream) => {
    sent++
    return send(command, stream)
  }) as typeof redis.sendCommand
  const consume = async () => (await limit.consume(address, 200)).consumedPoints
  const seen: number[] = []
  for (let i = 0; i < 200; i++) seen.push(await consume())
  expect(seen).toEqual(Array.from({ length: 200 }, (_, i) => i + 1))
  expect(sent).toBeLessThan(60)
  const before = sent
  for (let i = 0; i < 20; i++) expect(await consume()).toBeGreaterThan(200)
  expect(sent).toBe(before)
  // what another process sees was counted before it was given
  expect((await createRateLimit(redis, 200).consume(address)).consumedPoints).toBeGreaterThan(200)
})

test('many processes that are asked little leave places to those that come late', async () => {
  const { redis } = await process()
  const address = randomUUID()
  for (let i = 0; i < 30; i++) {
    const { consume } = createRateLimit(redis, 1_000)
    for (let k = 0; k < 3; k++) expect((await consume(address)).consumedPoints).toBeLessThanOrEqual(1_000)
  }
})

test('a small limit is counted one by one', async () => {
  const [one, other] = [await process(), await process()]
  const address = randomUUID()
  const seen: number[] = []
  for (let i = 0; i < 6; i++) seen.push((await (i % 2 ? one : other).limit.consume(address, 5)).consumedPoints)
  expect(seen).toEqual([1, 2, 3, 4, 5, 6])
})
