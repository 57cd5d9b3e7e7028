import type { CitationSpan, Usage, Warning } from '@docent/core/answer-event'
import type { Source } from '@docent/core/passage'
import { databaseError, type Pool } from '@docent/kit/postgres'

/**
 * What is kept of an answer beside its text. `log` rebuilds its events: a number ends a delta, a pair is any other event
 * with its JSON as text, because jsonb would reorder the keys.
 */
export type AnswerBody = {
  sources?: Source[]
  citations?: CitationSpan[]
  degraded?: string[]
  warnings?: Warning[]
  usage?: Usage
  model?: string
  traceId?: string
  settingsVersion?: number
  answerable?: boolean
  approved?: { id: string; at: string }
  persona?: string
  reserved?: { day: string; tokens: number; money?: number; principal: string }
  question?: string
  questionId?: string
  /** in a branch: the message it was copied from */
  copyOf?: string
  log?: (number | [string, string])[]
  stop?: boolean
}

export type AnswerRow = {
  id: string
  conversation: string
  principal: string
  text: string
  state: 'streaming' | 'done' | 'stopped' | 'interrupted' | 'error'
  error_code: string | null
  error_text: string | null
  last_event: number
  body: AnswerBody
  created_at: Date
}

type Turn = { role: 'question' | 'answer'; text: string }
export type Unsummarised = { summary: string | undefined; turns: (Turn & { seq: string })[] }
export type Messages = ReturnType<typeof createMessages>

export const idempotentFor = "interval '24 hours'"

/** SQL that locks those of these answers that are being written, in the one order in which all do it: crosswise it would be a deadlock. */
export function streamingOf(ids: string): string {
  return `SELECT id FROM message WHERE id IN (${ids}) AND state = 'streaming' ORDER BY id FOR NO KEY UPDATE`
}

/** Questions and answers; how they begin: beginnings.ts, how they end: endings.ts. */
export function createMessages(pool: Pool) {
  return {
    /** Text so far and a sign of life for all streams of this process; returns those still ours and whether to stop. */
    async snapshot(rows: readonly { id: string; text: string; lastEvent: number }[]): Promise<Map<string, { stop: boolean }>> {
      const { rows: alive } = await pool.query<{ id: string; stop: boolean }>(
        `WITH mine AS MATERIALIZED (${streamingOf('SELECT unnest($1::uuid[])')})
         UPDATE message m SET text = u.text, last_event = u.last_event, heartbeat_at = now()
         FROM unnest($1::uuid[], $2::text[], $3::int[]) AS u (id, text, last_event) JOIN mine USING (id)
         WHERE m.id = u.id AND m.state = 'streaming' RETURNING m.id, coalesce((m.body->>'stop')::boolean, false) AS stop`,
        [rows.map((row) => row.id), rows.map((row) => row.text), rows.map((row) => row.lastEvent)],
      )
      return new Map(alive.map((row) => [row.id, { stop: row.stop }]))
    },

    async answer(id: string): Promise<AnswerRow | undefined> {
      try {
        const { rows } = await pool.query<AnswerRow>(
          `SELECT m.id, m.conversation, c.principal, m.text, m.state, m.error_code, m.error_text, m.last_event, m.body, m.created_at
           FROM message m JOIN conversation c ON c.id = m.conversation WHERE m.id = $1 AND m.role = 'answer'`,
          [id],
        )
        return rows[0]
      } catch (error) {
        throw databaseError(error)
      }
    },

    /** Asks whichever process owns the answer to stop; it looks each second. */
    async askToStop(id: string): Promise<void> {
      await pool.query(`UPDATE message SET body = body || '{"stop": true}' WHERE id = $1 AND state = 'streaming'`, [id])
    },

    async orphans(olderThanMs: number): Promise<AnswerRow[]> {
      const { rows } = await pool.query<AnswerRow>(
        `SELECT m.id, m.conversation, '' AS principal, m.text, m.state, m.error_code, m.error_text, m.last_event, m.body, m.created_at
         FROM message m WHERE m.state = 'streaming' AND m.heartbeat_at < now() - $1 * interval '1 millisecond' LIMIT 500`,
        [olderThanMs],
      )
      return rows
    },

    /** Answers that are older than their `questionId` stand right behind their question. */
    async questionOf(answer: AnswerRow): Promise<{ id: string; text: string } | undefined> {
      const { rows } = await pool.query<{ id: string; text: string }>(
        `SELECT id, text FROM message WHERE conversation = $1 AND role = 'question' AND seq < (SELECT seq FROM message WHERE id = $2)
           AND ($3::uuid IS NULL OR id = $3) ORDER BY seq DESC LIMIT 1`,
        [answer.conversation, answer.id, answer.body.questionId ?? null],
      )
      return rows[0]
    },

    /** What came before this answer, or all of it, as far as no summary covers it; oldest first, at most `limit` messages. */
    async unsummarised(conversationId: string, before: string | undefined, limit: number): Promise<Unsummarised> {
      const { rows } = await pool.query<{ summary: string | null; seq: string | null; role: Turn['role']; text: string }>(
        `SELECT c.summary, m.seq, m.role, m.text FROM conversation c
         LEFT JOIN message m ON m.conversation = c.id AND m.state <> 'streaming' AND m.seq > coalesce(c.summary_upto, 0)
           AND ($2::uuid IS NULL OR m.seq < (SELECT seq FROM message WHERE id = $2))
         WHERE c.id = $1 ORDER BY m.seq DESC LIMIT $3`,
        [conversationId, before ?? null, limit],
      )
      const turns = rows.flatMap(({ seq, role, text }) => (seq === null ? [] : [{ seq, role, text }])).reverse()
      return { summary: rows[0]?.summary ?? undefined, turns }
    },

    /** The summary of what stands up to that message, unless a later one is there. */
    async summarise(conversationId: string, summary: string, upto: string): Promise<void> {
      await pool.query('UPDATE conversation SET summary = $2, summary_upto = $3 WHERE id = $1 AND coalesce(summary_upto, 0) < $3', [
        conversationId,
        summary,
        upto,
      ])
    },

    async deleteOld(days: number): Promise<number> {
      const { rowCount } = await pool.query(`DELETE FROM conversation WHERE updated_at < now() - $1 * interval '1 day'`, [days])
      await pool.query(`DELETE FROM idempotency WHERE created_at < now() - ${idempotentFor}`)
      return rowCount ?? 0
    },
  }
}
