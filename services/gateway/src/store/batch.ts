import { AppError } from '@docent/core/errors'
import { databaseError } from '@docent/kit/postgres'

type Waiting<T, R> = { item: T; done: (result: R) => void; failed: (error: unknown) => void }

/**
 * Group commit: what comes while a write is under way leaves together with the next one, so that many callers share a
 * statement and a flush to disk; alone nobody waits. `write` gives a result for each item, in their order. When a batch
 * fails its items are tried one by one, but not where the database does not answer: those get `unavailable`, and behind a
 * write that hung whoever waited with them.
 */
export function createBatch<T, R>(write: (items: readonly T[]) => Promise<readonly R[]>, most = 200): (item: T) => Promise<R> {
  let waiting: Waiting<T, R>[] = []
  let running = false

  async function run(): Promise<void> {
    running = true
    while (waiting.length > 0) {
      const batch = waiting.slice(0, most)
      waiting = waiting.slice(most)
      await send(batch)
    }
    running = false
  }

  async function send(batch: readonly Waiting<T, R>[]): Promise<void> {
    try {
      const results = await write(batch.map(({ item }) => item))
      for (const [i, { done }] of batch.entries()) done(results[i]!)
    } catch (thrown) {
      const error = databaseError(thrown)
      const isDown = error instanceof AppError && error.code === 'unavailable'
      if (batch.length > 1 && !isDown) {
        for (const one of batch) await send([one])
        return
      }
      const behind = isDown && /timeout/i.test(String(error.cause)) ? waiting.splice(0) : []
      for (const { failed } of [...batch, ...behind]) failed(error)
    }
  }

  return (item) =>
    new Promise((done, failed) => {
      waiting.push({ item, done, failed })
      if (!running) void run()
    })
}
