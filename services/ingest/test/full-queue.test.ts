import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createLogger } from '@docent/kit/logger'
import { openRedis } from '@docent/kit/redis'
import { afterAll, expect, test } from 'vitest'
import { until } from '../../lib/testkit/src/until.ts'
import { fillOfInfo } from '../src/queue.ts'
import { startOwnRedis } from './own-stores.ts'
import { startTestIngest } from './start-test-ingest.ts'

const scope = new AsyncDisposableStack()
afterAll(() => scope.disposeAsync())

test('the fill of a Redis is the share of its limit; without a limit it is never full', () => {
  expect(fillOfInfo('used_memory:50\r\nused_memory_human:50B\r\nmaxmemory:200\r\nmaxmemory_human:200B\r\n')).toBe(0.25)
  expect(fillOfInfo('used_memory:50\r\nmaxmemory:0\r\n')).toBe(0)
})

test('when the queue has no memory left documents wait in the ledger, and all are indexed when it has room', async () => {
  const redis = await startOwnRedis(scope)
  const commands = scope.adopt(openRedis(redis.url, createLogger('test', 'silent')), (open) => open.disconnect())
  const ingest = await startTestIngest(scope, { env: { QUEUE_URL: redis.url } })
  const put = (path: string) => writeFileSync(join(ingest.folder, path), `The text of ${path}.`)
  const reasons = async () =>
    ((await (await ingest.ask('/ingest')).json()) as { state: string; reasons: { reason: string }[] }).reasons.map(({ reason }) => reason)
  put('before.txt')
  await ingest.reaches('before.txt', 'ready')

  await commands.config('SET', 'maxmemory', '1mb')
  for (let i = 0; i < 5; i++) put(`during-${i}.txt`)
  await until('it is said', async () => ((await reasons()).includes('queue_full') ? true : undefined))
  await ingest.reaches('during-4.txt', 'queued')
  expect((await ingest.documents()).counts.failed).toBe(0)

  await commands.config('SET', 'maxmemory', '0')
  for (let i = 0; i < 5; i++) await ingest.reaches(`during-${i}.txt`, 'ready')
  expect(await reasons()).toEqual([])
  expect(ingest.embedder.embedded).toHaveLength(6)
})
