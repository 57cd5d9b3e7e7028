import { randomUUID } from 'node:crypto'
import { createLogger } from '@docent/kit/logger'
import { openRedis } from '@docent/kit/redis'
import { expect, inject, test } from 'vitest'
import { until } from '../../lib/testkit/src/until.ts'
import { createStreamLog } from '../src/stream/stream-log.ts'

test('an append that is sent again after a reconnect finds its own id and is no fence', async () => {
  const redis = openRedis(inject('stores').queueUrl, createLogger('test', 'silent'))
  try {
    await until('redis is ready', () => redis.status === 'ready' || undefined)
    const streams = createStreamLog(redis, { flushMs: 5, findAnswer: async () => undefined })
    const answerId = randomUUID()
    const stream = streams.open(answerId)
    stream.delta('one ')
    await stream.flushed()

    // the client sends unanswered commands again when it is back: the first sending has arrived, its reply has not
    const xadd = redis.xadd.bind(redis)
    redis.xadd = (async (...args: Parameters<typeof xadd>) => {
      redis.xadd = xadd
      await xadd(...args)
      redis.disconnect(true)
      await until('redis is back', () => redis.status === 'ready' || undefined)
      return xadd(...args)
    }) as unknown as typeof redis.xadd
    stream.delta('two ')
    await stream.flushed()
    expect(stream.fenced).toBe(false)

    stream.delta('three')
    await stream.flushed()
    const journalled = await streams.journalled(answerId, 0)
    expect(journalled.map(({ data }) => (JSON.parse(data) as { text: string }).text).join('')).toBe('one two three')
    streams[Symbol.dispose]()
  } finally {
    redis.disconnect()
  }
})
