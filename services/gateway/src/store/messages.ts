import type { CitationSpan, Usage } from '@docent/core/answer-event'
import { AppError } from '@docent/core/errors'
import type { Source } from '@docent/core/passage'
import { faultPoint } from '@docent/kit/fault-point'
import { type Client, databaseError, inTransaction, type Pool, type Queryable } from '@docent/kit/postgres'

/**
 * What is kept of an answer beside its text. `log` rebuilds its events: a number ends a delta, a pair is any other event
 * with its JSON as text, because jsonb would reorder the keys.
 */
export type AnswerBody = {
  sources?: Source[]
  citations?: CitationSpan[]
  degraded?: string[]
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

export type NewAnswer = {
  answerId: string
  questionId: string
  conversationId: string
  newConversation: boolean
  principal: string
  question: string
  persona: string
  owner: string
  body: AnswerBody
  idempotency?: { key: string; bodyHash: string }
  /** regenerating: the question row exists already */
  questionExists?: boolean
  /** how many answers of this principal may be written at once */
  maxOpen?: number
}

type Turn = { role: 'question' | 'answer'; text: string }
export type Unsummarised = { summary: string | undefined; turns: (Turn & { seq: string })[] }
export type Begun = { kind: 'new' } | { kind: 'seen'; answerId: string }
export type Messages = ReturnType<typeof createMessages>

const idempotentFor = "interval '24 hours'"

/** Questions and answers; an acknowledged question is committed. */
export function createMessages(pool: Pool) {
  return {
    /** One transaction: idempotency key, conversation, question, answer. */
    async begin(answer: NewAnswer): Promise<Begun> {
      try {
        return await inTransaction(pool, async (client) => {
          if (answer.idempotency) {
            const seen = await claimKey(client, answer)
            if (seen) return { kind: 'seen', answerId: seen }
          }
          if (answer.maxOpen !== undefined) await refuseWhenOpen(client, answer.principal, answer.maxOpen)
          await putConversation(client, answer)
          if (!answer.questionExists) {
            await client.query(`INSERT INTO message (id, conversation, role, text, state) VALUES ($1, $2, 'question', $3, 'done')`, [
              answer.questionId,
              answer.conversationId,
              answer.question,
            ])
          }
          await client.query(
            `INSERT INTO message (id, conversation, role, state, owner, heartbeat_at, body) VALUES ($1, $2, 'answer', 'streaming', $3, now(), $4)`,
            [answer.answerId, answer.conversationId, answer.owner, JSON.stringify(answer.body)],
          )
          faultPoint('S1')
          return { kind: 'new' }
        })
      } catch (error) {
        throw databaseError(error)
      }
    },

    /** The answer an Idempotency-Key was used for; another body with the same key is refused. */
    async seen(principal: string, key: string, bodyHash: string): Promise<string | undefined> {
      try {
        return await usedFor(pool, principal, key, bodyHash)
      } catch (error) {
        throw databaseError(error)
      }
    },

    /** Text so far and a sign of life for all streams of this process; returns those still ours and whether to stop. */
    async snapshot(rows: readonly { id: string; text: string; lastEvent: number }[]): Promise<Map<string, { stop: boolean }>> {
      const { rows: alive } = await pool.query<{ id: string; stop: boolean }>(
        `UPDATE message m SET text = u.text, last_event = u.last_event, heartbeat_at = now()
         FROM unnest($1::uuid[], $2::text[], $3::int[]) AS u (id, text, last_event)
         WHERE m.id = u.id AND m.state = 'streaming' RETURNING m.id, coalesce((m.body->>'stop')::boolean, false) AS stop`,
        [rows.map((row) => row.id), rows.map((row) => row.text), rows.map((row) => row.lastEvent)],
      )
      return new Map(alive.map((row) => [row.id, { stop: row.stop }]))
    },

    /** The end of an answer; false when it was already ended by someone else. */
    async finish(
      client: Pick<Pool, 'query'>,
      end: { id: string; text: string; state: string; code?: string; message?: string; lastEvent: number; body: AnswerBody },
    ): Promise<boolean> {
      const { rowCount } = await client.query(
        `UPDATE message SET text = $2, state = $3, error_code = $4, error_text = $5, last_event = $6, body = $7, ended_at = now()
         WHERE id = $1 AND state = 'streaming'`,
        [end.id, end.text, end.state, end.code ?? null, end.message ?? null, end.lastEvent, JSON.stringify(end.body)],
      )
      return rowCount === 1
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

/** Counted in Postgres, on all replicas together; questions of one principal wait for each other here. */
async function refuseWhenOpen(client: Client, principal: string, maxOpen: number): Promise<void> {
  await client.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [principal])
  const { rows } = await client.query<{ open: number }>(
    `SELECT count(*)::int AS open FROM message m JOIN conversation c ON c.id = m.conversation WHERE m.state = 'streaming' AND c.principal = $1`,
    [principal],
  )
  if (rows[0]!.open >= maxOpen)
    throw new AppError('rate_limited', `This key may have ${maxOpen} answers written at once; wait for one to end or stop it.`, {
      retryAfterS: 2,
    })
}

/** The answer the key was used for, or undefined when it is ours now. */
async function claimKey(client: Client, answer: NewAnswer): Promise<string | undefined> {
  const { key, bodyHash } = answer.idempotency!
  await client.query(`DELETE FROM idempotency WHERE principal = $1 AND key = $2 AND created_at < now() - ${idempotentFor}`, [
    answer.principal,
    key,
  ])
  const claimed = await client.query(
    'INSERT INTO idempotency (principal, key, body_hash, answer) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING RETURNING answer',
    [answer.principal, key, bodyHash, answer.answerId],
  )
  if (claimed.rowCount === 1) return undefined
  return usedFor(client, answer.principal, key, bodyHash)
}

async function usedFor(client: Queryable, principal: string, key: string, bodyHash: string): Promise<string | undefined> {
  const { rows } = await client.query<{ body_hash: string; answer: string }>(
    `SELECT body_hash, answer FROM idempotency WHERE principal = $1 AND key = $2 AND created_at > now() - ${idempotentFor}`,
    [principal, key],
  )
  if (rows[0] && rows[0].body_hash !== bodyHash) {
    throw new AppError('idempotency_mismatch', 'This Idempotency-Key was used with another body; use a new key for a new question.')
  }
  return rows[0]?.answer
}

async function putConversation(client: Client, answer: NewAnswer): Promise<void> {
  if (answer.newConversation) {
    await client.query('INSERT INTO conversation (id, principal, title, persona) VALUES ($1, $2, $3, $4)', [
      answer.conversationId,
      answer.principal,
      answer.question.slice(0, 80).toWellFormed(),
      answer.persona,
    ])
    return
  }
  const { rowCount } = await client.query('UPDATE conversation SET updated_at = now() WHERE id = $1 AND principal = $2', [
    answer.conversationId,
    answer.principal,
  ])
  if (rowCount !== 1) throw new AppError('not_found', 'There is no such conversation; leave conversationId out to begin one.')
}
