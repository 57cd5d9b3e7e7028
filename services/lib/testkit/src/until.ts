import { setTimeout as wait } from 'node:timers/promises'

/** Awaits a condition: polls `look` until it yields a value; the test fails with `what` when the deadline passes. */
export async function until<T>(what: string, look: () => Promise<T | undefined> | T | undefined, deadlineMs = 30_000): Promise<T> {
  const end = Date.now() + deadlineMs
  for (;;) {
    const found = await look()
    if (found !== undefined && found !== false && found !== null) return found
    if (Date.now() > end) throw new Error(`still waiting after ${deadlineMs} ms until ${what}`)
    await wait(100)
  }
}
