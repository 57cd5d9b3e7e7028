import { setTimeout as wait } from 'node:timers/promises'
import { ask, createReads, plainLines, type Status, waitsForOf } from './progress.ts'
import type { Solo } from './solo.ts'

const POLL_MS = 2_000
const LINE_MS = 10_000

/**
 * After the start, where the output is no terminal (docker logs, CI): how far indexing is whenever there is any, as plain lines, at most
 * one in ten seconds and one when it is done. Nothing is said while nothing waits, nor of what was over before its first line was due.
 */
export async function tellLaterWork(
  solo: Pick<Solo, 'ingestUrl' | 'internalToken'>,
  say: (line: string) => void,
  stop: AbortSignal,
  { pollMs = POLL_MS, lineMs = LINE_MS } = {},
): Promise<void> {
  let told = 0
  const show = plainLines((line) => {
    told++
    say(line)
  }, lineMs)
  const readsNow = createReads(solo)
  let before = 0
  let done = 0
  let toldBefore = 0
  let problem = ''

  async function look(): Promise<void> {
    const { counts } = await ask<{ counts: Record<string, number> }>(solo, '/documents?limit=1')
    const waiting = (counts.queued ?? 0) + (counts.indexing ?? 0)
    if (before === 0) {
      done = 0
      toldBefore = told
    } else done += Math.max(0, before - waiting)
    const wasWorking = before > 0
    before = waiting
    const progress = { done, total: done + waiting, failed: 0, filesPerSecond: 0, secondsLeft: null, waitsFor: '', reads: '' }
    if (waiting === 0) return void (wasWorking && told > toldBefore && show.last(progress))
    const waitsFor = waitsForOf(await ask<Status>(solo, '/ingest'))
    show.now({ ...progress, waitsFor, reads: (counts.indexing ?? 0) > 0 ? await readsNow() : '' })
  }

  while (!stop.aborted) {
    await look().then(
      () => {
        problem = ''
      },
      (error: Error) => {
        if (!stop.aborted && problem === '') say(`how far indexing is cannot be told now: ${error.message}`)
        problem = error.message
      },
    )
    await wait(pollMs, undefined, { signal: stop }).catch(() => undefined)
  }
}
