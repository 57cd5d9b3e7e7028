import { randomUUID } from 'node:crypto'
import { createLogger } from '@docent/kit/logger'
import { openRedis } from '@docent/kit/redis'
import { afterAll, expect, inject, test } from 'vitest'
import { until } from '../../lib/testkit/src/until.ts'
import { createStreamLog } from '../src/stream/stream-log.ts'

const scope = new AsyncDisposableStack()
afterAll(() => scope.disposeAsync())

type Append = (...args: unknown[]) => Promise<string[]>

/** A stream with one event in its journal; `next` stands in for the next append. */
async function begun(next: (append: Append, redis: ReturnType<typeof openRedis>) => Promise<string[]>) {
  const log = createLogger('test', 'silent')
  const redis = scope.adopt(openRedis(inject('stores').queueUrl, log, { commandTimeout: 1_000 }), (open) => open.disconnect())
  await until('redis is ready', () => redis.status === 'ready' || undefined)
  const streams = scope.use(createStreamLog(redis, { flushMs: 5, findAnswer: async () => undefined }))
  const answerId = randomUUID()
  const stream = streams.open(answerId)
  stream.delta('one ')
  await stream.flushed()
  const scripted = redis as typeof redis & { docentAppend: Append }
  const append = scripted.docentAppend.bind(redis)
  scripted.docentAppend = (...args) => {
    scripted.docentAppend = append
    return next(() => append(...args), redis)
  }
  const journalled = async () => {
    const frames = await streams.journalled(answerId, 0)
    return frames.map(({ data }) => (JSON.parse(data) as { text?: string }).text).join('')
  }
  return { streams, stream, answerId, journalled }
}

test('an append that is sent again after a reconnect finds its own id and is no fence', async () => {
  // the client sends unanswered commands again when it is back: the first sending has arrived, its reply has not
  let replies: string[] = []
  const { stream, journalled } = await begun(async (append, redis) => {
    await append()
    redis.disconnect(true)
    await until('redis is back', () => redis.status === 'ready' || undefined)
    replies = await append()
    return replies
  })
  stream.delta('two ')
  await stream.flushed()
  expect(replies).toEqual(['taken'])
  expect(stream.fenced).toBe(false)

  stream.delta('three')
  await stream.flushed()
  expect(await journalled()).toBe('one two three')
})

/** A process that was frozen finds the limit of a command passed before it has read the reply. */
async function timedOut(): Promise<never> {
  throw new Error('Command timed out')
}

test('an append whose time is up is looked for: what had arrived is kept, with all that follows', async () => {
  const { stream, journalled } = await begun(async (append) => {
    await append()
    return timedOut()
  })
  stream.delta('two ')
  await stream.flushed()
  stream.delta('three')
  await stream.flushed()
  expect([stream.fenced, stream.journalLost]).toEqual([false, false])
  expect(await journalled()).toBe('one two three')
})

test('an append whose time is up shows nothing when another process has ended the journal', async () => {
  const { streams, stream, answerId } = await begun(timedOut)
  expect(await streams.appendEnd(answerId, { id: 2, type: 'interrupted', data: '{"state":"interrupted"}' })).toBe(true)
  stream.delta('two ')
  await stream.flushed()
  expect([stream.fenced, stream.frames.length]).toEqual([true, 1])
})
