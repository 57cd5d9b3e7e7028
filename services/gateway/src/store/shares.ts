import { randomBytes } from 'node:crypto'
import { type Pool, rowsOf } from '@docent/kit/postgres'

export type Share = { id: string; conversation: string; upto: number; createdAt: Date }
export type Shares = ReturnType<typeof createShares>

const view = 'id, conversation, upto::float8 AS upto, created_at AS "createdAt"'

/** Links to a conversation as it stood, under ids nobody can guess (192 bits). */
export function createShares(pool: Pool) {
  const query = rowsOf(pool)
  return {
    async create(conversation: string): Promise<Share> {
      const rows = await query<Share>(
        `INSERT INTO share (id, conversation, upto) SELECT $1, $2, coalesce(max(seq), 0) FROM message WHERE conversation = $2 RETURNING ${view}`,
        [randomBytes(24).toString('base64url'), conversation],
      )
      return rows[0]!
    },
    list: (conversation: string) =>
      query<Share>(`SELECT ${view} FROM share WHERE conversation = $1 ORDER BY created_at, id`, [conversation]),
    /** With whose conversation it is. */
    find: async (id: string): Promise<(Share & { principal: string }) | undefined> =>
      (
        await query<Share & { principal: string }>(
          `SELECT s.id, s.conversation, s.upto::float8 AS upto, s.created_at AS "createdAt", c.principal
           FROM share s JOIN conversation c ON c.id = s.conversation WHERE s.id = $1`,
          [id],
        )
      )[0],
    removeAll: async (conversation: string): Promise<void> =>
      void (await query('DELETE FROM share WHERE conversation = $1', [conversation])),
  }
}
