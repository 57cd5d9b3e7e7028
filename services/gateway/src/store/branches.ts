import { randomBytes, randomUUID } from 'node:crypto'
import { AppError } from '@docent/core/errors'
import type { Source } from '@docent/core/passage'
import { type Client, databaseError, inTransaction, type Pool } from '@docent/kit/postgres'
import type { AnswerBody } from './messages.ts'

export type BranchNode = {
  id: string
  title: string
  branchedFrom: { conversationId: string; messageId: string } | null
  createdAt: Date
  updatedAt: Date
}
export type Branches = ReturnType<typeof createBranches>
type Row = { id: string; seq: string; role: 'question' | 'answer'; state: string; body: AnswerBody }

/** Branches: a copy of a conversation up to one of its messages, which goes on by itself and stays when the other is deleted. */
export function createBranches(pool: Pool) {
  return {
    /**
     * Copies what was said up to `messageId`; with `before` that message itself is left out. Sources keep opening: their citations
     * are copied too. Returns the new conversation's id. Errors: not_found, conflict when that message is still being written.
     */
    async create(from: { conversationId: string; messageId: string; principal: string; before?: boolean }): Promise<string> {
      const { conversationId, messageId, principal, before = false } = from
      try {
        return await inTransaction(pool, async (client) => {
          const branch = randomUUID()
          const { rows } = await client.query<Row>(
            `SELECT m.id, m.seq, m.role, m.state, m.body FROM message m JOIN conversation c ON c.id = m.conversation
             WHERE c.id = $1 AND c.principal = $2 AND m.seq <= (SELECT seq FROM message WHERE id = $3 AND conversation = $1) ORDER BY m.seq`,
            [conversationId, principal, messageId],
          )
          const last = rows.at(-1)
          if (!last) throw new AppError('not_found', 'There is no such message in this conversation.')
          if (last.state === 'streaming') throw new AppError('conflict', 'This answer is still being written; wait for its end or stop it.')
          await client.query(
            `INSERT INTO conversation (id, principal, title, persona, parent, parent_message)
             SELECT $2, principal, title, persona, id, $3 FROM conversation WHERE id = $1`,
            [conversationId, branch, messageId],
          )
          const copies = new Map(rows.map(({ id }) => [id, randomUUID()]))
          for (const row of rows) if (row.state !== 'streaming' && !(before && row === last)) await copy(client, row, branch, copies)
          return branch
        })
      } catch (error) {
        throw databaseError(error)
      }
    },

    /** The whole tree that a conversation stands in, its root first; a branch whose origin was deleted is a root. */
    async tree(conversationId: string, principal: string): Promise<BranchNode[]> {
      try {
        const { rows } = await pool.query<BranchNode & { parent: string | null; message: string | null }>(
          `WITH RECURSIVE up AS (
             SELECT id, parent FROM conversation WHERE id = $1 AND principal = $2
             UNION ALL SELECT c.id, c.parent FROM conversation c JOIN up ON c.id = up.parent
           ), down AS (
             SELECT id FROM up WHERE parent IS NULL
             UNION ALL SELECT c.id FROM conversation c JOIN down ON c.parent = down.id
           )
           SELECT c.id, c.title, c.parent, c.parent_message AS message, c.created_at AS "createdAt", c.updated_at AS "updatedAt"
           FROM conversation c JOIN down USING (id) ORDER BY c.created_at, c.id`,
          [conversationId, principal],
        )
        return rows.map(({ parent, message, ...node }) => ({
          ...node,
          branchedFrom: parent && message ? { conversationId: parent, messageId: message } : null,
        }))
      } catch (error) {
        throw databaseError(error)
      }
    },
  }
}

/** Under new ids, in the same order; the events of a copy are not kept, for it was never streamed. */
async function copy(client: Client, { id, body }: Row, branch: string, copies: ReadonlyMap<string, string>): Promise<void> {
  const copyId = copies.get(id)
  const { log: _log, reserved: _reserved, stop: _stop, questionId, ...kept } = body
  const question = questionId && copies.get(questionId)
  const renamed = new Map((kept.sources ?? []).map(({ citationId }) => [citationId, randomBytes(16).toString('base64url')]))
  const rename = (source: Source): Source => ({ ...source, citationId: renamed.get(source.citationId) ?? source.citationId })
  const copied = {
    ...kept,
    ...(kept.sources ? { sources: kept.sources.map(rename) } : {}),
    ...(question ? { questionId: question } : {}),
    copyOf: id,
  }
  await client.query(
    `INSERT INTO message (id, conversation, role, text, state, error_code, error_text, body, created_at, ended_at)
     SELECT $2, $3, role, text, state, error_code, error_text, $4, created_at, ended_at FROM message WHERE id = $1`,
    [id, copyId, branch, JSON.stringify(copied)],
  )
  await client.query(
    `INSERT INTO citation (id, answer, n, document, version, chunk, passage, source)
     SELECT r.fresh, $2, c.n, c.document, c.version, c.chunk, c.passage, jsonb_set(c.source, '{citationId}', to_jsonb(r.fresh))
     FROM citation c JOIN unnest($3::text[], $4::text[]) AS r (old, fresh) ON r.old = c.id WHERE c.answer = $1`,
    [id, copyId, [...renamed.keys()], [...renamed.values()]],
  )
}
