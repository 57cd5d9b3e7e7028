import { fileURLToPath } from 'node:url'
import { isDatabaseTrouble, isDiskFull } from '@docent/core/database-trouble'
import { AppError } from '@docent/core/errors'
import { runner } from 'node-pg-migrate'
import pg from 'pg'
import type { Log } from './logger.ts'

export type Pool = pg.Pool
export type Client = pg.PoolClient
export type Queryable = Pick<pg.Pool, 'query'>

/** A pool whose idle errors are logged, whose waits and statements end. */
export function openPostgres(url: string, log: Log, options: { max?: number; name?: string; queryTimeoutMs?: number } = {}): Pool {
  const { queryTimeoutMs = 20_000 } = options
  const pool = new pg.Pool({
    connectionString: url,
    max: options.max ?? 8,
    application_name: options.name ?? 'docent',
    connectionTimeoutMillis: 3_000,
    // the server gives up first: what a caller took for refused must not be committed after all
    statement_timeout: Math.min(15_000, queryTimeoutMs - 500),
    query_timeout: queryTimeoutMs,
    idle_in_transaction_session_timeout: 30_000,
    keepAlive: true,
  })
  pool.on('error', (error) => log.warn({ err: error }, 'an idle database connection was lost'))
  return pool
}

/** Queries that give their rows, and whose connection trouble is `unavailable`. */
export function rowsOf(pool: Queryable) {
  return async <R extends object>(sql: string, values: unknown[] = []): Promise<R[]> => {
    try {
      return (await pool.query<R>(sql, values)).rows
    } catch (error) {
      throw databaseError(error)
    }
  }
}

/** Runs `work` in one transaction; anything thrown rolls it back. */
export async function inTransaction<T>(pool: Pool, work: (client: Client) => Promise<T>): Promise<T> {
  const client = await pool.connect()
  let broken: Error | undefined
  // a connection that ends between two statements says so by an event, which would end the process if nobody heard it
  const note = (error: Error) => {
    broken = error
  }
  client.on('error', note)
  try {
    await client.query('BEGIN')
    const result = await work(client)
    await client.query('COMMIT')
    return result
  } catch (error) {
    // behind a statement that hangs a ROLLBACK would wait as long again: such a connection is closed instead
    if (isTimeout(error)) broken = error as Error
    else
      await client.query('ROLLBACK').catch((rollback: Error) => {
        broken = rollback
      })
    throw error
  } finally {
    client.off('error', note)
    client.release(broken)
  }
}

function isTimeout(error: unknown): boolean {
  return error instanceof Error && error.message === 'Query read timeout'
}

/** Connection trouble is `unavailable` with Retry-After, not an internal error. */
export function databaseError(error: unknown): unknown {
  if (!isDatabaseTrouble(error)) return error
  const message = isDiskFull(error) ? 'The database has no space left on its disk' : 'The database does not answer'
  return new AppError('unavailable', `${message}; try again in a moment.`, { cause: error, retryAfterS: 2 })
}

/** SQL: a time in UTC to the microsecond, like 2026-11-21T12:00:00.000000Z. As a Date it would be rounded, and a page would begin beside the row it should. */
export function utcText(column: string): string {
  return `to_char(${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`
}

/** Applies the SQL files of a folder to a schema, as `role` when given; replicas wait for each other. */
export async function migrate(url: string, options: { dir: URL; schema: string; log: (line: string) => void }): Promise<void> {
  await runner({
    databaseUrl: url,
    dir: fileURLToPath(options.dir),
    direction: 'up',
    migrationsTable: 'migration',
    schema: options.schema,
    migrationsSchema: options.schema,
    createSchema: true,
    createMigrationsSchema: true,
    advisoryLockMode: 'wait',
    checkOrder: true,
    log: options.log,
  })
}
