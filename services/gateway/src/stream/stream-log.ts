import { isFinalType } from '@docent/core/answer-event'
import { redisKeys } from '@docent/core/redis-keys'
import type { Redis } from '@docent/kit/redis'
import type { ChainableCommander } from 'ioredis'
import type { AnswerRow } from '../store/messages.ts'
import { type Appended, createLiveStream, type Frame, type LiveStream } from './live-stream.ts'

export type StreamLog = ReturnType<typeof createStreamLog>

const POLL_MS = 100
const IDLE_POLLS = 10
const PROBE_MS = 500
const EXPIRE_EVERY_MS = 60_000
const key = redisKeys.stream.key

/**
 * Journals of answers: a Redis Stream each, ids 1-0, 2-0 …, appended before anyone reads. Readers in the owning process
 * get the same frames from memory, all others from the journal, and both fall back on the stored answer.
 */
export function createStreamLog(
  redis: Redis,
  options: { flushMs: number; findAnswer: (id: string) => Promise<AnswerRow | undefined>; onRemoteRead?: (id: string) => void },
) {
  const live = new Map<string, LiveStream>()
  let dirty = new Set<() => void>()
  let timer: NodeJS.Timeout | undefined
  // a reconnect may have lost what the server had acknowledged: journals of an older epoch are written again, whole
  let epoch = 0
  let isHung = false
  let isClosed = false
  let probe: NodeJS.Timeout | undefined
  redis.on('close', () => epoch++)

  function later(flush: () => void): void {
    dirty.add(flush)
    timer ??= setTimeout(() => {
      const due = dirty
      dirty = new Set()
      timer = undefined
      for (const write of due) write()
    }, options.flushMs)
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

  function journalOf(answerId: string) {
    const name = key(answerId)
    let written = -1
    let expireAt = 0

    /** False when the journal is gone (FLUSHALL): what is left of it must not be added to. */
    async function add(batch: readonly Frame[]): Promise<boolean> {
      // commands of one tick leave in one write, those of all streams together
      const added = batch.map(({ id, type, data }) => redis.xadd(name, 'NOMKSTREAM', `${id}-0`, 't', type, 'd', data))
      await Promise.all([...added, expireInTime()])
      return (await added[0]) !== null
    }

    async function expireInTime(): Promise<void> {
      if (performance.now() < expireAt) return
      expireAt = performance.now() + EXPIRE_EVERY_MS
      await redis.expire(name, redisKeys.stream.ttlS)
    }

    async function writeWhole(frames: readonly Frame[], isFirst: boolean): Promise<void> {
      expireAt = 0
      // a new journal needs no transaction: nobody can read it in the middle
      if (isFirst) {
        const added = frames.map(({ id, type, data }) => redis.xadd(name, `${id}-0`, 't', type, 'd', data))
        return void (await Promise.all([...added, expireInTime()]))
      }
      const all = redis.multi().del(name)
      for (const { id, type, data } of frames) all.xadd(name, `${id}-0`, 't', type, 'd', data)
      await run(all)
      await expireInTime()
    }

    /** A journal that was ended by another process is never written over. */
    async function rewrite(batch: readonly Frame[], before: readonly Frame[]): Promise<Appended> {
      const mine = epoch
      const last = before.length > 0 ? (await redis.xrevrange(name, '+', '-', 'COUNT', 1))[0] : undefined
      if (last && isFinalType(last[1][1] as Frame['type'])) return 'ended'
      await writeWhole([...before, ...batch], before.length === 0)
      written = mine
      return 'kept'
    }

    async function append(batch: readonly Frame[], before: readonly Frame[]): Promise<Appended> {
      if (written !== epoch) return rewrite(batch, before)
      try {
        if (await add(batch)) return 'kept'
      } catch (error) {
        if (!isTaken(error)) throw error
        // our ids follow each other: where one is taken, a sweeper has written the end, or a lost connection our own frames
        if (written === epoch) return 'ended'
      }
      return rewrite(batch, before)
    }

    return async (batch: readonly Frame[], before: readonly Frame[]): Promise<Appended> => {
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

  async function* readLive(stream: LiveStream, after: number, left: AbortSignal): AsyncGenerator<Frame[]> {
    let at = Math.min(after, stream.frames.length)
    stream.readers++
    left.addEventListener('abort', stream.rouse, { once: true })
    try {
      while (!left.aborted) {
        if (at < stream.frames.length) {
          const batch = stream.frames.slice(at)
          at = stream.frames.length
          yield batch
          if (isFinalType(batch.at(-1)!.type)) return
        } else if (stream.fenced) return yield* readRemote(stream.answerId, at, left)
        else await stream.changed(at)
      }
    } finally {
      left.removeEventListener('abort', stream.rouse)
      stream.readers--
      stream.lastReaderAt = performance.now()
    }
  }

  async function* readRemote(answerId: string, from: number, left: AbortSignal): AsyncGenerator<Frame[]> {
    let after = from
    let idle = IDLE_POLLS
    while (!left.aborted) {
      const own = live.get(answerId)
      if (own && !own.fenced) return yield* readLive(own, after, left)
      const batch = await journalled(answerId, after)
      if (batch.length > 0) {
        idle = 0
        yield batch
        after = batch.at(-1)!.id
        if (isFinalType(batch.at(-1)!.type)) return
        continue
      }
      if (++idle >= IDLE_POLLS) {
        idle = 0
        options.onRemoteRead?.(answerId)
        const row = await options.findAnswer(answerId).catch(() => 'unknown' as const)
        if (row === 'unknown') continue
        if (!row) return
        if (row.state !== 'streaming') {
          // its last events may have reached the journal in between
          const rest = await journalled(answerId, after)
          const frames = rest.some((frame) => isFinalType(frame.type)) ? rest : storedFrames(row).filter((frame) => frame.id > after)
          if (frames.length > 0) yield frames
          return
        }
      }
      await pause(POLL_MS, left)
    }
  }

  async function journalled(answerId: string, after: number): Promise<Frame[]> {
    if (redis.status !== 'ready' || isHung) return []
    try {
      const entries = await redis.xrange(key(answerId), `(${after}-0`, '+', 'COUNT', 500)
      return contiguous(
        entries.map(([id, fields]) => ({ id: Number.parseInt(id, 10), type: fields[1] as Frame['type'], data: fields[3]! })),
        after,
      )
    } catch {
      return []
    }
  }

  return {
    open(answerId: string): LiveStream {
      const stream = createLiveStream(answerId, journalOf(answerId), later)
      live.set(answerId, stream)
      return stream
    },
    /** After the final event: readers that hold the stream keep it, new ones read journal or Postgres. */
    close(answerId: string): void {
      live.delete(answerId)
    },
    find: (answerId: string): LiveStream | undefined => live.get(answerId),
    all: (): Iterable<LiveStream> => live.values(),
    size: (): number => live.size,
    /** Batches of events after `after`, until the final one. */
    read(answerId: string, after: number, left: AbortSignal): AsyncGenerator<Frame[]> {
      const stream = live.get(answerId)
      return stream ? readLive(stream, after, left) : readRemote(answerId, after, left)
    },
    journalled,
    /** For the sweeper: the event that ends an orphan's journal, and fences its owner. False when the owner has written meanwhile. */
    async appendEnd(answerId: string, frame: Frame): Promise<boolean> {
      if (redis.status !== 'ready') return true
      try {
        await redis.xadd(key(answerId), `${frame.id}-0`, 't', frame.type, 'd', frame.data)
      } catch (error) {
        if (isTaken(error)) return false
        throw error
      }
      await redis.expire(key(answerId), redisKeys.stream.ttlS)
      return true
    },
    [Symbol.dispose](): void {
      isClosed = true
      clearTimeout(timer)
      clearTimeout(probe)
    },
  }
}

function isTaken(error: unknown): boolean {
  return error instanceof Error && error.message.includes('equal or smaller')
}

/** The replies, in order; throws the first error among them. */
async function run(pipeline: ChainableCommander): Promise<unknown[]> {
  const replies = (await pipeline.exec()) ?? []
  return replies.map(([error, reply]) => {
    if (error) throw error
    return reply
  })
}

/**
 * A journal with a hole must not be read past it; the stored answer has the rest. Nor past its end: of a batch whose first
 * id the sweeper took, Redis keeps the other frames.
 */
function contiguous(frames: Frame[], after: number): Frame[] {
  const end = frames.findIndex((frame) => isFinalType(frame.type))
  const said = end < 0 ? frames : frames.slice(0, end + 1)
  const hole = said.findIndex((frame, i) => frame.id !== after + 1 + i && !isFinalType(frame.type))
  return hole < 0 ? said : said.slice(0, hole)
}

/** The same events, ids and bytes as were streamed, from a finished answer's row. */
export function storedFrames(row: AnswerRow): Frame[] {
  let at = 0
  const log = row.body.log ?? []
  return log.map((entry, i) => {
    const id = i === log.length - 1 ? row.last_event : i + 1
    if (typeof entry !== 'number') return { id, type: entry[0] as Frame['type'], data: entry[1] }
    const text = row.text.slice(at, entry)
    at = entry
    return { id, type: 'delta', data: JSON.stringify({ text }) }
  })
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((done) => {
    const wake = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', wake)
      done()
    }
    const timer = setTimeout(wake, ms)
    signal.addEventListener('abort', wake, { once: true })
  })
}
