import { setTimeout as wait } from 'node:timers/promises'
import { internalHeaders } from '@docent/kit/internal'
import type { Solo } from './solo.ts'

type Stats = { documents: Record<string, number>; lastScanAt: string | null }
type Status = {
  state: 'running' | 'paused'
  reasons: { reason: string; message: string }[]
  filesPerSecond: number
  secondsLeft: number | null
}
export type Progress = { done: number; total: number; failed: number; filesPerSecond: number; secondsLeft: number | null; waitsFor: string }
/** What of a terminal is needed; without one (a pipe, a log) plain lines are said. */
export type Terminal = { columns?: number; write(text: string): unknown }

const POLL_MS = 250
const LINE_MS = 5_000
const PATIENCE_MS = 10_000
const BAR = 24

/**
 * Follows the first scan and its indexing, shows how far it is, and returns the counts once nothing is waiting,
 * or when work is paused: at once when by hand, else after ten seconds, for questions are answered meanwhile.
 */
export async function followIndexing(
  solo: Pick<Solo, 'ingestUrl' | 'internalToken'>,
  say: (line: string) => void,
  stop: AbortSignal,
  terminal?: Terminal,
): Promise<{ ready: number; failed: number; waiting: number }> {
  const show = terminal ? barOn(terminal) : plainLines(say)
  let pausedSince: number | undefined
  try {
    while (!stop.aborted) {
      const { documents, lastScanAt } = await ask<Stats>(solo, '/stats')
      const { ready = 0, failed = 0, queued = 0, indexing = 0 } = documents
      const waiting = queued + indexing
      if (lastScanAt && waiting === 0) {
        if (ready + failed > 0)
          show.last({ done: ready + failed, total: ready + failed, failed, filesPerSecond: 0, secondsLeft: 0, waitsFor: '' })
        return { ready, failed, waiting }
      }
      const { state, reasons, filesPerSecond, secondsLeft } = await ask<Status>(solo, '/ingest')
      const waitsFor = state === 'paused' ? (reasons[0]?.message ?? '') : ''
      if (lastScanAt) show.now({ done: ready + failed, total: ready + failed + waiting, failed, filesPerSecond, secondsLeft, waitsFor })
      pausedSince = waitsFor === '' ? undefined : (pausedSince ?? performance.now())
      const isByHand = reasons.some(({ reason }) => reason === 'manual')
      if (pausedSince !== undefined && (isByHand || performance.now() - pausedSince > PATIENCE_MS)) {
        show.end()
        say(`indexing waits: ${waitsFor}`)
        return { ready, failed, waiting }
      }
      await wait(POLL_MS, undefined, { signal: stop }).catch(() => undefined)
    }
    return { ready: 0, failed: 0, waiting: 0 }
  } finally {
    show.end()
  }
}

/** One line of at most `columns` characters: bar, counts, pace, time left. */
export function renderProgress({ done, total, failed, filesPerSecond, secondsLeft, waitsFor }: Progress, columns = 80): string {
  const share = total === 0 ? 0 : done / total
  const filled = Math.floor(share * BAR)
  const bar = `[${'#'.repeat(filled)}${'-'.repeat(BAR - filled)}]`
  const parts = [`${done}/${total}`, `${Math.floor(share * 100)} %`]
  if (failed > 0) parts.push(`${failed} failed`)
  if (waitsFor) parts.push(`waits: ${waitsFor}`)
  else {
    if (filesPerSecond > 0) parts.push(`${filesPerSecond < 10 ? filesPerSecond.toFixed(1) : Math.round(filesPerSecond)} files/s`)
    if (secondsLeft) parts.push(`${renderTime(secondsLeft)} left`)
  }
  return `  ${bar} ${parts.join('  ')}`.slice(0, Math.max(columns - 1, 20))
}

export function renderTime(seconds: number): string {
  const [hours, minutes, rest] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, Math.ceil(seconds) % 60]
  if (hours > 0) return `${hours} h ${minutes} min`
  return minutes > 0 ? `${minutes} min ${rest} s` : `${rest} s`
}

type Show = { now(progress: Progress): void; last(progress: Progress): void; end(): void }

function barOn(terminal: Terminal): Show {
  let isOpen = false
  const draw = (progress: Progress) => {
    isOpen = true
    terminal.write(`\r\u001b[2K${renderProgress(progress, terminal.columns || undefined)}`)
  }
  const end = () => {
    if (isOpen) terminal.write('\n')
    isOpen = false
  }
  return {
    now: draw,
    last: (progress) => {
      draw(progress)
      end()
    },
    end,
  }
}

/** For pipes and logs: a line when something has changed, at most each five seconds, and the last one always. */
function plainLines(say: (line: string) => void): Show {
  let last = ''
  let saidAt = Number.NEGATIVE_INFINITY
  const tell = ({ done, total }: Progress) => {
    const line = `indexing ${done}/${total}`
    if (line === last) return
    last = line
    saidAt = performance.now()
    say(line)
  }
  return {
    now: (progress) => {
      if (performance.now() - saidAt >= LINE_MS) tell(progress)
    },
    last: tell,
    end: () => undefined,
  }
}

async function ask<T>(solo: Pick<Solo, 'ingestUrl' | 'internalToken'>, path: string): Promise<T> {
  const headers = internalHeaders(solo.internalToken, { id: 'solo', kind: 'admin', scopes: ['admin'] })
  const response = await fetch(`${solo.ingestUrl}${path}`, { headers })
  if (!response.ok) throw new Error(`ingest answered ${response.status} when asked for its progress`)
  return (await response.json()) as T
}
