import { toAppError } from '@docent/core/errors'
import { type ConnectionOptions, type JobsOptions, Queue, UnrecoverableError, Worker } from 'bullmq'
import type { z } from 'zod'
import type { Log } from './logger.ts'

export type JobOutcome = { kind: 'done'; note?: string } | { kind: 'skipped'; note: string }

/** A job is one value: name, payload, retries, key, run. */
export type JobDefinition<P, D> = {
  name: string
  payload: z.ZodType<P>
  attempts: number
  backoffMs: number
  /** one running and at most one waiting per key */
  key: (payload: P) => string
  run: (payload: P, deps: D, signal: AbortSignal, attempt: { made: number; last: boolean }) => Promise<JobOutcome>
}

export function defineJob<P, D>(job: JobDefinition<P, D>): JobDefinition<P, D> {
  return job
}

/** `prefix` keeps apart installations that share one Redis. */
export function openQueue(name: string, connection: ConnectionOptions, log: Log, prefix = 'docent'): Queue {
  const queue = new Queue(name, { connection, prefix, defaultJobOptions: { removeOnComplete: 100, removeOnFail: 500 } })
  let last = ''
  queue.on('error', (error) => {
    if (error.message !== last) log.warn({ err: error, queue: name }, 'queue connection')
    last = error.message
  })
  return queue
}

export async function enqueue<P, D>(
  queue: Queue,
  job: JobDefinition<P, D>,
  payloads: readonly P[],
  options: JobsOptions = {},
): Promise<void> {
  await queue.addBulk(
    payloads.map((payload) => ({
      name: job.name,
      data: job.payload.parse(payload),
      opts: {
        ...options,
        attempts: job.attempts,
        backoff: { type: 'exponential', delay: job.backoffMs, jitter: 0.3 },
        deduplication: { id: job.key(payload), keepLastIfActive: true },
      },
    })),
  )
}

/** The job boundary: a known non-retryable error ends the job; locks are short so that a killed job is back in seconds. */
export function startWorker<P, D>(
  job: JobDefinition<P, D>,
  deps: D,
  connection: ConnectionOptions,
  options: { concurrency: number; log: Log; prefix?: string },
): Worker {
  const worker = new Worker(
    job.name,
    async (task, _token, signal) => {
      const payload = job.payload.safeParse(task.data)
      if (!payload.success) throw new UnrecoverableError(`payload of ${job.name} is not understood`)
      const attempt = { made: task.attemptsMade + 1, last: task.attemptsMade + 1 >= job.attempts }
      try {
        return await job.run(payload.data, deps, signal ?? new AbortController().signal, attempt)
      } catch (thrown) {
        const error = toAppError(thrown)
        options.log.warn(
          { jobId: task.id, job: job.name, code: error.code, err: error.cause ?? error, attempt: attempt.made },
          'job attempt failed',
        )
        throw error.retryable || error.code === 'internal' ? error : new UnrecoverableError(`${error.code}: ${error.message}`)
      }
    },
    {
      connection,
      prefix: options.prefix ?? 'docent',
      concurrency: options.concurrency,
      lockDuration: 6_000,
      stalledInterval: 2_000,
      maxStalledCount: 10,
    },
  )
  let last = ''
  worker.on('error', (error) => {
    if (error.message !== last) options.log.warn({ err: error, job: job.name }, 'worker connection')
    last = error.message
  })
  return worker
}
