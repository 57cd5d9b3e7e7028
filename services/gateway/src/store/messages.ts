import type { CitationSpan, Usage } from '@docent/core/answer-event'
import { AppError } from '@docent/core/errors'
import type { Source } from '@docent/core/passage'
import { faultPoint } from '@docent/kit/fault-point'
import { type Client, databaseError, inTransaction, type Pool, type Queryable } from '@docent/kit/postgres'
import { createBatch } from './batch.ts'

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
  const putPlain = createBatch((answers: readonly NewAnswer[]) => put(pool, answers))
  return {
    /** One transaction: idempotency key, conversation, question, answer; one for all questions that come at once. */
    async begin(answer: NewAnswer): Promise<Begun> {
      try {
        const isPlain = !answer.idempotency && answer.maxOpen === undefined
        if (isPlain) return begunOf(await putPlain(answer))
        return await inTransaction(pool, async (client) => {
          if (answer.idempotency) {
            const seen = await claimKey(client, answer)
            if (seen) return { kind: 'seen', answerId: seen }
          }
          if (answer.maxOpen !== undefined) await refuseWhenOpen(client, answer.principal, answer.maxOpen)
          return begunOf((await put(client, [answer]))[0])
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

/** Which of them are stored: all but those of a conversation that is not there, or not theirs. */
async function put(into: Queryable, answers: readonly NewAnswer[]): Promise<boolean[]> {
  const given = answers.map((answer, i) => ({
    i,
    answer: answer.answerId,
    question: answer.questionExists ? null : answer.questionId,
    conversation: answer.conversationId,
    is_new: answer.newConversation,
    principal: answer.principal,
    title: answer.question.slice(0, 80).toWellFormed(),
    persona: answer.persona,
    text: answer.question,
    owner: answer.owner,
    body: answer.body,
  }))
  faultPoint('S1')
  const { rows } = await into.query<{ id: string }>({ name: 'begin-answers', text: putSql, values: [JSON.stringify(given)] })
  const stored = new Set(rows.map(({ id }) => id))
  return answers.map(({ answerId }) => stored.has(answerId))
}

// both rows by one INSERT: their seq, the order of a conversation, follows its ORDER BY
const putSql = `
WITH given AS MATERIALIZED (
  SELECT * FROM json_to_recordset($1::json) AS g (i int, answer uuid, question uuid, conversation uuid, is_new boolean, principal text, title text,
    persona text, text text, owner text, body jsonb)
), fresh AS (
  INSERT INTO conversation (id, principal, title, persona) SELECT conversation, principal, title, persona FROM given WHERE is_new RETURNING id, principal
), touched AS (
  UPDATE conversation c SET updated_at = now() FROM given g WHERE NOT g.is_new AND c.id = g.conversation AND c.principal = g.principal
  RETURNING c.id, c.principal
), place AS (SELECT * FROM fresh UNION ALL SELECT * FROM touched), stored AS (
  INSERT INTO message (id, conversation, role, text, state, owner, heartbeat_at, body)
  SELECT id, conversation, role, text, state, owner, heartbeat_at, body FROM (
    SELECT i, 1 AS part, question AS id, conversation, 'question' AS role, text, 'done' AS state, NULL AS owner, NULL::timestamptz AS heartbeat_at,
      '{}'::jsonb AS body, principal FROM given WHERE question IS NOT NULL
    UNION ALL SELECT i, 2, answer, conversation, 'answer', '', 'streaming', owner, now(), body, principal FROM given
  ) m WHERE (conversation, principal) IN (SELECT id, principal FROM place) ORDER BY i, part
  RETURNING id, role
)
SELECT id FROM stored WHERE role = 'answer'`

function begunOf(stored: boolean | undefined): Begun {
  if (stored) return { kind: 'new' }
  throw new AppError('not_found', 'There is no such conversation; leave conversationId out to begin one.')
}
