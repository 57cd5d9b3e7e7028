import { setTimeout as wait } from 'node:timers/promises'
import { isFinalType } from '@docent/core/answer-event'
import type { Log } from '@docent/kit/logger'
import { estimateTokens } from '../answer/tokens.ts'
import type { Events } from '../events.ts'
import type { Ending, Endings } from '../store/endings.ts'
import type { AnswerBody, AnswerRow, Messages } from '../store/messages.ts'
import type { Writes } from '../store/writes.ts'
import type { Frame } from './live-stream.ts'
import type { StreamLog } from './stream-log.ts'

type Deps = { messages: Messages; endings: Endings; writes: Pick<Writes, 'probe'>; streams: StreamLog; events: Events; log: Log }

/**
 * Closes answers whose process died: their text becomes what the journal holds, and the journal gets its final event, so
 * that a reader who reconnects ends. Seen twice, because after an outage of the database, or of its disk, every heartbeat looks old
 * for a moment.
 */
export function startSweeper(deps: Deps, options: { everyMs: number; orphanMs: number; settleMs: number }): AsyncDisposable {
  const stop = new AbortController()
  const running = (async () => {
    while (!stop.signal.aborted) {
      try {
        const first = await deps.messages.orphans(options.orphanMs)
        if (first.length > 0) {
          // where nothing can be written the living give no sign of life, either
          await deps.writes.probe()
          await wait(options.settleMs, undefined, { signal: stop.signal })
          const again = new Set((await deps.messages.orphans(options.orphanMs)).map((row) => row.id))
          for (const row of first) if (again.has(row.id)) await closeOrphan(deps, row)
        }
        await wait(options.everyMs, undefined, { signal: stop.signal })
      } catch (error) {
        if (stop.signal.aborted) return
        deps.log.warn({ err: error }, 'sweeping orphaned answers failed; it is tried again')
        await wait(options.everyMs, undefined, { signal: stop.signal }).catch(() => undefined)
      }
    }
  })()
  return {
    async [Symbol.asyncDispose]() {
      stop.abort()
      await running
    },
  }
}

async function closeOrphan(deps: Deps, row: AnswerRow): Promise<void> {
  if (deps.streams.find(row.id)) return
  const frames: Frame[] = []
  for (;;) {
    const batch = await deps.streams.journalled(row.id, frames.at(-1)?.id ?? 0)
    if (batch.length === 0) break
    frames.push(...batch)
  }
  const end = closing(row, frames)
  const body = bodyOf(row.body, end)
  // the journal first: an owner that only slept finds its next id taken and shows nothing more
  if (!end.hadFinal && !(await fence(deps, row.id, end.final))) return
  const closed = await deps.endings.save({
    ...orphanRecord(row, body, end),
    text: end.text,
    state: end.state,
    lastEvent: end.final.id,
    body,
    ...end.reason,
    ...bookingOf(row.body.reserved, end.text),
  })
  if (closed) deps.events.orphanEnded(row.id)
}

/** What the dead process sent upstream is not known: the prompt's share of the reservation counts as used. */
function bookingOf(reservation: AnswerBody['reserved'], text: string): Pick<Ending, 'booking'> {
  if (!reservation) return {}
  const output = reservation.tokens > 0 ? estimateTokens(text) : 0
  return { booking: { reservation, requests: 1, input: Math.max(0, reservation.tokens - output), output, money: reservation.money ?? 0 } }
}

/** False when the owner is alive after all. A journal that cannot be written holds nothing up: the stored answer is the truth. */
async function fence({ streams, log }: Deps, answerId: string, final: Frame): Promise<boolean> {
  try {
    return await streams.appendEnd(answerId, final)
  } catch (error) {
    log.warn({ err: error }, 'journal end not written')
    return true
  }
}

/** What is known of an answer whose process died: its configuration and sources, not its timings. */
function orphanRecord(row: AnswerRow, body: AnswerBody, end: Closing) {
  return {
    answerId: row.id,
    traceId: body.traceId ?? '',
    principal: row.body.reserved?.principal ?? '',
    question: body.question ?? '',
    settingsVersion: body.settingsVersion ?? 0,
    record: {
      state: end.state,
      ...end.reason,
      persona: body.persona,
      model: body.model ?? '',
      sources: body.sources ?? [],
      degraded: body.degraded ?? [],
      timings: {},
    },
  }
}

type Closing = {
  text: string
  state: string
  log: (number | [string, string])[]
  final: Frame
  hadFinal: boolean
  reason: { code?: string; message?: string }
}

/** The stored text must be what readers saw: the journal when it has at least as much as the last snapshot. */
function closing(row: AnswerRow, frames: readonly Frame[]): Closing {
  const log: (number | [string, string])[] = []
  let text = ''
  for (const frame of frames) {
    const data = JSON.parse(frame.data) as { text?: string }
    if (frame.type === 'delta') {
      text += data.text ?? ''
      log.push(text.length)
    } else log.push([frame.type, frame.data])
  }
  const last = frames.at(-1)
  if (last && isFinalType(last.type)) {
    const said = JSON.parse(last.data) as { state: string; code?: string; message?: string }
    const reason = { ...(said.code ? { code: said.code } : {}), ...(said.message ? { message: said.message } : {}) }
    return { text, state: said.state, log, final: last, hadFinal: true, reason }
  }
  const reason = { code: 'interrupted', message: 'The service was restarted in the middle of this answer; ask again.' }
  const data = JSON.stringify({ state: 'interrupted', ...reason })
  if (text.length >= row.text.length && frames.length >= row.last_event) {
    log.push(['interrupted', data])
    return {
      text,
      state: 'interrupted',
      log,
      final: { id: frames.length + 1, type: 'interrupted', data },
      hadFinal: false,
      reason,
    }
  }
  // without a journal, readers may have seen ids after the snapshot; the end must come after all of them
  const id = row.last_event + 1_000
  const whole: Closing['log'] = [...(row.text ? [row.text.length] : []), ['interrupted', data]]
  return {
    text: row.text,
    state: 'interrupted',
    log: whole,
    final: { id, type: 'interrupted', data },
    hadFinal: false,
    reason,
  }
}

function bodyOf(body: AnswerBody, end: Closing): AnswerBody {
  const found: AnswerBody = {}
  for (const entry of end.log) {
    if (typeof entry === 'number') continue
    const type = entry[0]
    const data = JSON.parse(entry[1]) as never
    if (type === 'sources') Object.assign(found, data)
    if (type === 'citation') found.citations = [...(found.citations ?? []), data]
    if (type === 'usage') found.usage = data
  }
  return { ...body, ...found, log: end.log }
}
