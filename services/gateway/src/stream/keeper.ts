import { redisKeys } from '@docent/core/redis-keys'
import type { Log } from '@docent/kit/logger'
import type { Redis } from '@docent/kit/redis'
import type { Answers } from '../answer/answer.ts'
import { CutShort, degrade, type Job } from '../answer/job.ts'
import type { Messages } from '../store/messages.ts'
import type { Writes } from '../store/writes.ts'
import type { StreamLog } from './stream-log.ts'

// who begins an answer reads it at once, give or take a busy moment
const LEFT_MS = 1_000

type Deps = { answers: Answers; messages: Messages; writes: Pick<Writes, 'note'>; streams: StreamLog; log: Log }

/** Each second: text and heartbeat of all running answers to Postgres; ends those that were stopped or left by all readers. */
export function startKeeper(deps: Deps, options: { everyMs: number; abandonMs: number }): AsyncDisposable {
  let beating: Promise<void> | undefined
  let failing = false
  const missing = new Map<string, number>()

  async function beat(): Promise<void> {
    const jobs = [...deps.answers.jobs()]
    if (jobs.length === 0) return
    for (const job of jobs) {
      if (job.stream.fenced)
        void deps.answers.stop(job.answerId, new CutShort('interrupted', 'interrupted', 'Another process has ended it.'))
      if (job.stream.journalLost) degrade(job, 'resume')
      if (isAbandoned(job, options.abandonMs))
        void deps.answers.stop(job.answerId, new CutShort('stopped', 'abandoned', 'Nobody was reading any more.'))
    }
    try {
      const rows = jobs.map(({ answerId, stream }) => ({ id: answerId, text: visibleText(stream), lastEvent: stream.frames.length }))
      const alive = await deps.messages.snapshot(rows)
      failing = false
      for (const { answerId } of jobs) {
        const row = alive.get(answerId)
        if (row?.stop) void deps.answers.stop(answerId)
        // gone twice while we still write: deleted by its owner, or closed by a sweeper during an outage
        const gone = row || !deps.streams.find(answerId) ? 0 : (missing.get(answerId) ?? 0) + 1
        if (gone === 0) missing.delete(answerId)
        else missing.set(answerId, gone)
        if (gone === 2) void deps.answers.stop(answerId, new CutShort('interrupted', 'interrupted', 'The conversation was deleted.'))
      }
    } catch (error) {
      deps.writes.note(error)
      if (!failing) deps.log.warn({ err: error }, 'snapshots of running answers fail; the streams go on')
      failing = true
    }
  }

  const timer = setInterval(() => {
    beating ??= beat().finally(() => {
      beating = undefined
    })
  }, options.everyMs)
  return {
    async [Symbol.asyncDispose]() {
      clearInterval(timer)
      await beating
    },
  }
}

function isAbandoned({ onDisconnect, stream }: Job, abandonMs: number): boolean {
  if (onDisconnect === 'detach' || stream.readers > 0) return false
  return performance.now() - stream.lastReaderAt > (onDisconnect === 'stop' ? Math.min(LEFT_MS, abandonMs) : abandonMs)
}

/** What readers can have seen; text still waiting for its journal is left to the next snapshot. */
function visibleText(stream: Job['stream']): string {
  for (let i = stream.frames.length - 1; i >= 0; i--) {
    const end = stream.log[i]
    if (typeof end === 'number') return stream.text.slice(0, end)
  }
  return ''
}

/** Stop requests and signs of readers from other processes. */
export async function followOtherReplicas(
  redis: Redis,
  deps: { answers: Answers; streams: StreamLog; log: Log },
): Promise<AsyncDisposable> {
  const subscriber = redis.duplicate({ commandTimeout: undefined, maxRetriesPerRequest: null, autoResubscribe: true } as object)
  subscriber.on('error', () => undefined) // the connection it was made from reports the same trouble
  subscriber.on('message', (_channel: string, message: string) => {
    const [what, answerId = ''] = message.split(' ')
    if (what === 'stop') void deps.answers.stop(answerId)
    if (what === 'forget') deps.answers.forget(answerId)
    const stream = what === 'reader' ? deps.streams.find(answerId) : undefined
    if (stream) stream.lastReaderAt = performance.now()
  })
  void subscriber
    .subscribe(redisKeys.stop.channel)
    .catch((error: unknown) => deps.log.warn({ err: error }, 'not following stop requests of other processes'))
  return {
    async [Symbol.asyncDispose]() {
      subscriber.disconnect()
    },
  }
}
