import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { givenStores, openStores, type Stores } from '@docent/solo/stores'
import type { TestProject } from 'vitest/node'
import { databaseAt, migratedDatabase, onServer } from './own-database.ts'
import { migrateTemp } from './temp-database.ts'

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
  const given = givenStores(process.env, 'TEST_')
  const stores = await openStores({ dataDir, scope: starting, log: (line) => lines.push(line), given })
  if (!given.databaseUrl) await prepare(stores.databaseUrl)
  project.provide('stores', stores)
  const scope = starting.move()
  return () => scope.disposeAsync()
}

/** Our own Postgres dies with the run and nobody cuts its power: it waits for no disk, and migrates once what tests take copies of. */
async function prepare(adminUrl: string): Promise<void> {
  await onServer(adminUrl, async (client) => {
    for (const name of ['fsync', 'full_page_writes']) await client.query(`ALTER SYSTEM SET ${name} = off`)
    await client.query('SELECT pg_reload_conf()')
    await client.query(`CREATE DATABASE ${migratedDatabase}`)
  })
  await migrateTemp(adminUrl, databaseAt(adminUrl, migratedDatabase))
}
