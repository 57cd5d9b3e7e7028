import { randomUUID } from 'node:crypto'
import { foldPattern } from '@docent/core/text/fold-pattern'
import { databaseError, type Pool, utcText } from '@docent/kit/postgres'
import type { AnswerBody } from './messages.ts'

export type ConversationView = {
  id: string
  title: string
  persona: string
  createdAt: Date
  updatedAt: Date
  branchedFrom: { conversationId: string; messageId: string } | null
}
export type MessageView = {
  id: string
  role: 'question' | 'answer'
  text: string
  state: string
  createdAt: Date
  sources?: unknown
  citations?: unknown
  degraded?: unknown
  warnings?: unknown
  answerable?: boolean
  /** in a branch: the message it was copied from */
  copyOf?: string
  error?: { code: string; message: string }
}
export type Conversations = ReturnType<typeof createConversations>

const view = `id, title, persona, created_at AS "createdAt", updated_at AS "updatedAt",
  CASE WHEN parent IS NOT NULL THEN json_build_object('conversationId', parent, 'messageId', parent_message) END AS "branchedFrom"`

/** Conversations, each seen by its principal only; foreign and missing look the same. */
export function createConversations(pool: Pool) {
  const query = async <R extends object>(sql: string, values: unknown[]) => {
    try {
      return await pool.query<R>(sql, values)
    } catch (error) {
      throw databaseError(error)
    }
  }
  return {
    /** The latest first, at most `limit` after `after`; `at` is to the microsecond. `text`: part of the title or of anything said in it. */
    async list(
      principal: string,
      limit: number,
      after?: [at: string, id: string],
      text?: string,
    ): Promise<(ConversationView & { at: string })[]> {
      const { rows } = await query<ConversationView & { at: string }>(
        `SELECT ${view}, ${utcText('updated_at')} AS at FROM conversation c WHERE principal = $1
           AND ($2::timestamptz IS NULL OR (updated_at, id) < ($2, $5::uuid))
           AND ($4::text IS NULL OR normalize(title, NFKC) ~* $4 OR EXISTS (SELECT FROM message m WHERE m.conversation = c.id AND normalize(m.text, NFKC) ~* $4))
         ORDER BY updated_at DESC, id DESC LIMIT $3`,
        [principal, after?.[0] ?? null, limit, text === undefined ? null : foldPattern(text), after?.[1] ?? null],
      )
      return rows
    },
    async byId(id: string): Promise<ConversationView | undefined> {
      return (await query<ConversationView>(`SELECT ${view} FROM conversation WHERE id = $1`, [id])).rows[0]
    },
    /** Its answers, and under which key a cache may hold their text. */
    async answers(id: string): Promise<{ answerId: string; state: string; cacheKey: string | null }[]> {
      const { rows } = await query<{ answerId: string; state: string; cacheKey: string | null }>(
        `SELECT m.id AS "answerId", m.state, r.record->>'cacheKey' AS "cacheKey" FROM message m LEFT JOIN record r ON r.answer = m.id
         WHERE m.conversation = $1 AND m.role = 'answer'`,
        [id],
      )
      return rows
    },
    async find(id: string, principal: string): Promise<ConversationView | undefined> {
      const { rows } = await query<ConversationView>(`SELECT ${view} FROM conversation WHERE id = $1 AND principal = $2`, [id, principal])
      return rows[0]
    },
    async messages(id: string, limit: number, after: number, upto?: number): Promise<{ items: MessageView[]; next?: string }> {
      const { rows } = await query<MessageView & { seq: string; body: AnswerBody; error_code: string | null; error_text: string | null }>(
        `SELECT id, seq, role, text, state, created_at AS "createdAt", body, error_code, error_text FROM message WHERE conversation = $1 AND seq > $2
           AND ($4::bigint IS NULL OR seq <= $4) ORDER BY seq LIMIT $3`,
        [id, after, limit + 1, upto ?? null],
      )
      const items = rows.slice(0, limit).map(({ body, seq: _seq, error_code: code, error_text: text, ...message }) =>
        message.role === 'question'
          ? { ...message, ...(body.copyOf ? { copyOf: body.copyOf } : {}) }
          : {
              ...message,
              ...(body.copyOf ? { copyOf: body.copyOf } : {}),
              sources: body.sources ?? [],
              citations: body.citations ?? [],
              degraded: body.degraded ?? [],
              ...(body.warnings ? { warnings: body.warnings } : {}),
              answerable: body.answerable ?? true,
              ...(code && message.state !== 'done' ? { error: { code, message: text ?? '' } } : {}),
            },
      )
      return { items, ...(rows.length > limit ? { next: rows[limit - 1]!.seq } : {}) }
    },
    async create(principal: string, title: string, persona: string): Promise<string> {
      const id = randomUUID()
      await query('INSERT INTO conversation (id, principal, title, persona) VALUES ($1, $2, $3, $4)', [id, principal, title, persona])
      return id
    },
    async rename(id: string, principal: string, title: string): Promise<boolean> {
      return (await query('UPDATE conversation SET title = $3 WHERE id = $1 AND principal = $2', [id, principal, title])).rowCount === 1
    },
    async remove(id: string, principal: string): Promise<boolean> {
      return (await query('DELETE FROM conversation WHERE id = $1 AND principal = $2', [id, principal])).rowCount === 1
    },
    async count(): Promise<{ conversations: number; questions: number }> {
      const { rows } = await query<{ conversations: number; questions: number }>(
        `SELECT (SELECT count(*)::int FROM conversation) AS conversations, (SELECT count(*)::int FROM message WHERE role = 'question') AS questions`,
        [],
      )
      return rows[0]!
    },
  }
}
