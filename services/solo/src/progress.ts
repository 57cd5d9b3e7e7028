import { basename } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import type { DocumentView } from '@docent/core/document'
import { internalHeaders } from '@docent/kit/internal'
import type { Solo } from './solo.ts'

type Stats = { documents: Record<string, number>; lastScanAt: string | null }
export type Status = {
  state: 'running' | 'paused'
  reasons: { reason: string; message: string }[]
  filesPerSecond: number
  secondsLeft: number | null
}
export type Progress = {
  done: number
  total: number
  failed: number
  filesPerSecond: number
  secondsLeft: number | null
  waitsFor: string
  /** the document that is being read and how far it is, where that is known */
  reads: string
}
/** What of a terminal is needed; without one (a pipe, a log) plain lines are said. */
export type Terminal = { columns?: number; write(text: string): unknown }

const POLL_MS = 250
const READS_MS = 1_000
const LINE_MS = 5_000
const PATIENCE_MS = 10_000
const BAR = 24
const MIN_BAR = 8
const NAME_CHARS = 24

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
  const show = terminal ? barOn(terminal) : plainLines(say, LINE_MS)
  const readsNow = createReads(solo)
  let pausedSince: number | undefined
  try {
    while (!stop.aborted) {
      const { documents, lastScanAt } = await ask<Stats>(solo, '/stats')
      const { ready = 0, failed = 0, queued = 0, indexing = 0 } = documents
      const waiting = queued + indexing
      if (lastScanAt && waiting === 0) {
        if (ready + failed > 0)
          show.last({ done: ready + failed, total: ready + failed, failed, filesPerSecond: 0, secondsLeft: 0, waitsFor: '', reads: '' })
        return { ready, failed, waiting }
      }
      const status = await ask<Status>(solo, '/ingest')
      const { reasons, filesPerSecond, secondsLeft } = status
      const waitsFor = waitsForOf(status)
      const reads = indexing > 0 ? await readsNow() : ''
      const total = ready + failed + waiting
      if (lastScanAt) show.now({ done: ready + failed, total, failed, filesPerSecond, secondsLeft, waitsFor, reads })
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

/** Asked at most once a second: of the documents in work the first that can tell how far it is. */
export function createReads(solo: Pick<Solo, 'ingestUrl' | 'internalToken'>): () => Promise<string> {
  let reads = ''
  let askedAt = Number.NEGATIVE_INFINITY
  return async () => {
    if (performance.now() - askedAt < READS_MS) return reads
    askedAt = performance.now()
    const { items } = await ask<{ items: DocumentView[] }>(solo, '/documents?state=indexing&limit=10')
    const slow = items.find(({ progress }) => progress?.unit && progress.total > 0)
    reads = slow ? renderReads(slow) : ''
    return reads
  }
}

/** `page 31/250 of handbook.pdf`; the name shortened in its middle, for a cut line loses its end, and nothing in it that a terminal would obey. */
export function renderReads({ path, progress }: Pick<DocumentView, 'path' | 'progress'>): string {
  if (!progress?.unit) return ''
  const name = [...basename(path).replace(/\p{C}/gu, '')]
  const half = NAME_CHARS / 2
  const short = name.length > NAME_CHARS ? `${name.slice(0, half).join('')}…${name.slice(1 - half).join('')}` : name.join('')
  return `${progress.stage === 'ocr' ? 'OCR, ' : ''}${progress.unit} ${progress.done}/${progress.total} of ${short}`
}

/** One line of at most `columns` columns: bar, counts, time left, what is being read, and pace; the bar makes room for what is read. */
export function renderProgress({ done, total, failed, filesPerSecond, secondsLeft, waitsFor, reads }: Progress, columns = 80): string {
  const share = total === 0 ? 0 : done / total
  const parts = [`${done}/${total}`, `${Math.floor(share * 100)} %`]
  if (failed > 0) parts.push(`${failed} failed`)
  if (waitsFor) parts.push(`waits: ${waitsFor}`)
  else {
    if (secondsLeft) parts.push(`${renderTime(secondsLeft)} left`)
    if (reads) parts.push(reads)
    if (filesPerSecond > 0) parts.push(`${filesPerSecond < 10 ? filesPerSecond.toFixed(1) : Math.round(filesPerSecond)} files/s`)
  }
  const text = parts.join('  ')
  const width = reads && !waitsFor ? Math.max(MIN_BAR, Math.min(BAR, columns - text.length - 6)) : BAR
  const filled = Math.floor(share * width)
  return fitting(`  [${'#'.repeat(filled)}${'-'.repeat(width - filled)}] ${text}`, Math.max(columns - 1, 20))
}

/** A Chinese character takes two columns: a line that wraps could not be drawn over. */
function fitting(line: string, columns: number): string {
  let left = columns
  const fits = [...line].findIndex((char) => {
    left -= /[\u1100-\u115f\u2e80-\uffe6\u{1f000}-\u{3ffff}]/u.test(char) ? 2 : 1
    return left < 0
  })
  return fits < 0 ? line : [...line].slice(0, fits).join('')
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

/** For pipes and logs: a line when something has changed, at most one in `everyMs`, and the last one always. */
export function plainLines(say: (line: string) => void, everyMs: number): Show {
  let last = ''
  let saidAt = Number.NEGATIVE_INFINITY
  const tell = ({ done, total, waitsFor, reads }: Progress) => {
    const line = [`indexing ${done}/${total}`, waitsFor ? `waits: ${waitsFor}` : reads].filter(Boolean).join(', ')
    if (line === last) return
    last = line
    saidAt = performance.now()
    say(line)
  }
  return {
    now: (progress) => {
      if (performance.now() - saidAt >= everyMs) tell(progress)
    },
    last: tell,
    end: () => undefined,
  }
}

/** The sentence for what work waits for; empty while it goes on. */
export function waitsForOf({ state, reasons }: Status): string {
  return state === 'paused' ? (reasons[0]?.message ?? '') : ''
}

export async function ask<T>(solo: Pick<Solo, 'ingestUrl' | 'internalToken'>, path: string): Promise<T> {
  const headers = internalHeaders(solo.internalToken, { id: 'solo', kind: 'admin', scopes: ['admin'] })
  const response = await fetch(`${solo.ingestUrl}${path}`, { headers })
  if (!response.ok) throw new Error(`ingest answered ${response.status} when asked for its progress`)
  return (await response.json()) as T
}
