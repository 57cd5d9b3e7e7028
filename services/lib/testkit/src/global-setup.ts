import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { givenStores, openStores, type Stores } from '@docent/solo/stores'
import type { TestProject } from 'vitest/node'

declare module 'vitest' {
  export interface ProvidedContext {
    /** URLs of the run's stores; the database user may create databases. */
    stores: Stores
  }
}

/** One set of stores for the whole run: private ones, or those that TEST_DATABASE_URL and its like name. */
export default async function startTestStores(project: TestProject): Promise<() => Promise<void>> {
  const dataDir = mkdtempSync(join(tmpdir(), 'docent-test-'))
  // mkdtemp makes it 0700, which would send Postgres' files to /var/lib when the run is root's.
  chmodSync(dataDir, 0o711)
  await using starting = new AsyncDisposableStack()
  starting.defer(() => rmSync(dataDir, { recursive: true, force: true }))
  const lines: string[] = []
  const stores = await openStores({ dataDir, scope: starting, log: (line) => lines.push(line), given: givenStores(process.env, 'TEST_') })
  project.provide('stores', stores)
  const scope = starting.move()
  return () => scope.disposeAsync()
}
