import { isFinalType } from '@docent/core/answer-event'
import { redisKeys } from '@docent/core/redis-keys'
import type { Redis } from '@docent/kit/redis'
import type { Appended, Frame, Journal } from './live-stream.ts'

const PROBE_MS = 500
const EXPIRE_EVERY_MS = 60_000
const APPEND = 'docentAppend'
const TOLD_AT_ONCE = 16

// The events of many streams in one command: per key how many, `new` where the journal begins, and its time to live where that is due.
// A journal that is gone, or whose next id is taken, gets none of what follows.
const lua = `
local replies, at = {}, 1
for i, key in ipairs(KEYS) do
  local count, how, ttl = tonumber(ARGV[at]), ARGV[at + 1], tonumber(ARGV[at + 2])
  local said = 'kept'
  at = at + 3
  for _ = 1, count do
    if said == 'kept' then
      local reply
      if how == 'new' then reply = redis.pcall('XADD', key, ARGV[at], 't', ARGV[at + 1], 'd', ARGV[at + 2])
      else reply = redis.pcall('XADD', key, 'NOMKSTREAM', ARGV[at], 't', ARGV[at + 1], 'd', ARGV[at + 2]) end
      if not reply then said = 'gone'
      elseif type(reply) == 'table' and reply.err then
        said = string.find(reply.err, 'equal or smaller', 1, true) and 'taken' or reply.err
      end
    end
    at = at + 3
  end
  if ttl > 0 then redis.call('EXPIRE', key, ttl) end
  replies[i] = said
end
return replies`

type Scripted = Redis & { [APPEND](keys: number, names: string[], args: (string | number)[]): Promise<string[]> }
type Waiting = { name: string; args: (string | number)[]; done: (reply: string) => void; failed: (error: unknown) => void }

/** Some in this turn of the event loop, the others in the next ones: each writes to its readers, and hundreds at once would hold up all else. */
function tell(sent: readonly Waiting[], replies: readonly string[], from = 0): void {
  const to = Math.min(sent.length, from + TOLD_AT_ONCE)
  for (let i = from; i < to; i++) sent[i]!.done(replies[i]!)
  if (to < sent.length) setImmediate(tell, sent, replies, to)
}

/** Where the events of answers are kept before anyone reads them: a Redis Stream each, ids 1-0, 2-0 … */
export type Journals = ReturnType<typeof createJournals>

export function createJournals(redis: Redis) {
  // a reconnect may have lost what the server had acknowledged: journals of an older epoch are written again, whole
  let epoch = 0
  let isHung = false
  let isClosed = false
  let probe: NodeJS.Timeout | undefined
  let waiting: Waiting[] = []
  redis.on('close', () => epoch++)
  redis.defineCommand(APPEND, { lua })
  // it brings its own crowd together; on the client's list it would wait once more
  redis.options.autoPipeliningIgnoredCommands = [...(redis.options.autoPipeliningIgnoredCommands ?? []), APPEND]

  /** Streams begin to append at one moment, the end of a turn of the event loop: what all of them have leaves in one command. */
  function put(name: string, batch: readonly Frame[], how: 'new' | 'old', ttlS: number): Promise<string> {
    return new Promise((done, failed) => {
      if (waiting.length === 0) queueMicrotask(send)
      const args: (string | number)[] = [batch.length, how, ttlS]
      for (const { id, type, data } of batch) args.push(`${id}-0`, type, data)
      waiting.push({ name, args, done, failed })
    })
  }

  function send(): void {
    const sent = waiting
    waiting = []
    const names = sent.map(({ name }) => name)
    const args = sent.flatMap((entry) => entry.args)
    ;(redis as Scripted)[APPEND](names.length, names, args).then(
      (replies) => tell(sent, replies),
      (error: unknown) => {
        // a process that was frozen finds its timer due before it has read the reply: time that passed is no proof that Redis is away
        const isUnsure = error instanceof Error && error.message === 'Command timed out'
        for (const { done, failed } of sent) isUnsure ? done('unsure') : failed(error)
      },
    )
  }

  /** After a failure no stream waits for Redis until it answers again: one that hangs would hold up each batch for its timeout. */
  function leaveAlone(): void {
    if (isHung) return
    isHung = true
    const look = () => {
      redis.ping().then(
        () => {
          isHung = false
        },
        () => {
          if (!isClosed) probe = setTimeout(look, PROBE_MS)
        },
      )
    }
    look()
  }

  /** The writing end of one journal. */
  function open(answerId: string): Journal {
    const name = redisKeys.stream.key(answerId)
    let written = -1
    let expireAt = 0

    /** In full; a journal that was ended by another process is never written over. */
    async function rewrite(frames: readonly Frame[]): Promise<Appended> {
      const mine = epoch
      const last = (await redis.xrevrange(name, '+', '-', 'COUNT', 1))[0]
      if (last && isFinalType(last[1][1] as Frame['type'])) return 'ended'
      const all = redis.multi().del(name)
      for (const { id, type, data } of frames) all.xadd(name, `${id}-0`, 't', type, 'd', data)
      all.expire(name, redisKeys.stream.ttlS)
      for (const [error] of (await all.exec()) ?? []) if (error) throw error
      written = mine
      return 'kept'
    }

    async function append(batch: readonly Frame[], before: readonly Frame[]): Promise<Appended> {
      const isNew = before.length === 0
      if (written === epoch || isNew) {
        const mine = epoch
        const isDue = performance.now() >= expireAt
        const reply = await put(name, batch, isNew ? 'new' : 'old', isDue ? redisKeys.stream.ttlS : 0)
        if (reply === 'kept') {
          if (isDue) expireAt = performance.now() + EXPIRE_EVERY_MS
          written = mine
          return 'kept'
        }
        if (reply !== 'taken' && reply !== 'gone' && reply !== 'unsure') throw new Error(reply)
        // our ids follow each other: where one is taken, a sweeper has written the end, or a lost connection our own frames
        if (reply === 'taken' && written === epoch) return 'ended'
      }
      return rewrite([...before, ...batch])
    }

    return async (batch, before) => {
      if (redis.status === 'ready' && !isHung) {
        try {
          return await append(batch, before)
        } catch {
          // whatever went wrong, the stream goes on from memory and a later append writes the journal anew
          leaveAlone()
        }
      }
      written = -1
      return 'lost'
    }
  }

  return {
    open,
    isAnswering: () => redis.status === 'ready' && !isHung,
    [Symbol.dispose](): void {
      isClosed = true
      clearTimeout(probe)
    },
  }
}
