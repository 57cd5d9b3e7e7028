import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { givenStores, openStores, type Stores } from '@docent/solo/stores'
import { type MemoryGroup, openMemoryGroup } from './memory-group.ts'

/** Private stores for one measurement, gone at its end; BENCH_DATABASE_URL and its like name others. */
export async function openBenchStores(scope: AsyncDisposableStack): Promise<Stores> {
  const dataDir = mkdtempSync(join(tmpdir(), 'docent-bench-'))
  chmodSync(dataDir, 0o711) // Postgres runs as a user of its own when the run is root's
  scope.defer(() => rmSync(dataDir, { recursive: true, force: true }))
  return await openStores({ dataDir, scope, log: () => undefined, given: givenStores(process.env, 'BENCH_') })
}

export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}

export function machine(): { cpu: string; node: string } {
  return { cpu: `${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}`, node: process.version }
}

/** As in its container, where V8 gets 40 percent of 224 MB. */
export const retrievalFlags = ['--max-semi-space-size=4', '--max-old-space-size=90']
export const retrievalMemory = { MALLOC_ARENA_MAX: '2', MALLOC_MMAP_THRESHOLD_: '131072' }

/** BENCH_MEMORY_MB: the measured service lives under that limit of memory, as in its container; without it there is none. */
export function givenGroup(name: string, scope: AsyncDisposableStack): { group?: MemoryGroup; limitMb?: number } {
  const limitMb = Number(process.env.BENCH_MEMORY_MB ?? 0)
  return limitMb > 0 ? { group: scope.use(openMemoryGroup(name, limitMb)), limitMb } : {}
}
