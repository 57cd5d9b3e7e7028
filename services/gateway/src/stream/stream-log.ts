import { isFinalType } from '@docent/core/answer-event'
import { redisKeys } from '@docent/core/redis-keys'
import type { Redis } from '@docent/kit/redis'
import type { AnswerRow } from '../store/messages.ts'
import { createJournals } from './journal.ts'
import { createLiveStream, type Frame, type LiveStream } from './live-stream.ts'

export type StreamLog = ReturnType<typeof createStreamLog>

const POLL_MS = 100
const IDLE_POLLS = 10
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
  const journals = createJournals(redis)

  function later(flush: () => void): void {
    dirty.add(flush)
    timer ??= setTimeout(() => {
      const due = dirty
      dirty = new Set()
      timer = undefined
      for (const write of due) write()
    }, options.flushMs)
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
    if (!journals.isAnswering()) return []
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
      const stream = createLiveStream(answerId, journals.open(answerId), later)
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
      clearTimeout(timer)
      journals[Symbol.dispose]()
    },
  }
}

function isTaken(error: unknown): boolean {
  return error instanceof Error && error.message.includes('equal or smaller')
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
