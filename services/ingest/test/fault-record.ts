import type { TestContext } from 'vitest'

/** `npm run faults -- --full`: all points, long outages, many kills. */
export const isFull = process.env.FAULTS === 'full'
export const PATIENCE = { timeout: isFull ? 900_000 : 180_000 }

export type FaultRecord = { row: number; fault: string; moment: string; seconds: number; note?: string }

/** What `npm run faults` prints of a case; only a case that passed leaves one. */
export function record({ task }: Pick<TestContext, 'task'>, fault: FaultRecord): void {
  Object.assign(task.meta, { fault })
}

export function secondsSince(started: number): number {
  return (performance.now() - started) / 1000
}

/** Numbers in [0, 1) that a seed repeats (mulberry32, public domain). */
export function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
