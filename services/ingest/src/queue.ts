import { setTimeout as sleep } from 'node:timers/promises'
import { enqueue } from '@docent/kit/jobs'
import type { Log } from '@docent/kit/logger'
import type { Queue, Worker } from 'bullmq'
import { indexDocument } from './jobs/index-document.ts'

export type Push = (documents: readonly { id: string; contentHash: string }[], priority?: number) => Promise<void>

const PUSH_MS = 3_000
const FINISH_MS = 3_000
const HAND_BACK_MS = 4_000

/** Puts documents into the queue. It never throws and never hangs: what has no job is found again by the reconciler. */
export function createPush(queue: Queue, log: Log): Push {
  return async (documents, priority) => {
    const payloads = documents.map(({ id, contentHash }) => ({ documentId: id, contentHash }))
    for (let at = 0; at < payloads.length; at += 100) {
      const limit = new AbortController()
      const adding = enqueue(queue, indexDocument, payloads.slice(at, at + 100), priority ? { priority } : {})
      const failure = await Promise.race([
        adding.then(
          () => undefined,
          (error: Error) => error,
        ),
        sleep(PUSH_MS, new Error('the queue does not answer'), { signal: limit.signal }).catch(() => undefined),
      ])
      limit.abort()
      if (failure) return log.warn({ err: failure, documents: payloads.length - at }, 'documents wait for the queue')
    }
  }
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
