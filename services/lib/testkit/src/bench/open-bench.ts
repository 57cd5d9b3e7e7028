import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { givenStores, openStores, type Stores } from '@docent/solo/stores'

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
