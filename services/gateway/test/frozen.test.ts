import { randomUUID } from 'node:crypto'
import { createLogger } from '@docent/kit/logger'
import { openRedis } from '@docent/kit/redis'
import { afterAll, expect, inject, test } from 'vitest'
import { openMockUpstream } from '../../lib/testkit/src/mock-upstream.ts'
import { until } from '../../lib/testkit/src/until.ts'
import { createStreamLog } from '../src/stream/stream-log.ts'
import { startChild } from './child.ts'
import { finals, follow } from './follow.ts'
import { openPlace, post, startAt, textOf } from './harness.ts'

const scope = new AsyncDisposableStack()
afterAll(() => scope.disposeAsync())

test('a gateway that is frozen, taken for dead and thawed shows its readers nothing that is not stored', { timeout: 90_000 }, async () => {
  const place = await openPlace(scope)
  const model = scope.use(await openMockUpstream({ mode: 'slow', pieceMs: 15, pieces: Array.from({ length: 400 }, (_, i) => `词${i} `) }))
  const env = { LLM_BASE_URL: model.url, LLM_MODEL: 'mock', STREAM_FLUSH_MS: '20' }
  const victim = await startChild(place, scope, env)
  const other = await startAt(place, scope, env, { orphanMs: 2_500, sweepMs: 200, settleMs: 300 })
  const asked = await post(`${victim.url}/api/v1/answers`, { question: '冻住的问题', async: true })
  const { answerId, eventsUrl } = (await asked.json()) as { answerId: string; eventsUrl: string }
  const { events, closed } = follow(`${victim.url}${eventsUrl}`)
  await until('text is shown', () => events.filter(({ type }) => type === 'delta').length > 3 || undefined)

  victim.process.kill('SIGSTOP')
  const storedNow = async () => (await (await fetch(`${other.url}/api/v1/answers/${answerId}`)).json()) as { state: string; text: string }
  await until('the other gateway closes it', async () => (await storedNow()).state === 'interrupted' || undefined, 30_000)
  victim.process.kill('SIGCONT')
  await closed

  const stored = await storedNow()
  expect(stored.state).toBe('interrupted')
  expect(textOf(events)).toBe(stored.text)
  expect(events.filter(({ type }) => finals.includes(type)).map(({ type }) => type)).toEqual(['interrupted'])
  expect(events.map(({ id }) => id)).toEqual(events.map((_, i) => i + 1))
  // its own memory must not tell another story either
  const atVictim = (await (await fetch(`${victim.url}/api/v1/answers/${answerId}`)).json()) as { state: string; text: string }
  expect(atVictim).toMatchObject({ state: 'interrupted', text: stored.text })
  expect(model.requests).toHaveLength(1)
  await until('the model is let go', () => model.open() === 0 || undefined)
})

test('what an ended journal gets afterwards, in a batch of its thawed owner, is read by nobody', async () => {
  const log = createLogger('gateway', 'silent')
  const open = () =>
    scope.use(
      createStreamLog(
        scope.adopt(openRedis(inject('stores').queueUrl, log, { commandTimeout: 1_000 }), (redis) => redis.disconnect()),
        { flushMs: 10, findAnswer: async () => undefined },
      ),
    )
  const [owner, sweeping] = [open(), open()]
  const answerId = randomUUID()
  await until('both are connected', async () => (await sweeping.journalled(answerId, 0)).length === 0 || undefined)
  const stream = owner.open(answerId)
  await until('the journal is written', async () => {
    stream.delta('一')
    await stream.flushed()
    return (await sweeping.journalled(answerId, 0)).length === stream.frames.length || undefined
  })
  const end = { id: stream.frames.length + 1, type: 'interrupted' as const, data: '{"state":"interrupted"}' }
  expect(await sweeping.appendEnd(answerId, end)).toBe(true)
  const seen = [...stream.frames, end]
  stream.delta('二')
  stream.push({ type: 'usage', data: { inputTokens: 1, outputTokens: 1 } })
  await stream.flushed()
  expect(stream.fenced).toBe(true)
  expect((await Array.fromAsync(sweeping.read(answerId, 0, AbortSignal.timeout(5_000)))).flat()).toEqual(seen)
  expect((await Array.fromAsync(owner.read(answerId, 0, AbortSignal.timeout(5_000)))).flat()).toEqual(seen)
})
