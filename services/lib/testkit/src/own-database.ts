import { randomBytes } from 'node:crypto'
import pg from 'pg'

/** A database of its own for one stack, dropped at the end. */
export async function ownDatabase(adminUrl: string, scope: AsyncDisposableStack): Promise<string> {
  const name = `stack_${randomBytes(6).toString('hex')}`
  const run = async (sql: string) => {
    const client = new pg.Client({ connectionString: adminUrl })
    await client.connect()
    try {
      await client.query(sql)
    } finally {
      await client.end()
    }
  }
  await run(`CREATE DATABASE ${name}`)
  scope.defer(() => run(`DROP DATABASE ${name} WITH (FORCE)`))
  const url = new URL(adminUrl)
  url.pathname = `/${name}`
  return url.href
}
