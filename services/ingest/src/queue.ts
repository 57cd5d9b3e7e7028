import { setTimeout as sleep } from 'node:timers/promises'
import { enqueue } from '@docent/kit/jobs'
import type { Log } from '@docent/kit/logger'
import type { Queue, Worker } from 'bullmq'
import { indexDocument } from './jobs/index-document.ts'
import { priorityOf, type Urgency, urgencyOf } from './priority.ts'

export type Job = { id: string; contentHash: string; size: number }
export type Push = (documents: readonly Job[], urgency?: Urgency) => Promise<void>

const PUSH_MS = 3_000
const FINISH_MS = 3_000
const HAND_BACK_MS = 4_000
const BATCH = 100
const MAX_WAITING = 5_000 // a job is about a kilobyte of Redis, whose memory is bounded; the ledger holds the rest

/**
 * Puts documents into the queue. It never throws and never hangs: what has no job is found again by the reconciler.
 * Many at once are added only up to a bound, so that the queue's memory stays bounded.
 */
export function createPush(queue: Queue, log: Log, full: { is(): boolean; found(): void }): Push {
  return async (documents, urgency = urgencyOf(documents.length)) => {
    if (documents.length === 0 || full.is()) return
    const room = documents.length <= BATCH ? documents.length : await roomIn(queue)
    const wanted = documents.toSorted((a, b) => a.size - b.size).slice(0, room)
    for (const [priority, some] of Map.groupBy(wanted, ({ size }) => priorityOf(urgency, size))) {
      for (let at = 0; at < some.length; at += BATCH) {
        const payloads = some.slice(at, at + BATCH).map(({ id, contentHash }) => ({ documentId: id, contentHash }))
        const failure = await failureOf(enqueue(queue, indexDocument, payloads, { priority }))
        if (!failure) continue
        if (failure.message.startsWith('OOM')) full.found()
        return log.warn({ err: failure, documents: documents.length }, 'documents wait for the queue')
      }
    }
  }
}

async function roomIn(queue: Queue): Promise<number> {
  let counts: Record<string, number> = {}
  const failure = await failureOf(
    queue.getJobCounts('waiting', 'prioritized', 'delayed').then((found) => {
      counts = found
    }),
  )
  const waiting = Object.values(counts).reduce((sum, n) => sum + n, 0)
  return failure ? 0 : Math.max(0, MAX_WAITING - waiting)
}

async function failureOf(work: Promise<unknown>): Promise<Error | undefined> {
  const limit = new AbortController()
  const failure = await Promise.race([
    work.then(
      () => undefined,
      (error: Error) => error,
    ),
    sleep(PUSH_MS, new Error('the queue does not answer'), { signal: limit.signal }).catch(() => undefined),
  ])
  limit.abort()
  return failure
}

/** Used memory of the queue's Redis as a share of its limit; 0 without a limit. */
export function fillOfInfo(info: string): number {
  const figure = (name: string) => Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(info)?.[1] ?? 0)
  const max = figure('maxmemory')
  return max === 0 ? 0 : figure('used_memory') / max
}

/** Takes a document's job out of the line, or tells it to stop where it runs in this process. Best effort: the ledger has the say. */
export async function stopJob(queue: Queue, workers: readonly Worker[], documentId: string): Promise<void> {
  const jobId = await queue.getDeduplicationJobId(documentId)
  if (!jobId || workers.some((worker) => worker.cancelJob(jobId, 'cancelled by hand'))) return
  await queue.remove(jobId)
}

/** Lets jobs finish, then tells them to hand back, then leaves: another worker takes what is still locked. */
export async function closeWorker(worker: Worker): Promise<void> {
  const closing = worker.close()
  if (await endsWithin(closing, FINISH_MS)) return
  worker.cancelAllJobs('ingest is stopping')
  if (await endsWithin(closing, HAND_BACK_MS)) return
  await endsWithin(worker.close(true), HAND_BACK_MS)
}

async function endsWithin(ending: Promise<void>, ms: number): Promise<boolean> {
  const limit = new AbortController()
  const ended = await Promise.race([
    ending.then(
      () => true,
      () => true,
    ),
    sleep(ms, false, { signal: limit.signal }).catch(() => false),
  ])
  limit.abort()
  return ended
}
