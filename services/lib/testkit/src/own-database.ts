import { randomBytes } from 'node:crypto'
import pg from 'pg'

/** A database that is migrated once for a whole run; what `ownDatabase` makes on its server is a copy of it. */
export const migratedDatabase = 'docent_migrated'

/** A database of its own for one stack, dropped at the end; `empty`: without a table, even where there is one to copy. */
export async function ownDatabase(adminUrl: string, scope: AsyncDisposableStack, { empty = false } = {}): Promise<string> {
  const name = `stack_${randomBytes(6).toString('hex')}`
  await onServer(adminUrl, async (client) => {
    const { rowCount } = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [migratedDatabase])
    await client.query(`CREATE DATABASE ${name} TEMPLATE ${rowCount && !empty ? migratedDatabase : 'template1'}`)
  })
  scope.defer(() => onServer(adminUrl, (client) => client.query(`DROP DATABASE ${name} WITH (FORCE)`)))
  return databaseAt(adminUrl, name)
}

/** One connection to the server for as long as `act` takes. */
export async function onServer(adminUrl: string, act: (client: pg.Client) => Promise<unknown>): Promise<void> {
  const client = new pg.Client({ connectionString: adminUrl })
  await client.connect()
  try {
    await act(client)
  } finally {
    await client.end()
  }
}

export function databaseAt(adminUrl: string, name: string): string {
  const url = new URL(adminUrl)
  url.pathname = `/${name}`
  return url.href
}
