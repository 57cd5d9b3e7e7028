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
    const scripted = redis as typeof redis & { docentAppend(...args: unknown[]): Promise<string[]> }
    const append = scripted.docentAppend.bind(redis)
    let replies: string[] = []
    scripted.docentAppend = async (...args) => {
      scripted.docentAppend = append
      await append(...args)
      redis.disconnect(true)
      await until('redis is back', () => redis.status === 'ready' || undefined)
      replies = await append(...args)
      return replies
    }
    stream.delta('two ')
    await stream.flushed()
    expect(replies).toEqual(['taken'])
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
