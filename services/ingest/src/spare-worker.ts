import type { Log } from '@docent/kit/logger'
import type { Queue, Worker } from 'bullmq'
import { pause } from './pause.ts'

const LOOK_MS = 1_000
// a job that has run so long is a large file, and may take minutes more
const LONG_MS = 3_000

type Options = { concurrency: number; isWaiting: () => boolean; log: Log }

/**
 * One job more than are taken as a rule, for a file that is more urgent than all that have held the workers for a while: a small new one
 * does not wait until large ones are done. `spare` takes one job at a time and is paused but for the moment in which it takes one.
 */
export async function lendSpare(
  main: Worker,
  spare: Worker,
  queue: Pick<Queue, 'getPrioritized'>,
  options: Options,
): Promise<AsyncDisposable> {
  const { concurrency, isWaiting, log } = options
  const running = new Map<string, { priority: number; since: number }>()
  const stop = new AbortController()
  let isLent = false

  main.on('active', ({ id = '', priority }) => void running.set(id, { priority, since: performance.now() }))
  for (const end of ['completed', 'failed'] as const) main.on(end, (job?: { id?: string }) => void running.delete(job?.id ?? ''))
  spare.on('active', () => {
    isLent = true
    void spare.pause(true) // the next one is its own decision
  })
  for (const end of ['completed', 'failed'] as const) {
    spare.on(end, () => {
      isLent = false
    })
  }

  async function look(): Promise<void> {
    if (isLent) return
    const now = performance.now()
    const held = [...running.values()].filter(({ since }) => now - since >= LONG_MS)
    const isHeld = !isWaiting() && held.length >= concurrency
    const [next] = isHeld ? await queue.getPrioritized(0, 0) : []
    const isUrgent = next !== undefined && held.every(({ priority }) => next.priority < priority)
    if (isUrgent && spare.isPaused()) spare.resume()
    else if (!isUrgent && !spare.isPaused()) await spare.pause(true)
  }

  await spare.pause(true)
  const looking = (async () => {
    while (!stop.signal.aborted) {
      await look().catch((err: unknown) => log.debug({ err }, 'the queue was not asked for urgent work'))
      await pause(LOOK_MS, stop.signal)
    }
  })()
  return {
    async [Symbol.asyncDispose]() {
      stop.abort()
      await looking
    },
  }
}
