import type { RetrievalEvents } from '../events.ts'
import type { ChunkIndex } from './chunk-index.ts'
import { readSnapshot, writeSnapshot } from './snapshot-file.ts'

const IDLE_MS = 30_000
const APART_MS = 600_000
const FEWEST = 2_000 // smaller ones are read from their texts in a moment

/** Keeps the lexical index in a file, so that the next start need not read every text again. What it says is never believed unasked: each chunk is looked for by its hash. */
export type SnapshotKeeper = AsyncDisposable & {
  /** before the first chunks come */
  adopt(): Promise<void>
  /** after the last; how many chunks needed no reading */
  settle(): number
  /** now and then, while nothing changes the index: writes it when it has rested for a while */
  look(): Promise<void>
}

export type SnapshotOptions = { path: string; idleMs?: number; apartMs?: number; fewest?: number }

export function keepSnapshot(
  index: ChunkIndex,
  events: RetrievalEvents,
  { path, idleMs = IDLE_MS, apartMs = APART_MS, fewest = FEWEST }: SnapshotOptions,
): SnapshotKeeper {
  let isRead = false
  let isSettled = false
  let kept = -1 // at which change the file was written, or agreed
  let seen = -1
  let restsSince = 0
  let triedAt = Number.NEGATIVE_INFINITY

  async function write(): Promise<void> {
    if (!isSettled || index.changes === kept || index.size < fewest) return
    const started = performance.now()
    triedAt = started
    const at = index.changes
    try {
      if (!(await writeSnapshot(path, index.snapshot()))) return
      kept = at
      events.snapshotWritten(index.size, performance.now() - started)
    } catch (error) {
      events.snapshotFailed(error)
    }
  }

  return {
    async adopt() {
      if (isRead) return
      isRead = true
      try {
        const snapshot = await readSnapshot(path)
        if (snapshot) index.adopt(snapshot)
      } catch (error) {
        events.snapshotRefused(error)
      }
    },
    settle() {
      const { reused, left } = index.settle()
      isSettled = true
      if (left === 0 && reused === index.size) kept = index.changes
      return reused
    },
    async look() {
      const now = performance.now()
      if (index.changes !== seen) {
        seen = index.changes
        restsSince = now
      }
      if (now - restsSince >= idleMs && now - triedAt >= apartMs) await write()
    },
    [Symbol.asyncDispose]: write,
  }
}
