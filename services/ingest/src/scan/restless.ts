/** A file that keeps changing, so that it is not read; `since`: when it was first found so, ISO time. */
export type RestlessFile = { path: string; since: string }

const PATIENCE_MS = 30_000
const NAMED = 20

/** Follows from look to look which files have been waiting to settle for half a minute longer than a file has to. */
export function createRestless(settleMs: number) {
  const waiting = new Map<string, { since: string; at: number; isTold: boolean }>()
  const isLong = ({ at }: { at: number }, now: number) => now - at > settleMs + PATIENCE_MS

  return {
    /** what a look found unsettled; returns what has become restless since the last one */
    follow(unsettled: readonly string[], now = performance.now()): RestlessFile[] {
      const still = new Set(unsettled)
      for (const path of waiting.keys()) if (!still.has(path)) waiting.delete(path)
      for (const path of still) if (!waiting.has(path)) waiting.set(path, { since: new Date().toISOString(), at: now, isTold: false })
      const fresh = [...waiting].filter(([, file]) => !file.isTold && isLong(file, now))
      for (const [, file] of fresh) file.isTold = true
      return fresh.map(([path, { since }]) => ({ path, since }))
    },
    isRestless(path: string, now = performance.now()): boolean {
      const file = waiting.get(path)
      return file !== undefined && isLong(file, now)
    },
    /** those that have waited longest, at most twenty */
    list(now = performance.now()): RestlessFile[] {
      const long = [...waiting].filter(([, file]) => isLong(file, now))
      return long.slice(0, NAMED).map(([path, { since }]) => ({ path, since }))
    },
  }
}

/** What to do about it, as a problem of the folder. */
export function restlessProblem({ path, since }: RestlessFile, settleMs: number) {
  const message =
    `It has kept changing since ${since}, and a file is read once it is unchanged for ${settleMs} ms: ` +
    'stop what writes it, lower SETTLE_MS, or leave it out by .docentignore.'
  return { path, message, since }
}
