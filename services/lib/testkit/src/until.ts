import { setTimeout as wait } from 'node:timers/promises'

/** What comes soon is seen soon; a long wait is not spent on looking. */
const FIRST_MS = 10
const MOST_MS = 100

/** Awaits a condition: polls `look` until it yields a value; the test fails with `what` when the deadline passes. */
export async function until<T>(what: string, look: () => Promise<T | undefined> | T | undefined, deadlineMs = 30_000): Promise<T> {
  const end = Date.now() + deadlineMs
  for (let pause = FIRST_MS; ; pause = Math.min(pause * 1.5, MOST_MS)) {
    const found = await look()
    if (found !== undefined && found !== false && found !== null) return found
    if (Date.now() > end) throw new Error(`still waiting after ${deadlineMs} ms until ${what}`)
    await wait(pause)
  }
}
