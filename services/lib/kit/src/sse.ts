import { once } from 'node:events'
import { toAppError } from '@docent/core/errors'
import type { Request, Response } from 'express'

export type SseEvent = { id?: number; type?: string; data: unknown }

const OPEN_MS = 40
const GONE = new Error('The reader is gone.') // made once: the default reason costs a stack
const HEARTBEAT_MS = 10_000
const MOST_AT_ONCE = 64 * 1024 // characters: whoever reads slowly is given no more before he took them

/** Streams events as SSE. Leaving aborts the reading, never the work; a failure becomes one `error` event. */
export async function sendEvents(
  req: Request,
  res: Response,
  events: (left: AbortSignal) => AsyncIterable<readonly SseEvent[]>,
  encode = encodeEvent,
): Promise<void> {
  const left = new AbortController()
  res.on('close', () => left.abort(GONE))
  openEventStream(res)
  // the head leaves with the first events, or soon by itself
  const opening = setTimeout(() => res.flushHeaders(), OPEN_MS)
  const heartbeat = setInterval(() => {
    if (!res.writableNeedDrain) res.write(': \n\n')
  }, HEARTBEAT_MS)
  try {
    for await (const batch of events(left.signal)) {
      for (const text of textsOf(batch, encode)) {
        if (left.signal.aborted) return
        if (!res.write(text)) await once(res, 'drain', { signal: left.signal })
      }
    }
  } catch (thrown) {
    if (left.signal.aborted) return
    const error = toAppError(thrown)
    res.write(encode({ type: 'error', data: { state: 'error', code: error.code, message: error.message } }))
    if (error.code === 'internal') throw thrown
  } finally {
    clearTimeout(opening)
    clearInterval(heartbeat)
    res.end()
  }
  void req
}

/** What a batch is written in: one text as a rule, several for a reader who comes late to a long answer. */
function* textsOf(batch: readonly SseEvent[], encode: (event: SseEvent) => string): Generator<string> {
  let text = ''
  for (const event of batch) {
    text += encode(event)
    if (text.length < MOST_AT_ONCE) continue
    yield text
    text = ''
  }
  if (text !== '') yield text
}

function openEventStream(res: Response): void {
  res
    .status(200)
    .set({ 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache, no-transform', 'x-accel-buffering': 'no' })
}

export function encodeEvent({ id, type, data }: SseEvent): string {
  return `${id === undefined ? '' : `id: ${id}\n`}${type ? `event: ${type}\n` : ''}data: ${JSON.stringify(data)}\n\n`
}
