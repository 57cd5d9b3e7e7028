import { randomUUID } from 'node:crypto'
import { databaseError, inTransaction, type Pool, type Queryable, rowsOf } from '@docent/kit/postgres'

/** A fact about a reader; `answerId` is the answer after whose question it was learned. */
export type Memory = { id: string; fact: string; answerId: string; createdAt: Date; updatedAt: Date }
/** What a reader who opted in is known by; `epoch` as it was when this was read. */
export type Known = { epoch: number; facts: { id: string; fact: string }[] }
/** `replaces`: the fact that it takes the place of. */
export type Learned = { fact: string; replaces?: string }
export type Memories = ReturnType<typeof createMemories>

const view = 'id, fact, answer AS "answerId", created_at AS "createdAt", updated_at AS "updatedAt"'
const lock = 'SELECT pg_advisory_xact_lock(hashtextextended($1, 2))'

/** Facts about readers, each seen and used for its own principal only; at most `most` of them for one. */
export function createMemories(pool: Pool, most: number) {
  const query = rowsOf(pool)
  /** Changes that make what is being learned right now unwanted. */
  async function change<T>(principal: string, work: (client: Queryable) => Promise<T>): Promise<T> {
    try {
      return await inTransaction(pool, async (client) => {
        await client.query(lock, [principal])
        await client.query('UPDATE memory_reader SET epoch = epoch + 1, changed_at = now() WHERE principal = $1', [principal])
        return work(client)
      })
    } catch (error) {
      throw databaseError(error)
    }
  }

  return {
    isEnabled: async (principal: string): Promise<boolean> =>
      (await query<{ enabled: boolean }>('SELECT enabled FROM memory_reader WHERE principal = $1', [principal]))[0]?.enabled ?? false,
    /** Off keeps the facts, unused, until they are deleted. */
    enable: (principal: string, enabled: boolean): Promise<void> =>
      change(principal, async (client) => {
        await client.query(
          'INSERT INTO memory_reader (principal, enabled) VALUES ($1, $2) ON CONFLICT (principal) DO UPDATE SET enabled = $2',
          [principal, enabled],
        )
      }),
    list: (principal: string) => query<Memory>(`SELECT ${view} FROM memory WHERE principal = $1 ORDER BY updated_at DESC, id`, [principal]),
    /** Undefined when he did not opt in; the newest facts first. */
    async known(principal: string): Promise<Known | undefined> {
      const rows = await query<{ epoch: number; id: string | null; fact: string }>(
        `SELECT r.epoch, m.id, m.fact FROM memory_reader r LEFT JOIN memory m ON m.principal = r.principal
         WHERE r.principal = $1 AND r.enabled ORDER BY m.updated_at DESC, m.id`,
        [principal],
      )
      return rows[0] && { epoch: rows[0].epoch, facts: rows.flatMap(({ id, fact }) => (id === null ? [] : [{ id, fact }])) }
    },
    /**
     * Stores what `decide` makes of the facts as they are now. Nothing is stored when the reader switched memory off or deleted
     * something since `epoch`, nor when the answer was deleted; the facts that were said longest ago make room.
     */
    async learn(
      from: { principal: string; epoch: number; answerId: string },
      decide: (facts: Known['facts']) => readonly Learned[],
    ): Promise<number> {
      try {
        return await inTransaction(pool, async (client) => {
          await client.query(lock, [from.principal])
          const { rowCount } = await client.query(
            `SELECT FROM memory_reader r JOIN message m ON m.id = $3 WHERE r.principal = $1 AND r.enabled AND r.epoch = $2
             FOR KEY SHARE OF m`,
            [from.principal, from.epoch, from.answerId],
          )
          if (rowCount !== 1) return 0
          const { rows } = await client.query<Known['facts'][number]>(
            'SELECT id, fact FROM memory WHERE principal = $1 ORDER BY updated_at DESC, id',
            [from.principal],
          )
          const learned = decide(rows)
          for (const { fact, replaces } of learned)
            await client.query(
              `INSERT INTO memory (id, principal, fact, answer, updated_at) VALUES ($1, $2, $3, $4, clock_timestamp())
               ON CONFLICT (id) DO UPDATE SET fact = $3, answer = $4, updated_at = clock_timestamp()`,
              [replaces ?? randomUUID(), from.principal, fact, from.answerId],
            )
          await client.query(
            `DELETE FROM memory WHERE id IN (SELECT id FROM memory WHERE principal = $1 ORDER BY updated_at DESC, id OFFSET $2)`,
            [from.principal, most],
          )
          return learned.length
        })
      } catch (error) {
        throw databaseError(error)
      }
    },
    edit: async (principal: string, id: string, fact: string): Promise<Memory | undefined> =>
      change(principal, async (client) => {
        const { rows } = await client.query<Memory>(
          `UPDATE memory SET fact = $3, updated_at = now() WHERE principal = $1 AND id = $2 RETURNING ${view}`,
          [principal, id, fact],
        )
        return rows[0]
      }),
    remove: (principal: string, id: string): Promise<boolean> =>
      change(principal, async (client) => {
        const { rowCount } = await client.query('DELETE FROM memory WHERE principal = $1 AND id = $2', [principal, id])
        return rowCount === 1
      }),
    removeAll: (principal: string): Promise<void> =>
      change(principal, async (client) => void (await client.query('DELETE FROM memory WHERE principal = $1', [principal]))),
  }
}
