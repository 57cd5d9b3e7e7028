import { isDatabaseTrouble } from '@docent/core/database-trouble'
import { AppError } from '@docent/core/errors'
import type pg from 'pg'

export type Pool = pg.Pool
export type Queryable = Pick<pg.ClientBase, 'query'>
/** A pool or a transaction: whatever answers one statement. */
export type Asks = { query<R extends pg.QueryResultRow>(text: string, values?: unknown[]): Promise<{ rows: R[] }> }

/** What the corpus needs of a logger; pino's fits. */
export type CorpusLog = { info(fields: object, message: string): void; warn(fields: object, message: string): void }

// advisory locks of this database; kit's migrations use another number
const FEED_LOCK = 7_310_461
const VECTOR_LOCK = 7_310_462
const GENERATION_LOCK = 7_310_463

/** A pool whose lost connections and timeouts are `unavailable`, for every caller alike. */
export function guardPool(pool: Pool) {
  return {
    query: <R extends pg.QueryResultRow>(text: string, values?: unknown[]): Promise<pg.QueryResult<R>> =>
      pool.query<R>(text, values).catch(translate),
    /** parsed once a connection, under this name: for what each search asks */
    prepared: <R extends pg.QueryResultRow>(name: string, text: string, values: unknown[]): Promise<pg.QueryResult<R>> =>
      pool.query<R>({ name, text, values }).catch(translate),
    async transaction<T>(work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
      const client = await pool.connect().catch(translate)
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
        await client.query('ROLLBACK').catch((rollback: Error) => {
          broken = rollback
        })
        return translate(error)
      } finally {
        client.off('error', note)
        client.release(broken)
      }
    },
  }
}
export type Database = ReturnType<typeof guardPool>

function translate(error: unknown): never {
  if (error instanceof AppError) throw error
  if (isDatabaseTrouble(error))
    throw new AppError('unavailable', 'The database does not answer; try again in a moment.', { cause: error, retryAfterS: 2 })
  throw error
}

/** Numbers of the feed are given out and committed in the same order, or a follower would step over a late one. */
export async function appendChange(
  client: Queryable,
  documentId: string,
  kind: 'activated' | 'moved' | 'removed',
  version: number | null,
): Promise<void> {
  // the row takes its number only when the lock is held
  await client.query(
    `WITH held AS MATERIALIZED (SELECT pg_advisory_xact_lock($1))
     INSERT INTO change_feed (document, kind, version) SELECT $2, $3, $4 FROM held RETURNING pg_notify('corpus_change', '')`,
    [FEED_LOCK, documentId, kind, version],
  )
}

/** Many documents whose place changed, in one go. */
export async function appendMoves(client: Queryable, documentIds: readonly string[]): Promise<void> {
  if (documentIds.length === 0) return
  await client.query('SELECT pg_advisory_xact_lock($1)', [FEED_LOCK])
  await client.query(`INSERT INTO change_feed (document, kind) SELECT id, 'moved' FROM unnest($1::uuid[]) AS row (id)`, [documentIds])
  await client.query('NOTIFY corpus_change')
}

/** Held while chunks that need vectors are written; excluded while unused vectors are deleted. */
export async function keepVectors(client: Queryable): Promise<void> {
  await client.query('SELECT pg_advisory_xact_lock_shared($1)', [VECTOR_LOCK])
}
export async function lockVectors(client: Queryable): Promise<void> {
  await client.query('SELECT pg_advisory_xact_lock($1)', [VECTOR_LOCK])
}
export async function lockGenerations(client: Queryable): Promise<void> {
  await client.query('SELECT pg_advisory_xact_lock($1)', [GENERATION_LOCK])
}
