import { AppError } from '@docent/core/errors'
import { faultPoint } from '@docent/kit/fault-point'
import { type Client, databaseError, inTransaction, type Pool, type Queryable } from '@docent/kit/postgres'
import { createBatch } from './batch.ts'
import { type AnswerBody, idempotentFor } from './messages.ts'
import { type SavedAnswer, savedView } from './saved-answers.ts'
import type { Amount, BudgetShare, Reservation, UsageStore } from './usage.ts'

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
  reservation: Reservation
  idempotency?: { key: string; bodyHash: string }
  /** regenerating: the question row exists already */
  questionExists?: boolean
  /** by which an approved answer is looked for */
  normal?: string
  /** of a key with limits of its own: tokens a day, and how many answers of this principal may be written at once */
  ownTokens?: number
  maxOpen?: number
}
export type Begun = { kind: 'new'; shares: BudgetShare[]; approved?: SavedAnswer } | { kind: 'seen'; answerId: string }
export type Beginnings = ReturnType<typeof createBeginnings>

type Stored = { shares: BudgetShare[]; approved?: SavedAnswer }
/** Stored, not stored (its key was used, or it is nobody's conversation), or refused by a budget. */
type Outcome = Stored | 'not stored' | AppError

/** The begin of an answer: an acknowledged question is committed, and what its answer may use is put aside. */
export function createBeginnings(pool: Pool, usage: UsageStore) {
  /** What is asked at once is reserved and stored at once; where the sum does not fit, or the day begins, each is looked at by itself. */
  const putShared = createBatch(async (answers: readonly NewAnswer[]): Promise<Outcome[]> => {
    const counted = answers.map(({ reservation }) => reservation).filter(usage.isCounted)
    const days = new Set(counted.map(({ day }) => day))
    if (days.size <= 1) {
      const stored = await put(pool, answers, counted[0] && sumOf(counted, counted[0].day))
      if (stored) return stored
    }
    const each: Outcome[] = []
    for (const answer of answers) each.push(await putAlone(answer))
    return each
  })

  async function putAlone(answer: NewAnswer): Promise<Outcome> {
    const { reservation } = answer
    if (usage.isCounted(reservation)) await usage.openDay(reservation.day)
    const stored = await put(pool, [answer], usage.isCounted(reservation) ? reservation : undefined)
    return stored?.[0] ?? usage.refusal(reservation)
  }

  /** Undefined when the amount does not fit: then nothing is stored. */
  async function put(into: Queryable, answers: readonly NewAnswer[], amount: Amount | undefined): Promise<Outcome[] | undefined> {
    faultPoint('S1')
    const given = JSON.stringify(answers.map(rowOf))
    const { rows } = await into.query<{
      id: string | null
      figures: Parameters<UsageStore['sharesOf']>[0] | null
      approved: SavedAnswer | null
    }>({
      name: 'begin-answers',
      text: sqlOf(usage.taking),
      values: [...usage.takingValues(amount), given],
    })
    if (rows.length === 0) return undefined
    const byId = new Map(rows.map((row) => [row.id, row]))
    return answers.map(({ answerId }) => {
      const row = byId.get(answerId)
      if (!row) return 'not stored'
      const { figures, approved } = row
      return {
        shares: figures ? usage.sharesOf(figures) : [],
        ...(approved ? { approved: { ...approved, createdAt: new Date(approved.createdAt) } } : {}),
      }
    })
  }

  /** Keys with limits of their own: one transaction each. */
  async function putLimited(answer: NewAnswer): Promise<Begun> {
    const { reservation, ownTokens, maxOpen, idempotency, principal } = answer
    const shares = await usage.reserve(reservation, ownTokens)
    try {
      const begun = await inTransaction(pool, async (client): Promise<Begun> => {
        if (idempotency) await forgetOld(client, principal, idempotency.key)
        if (maxOpen !== undefined) await refuseWhenOpen(client, principal, maxOpen)
        const [outcome] = (await put(client, [answer], undefined))!
        if (typeof outcome === 'object' && 'shares' in outcome) return { kind: 'new', ...outcome, shares }
        const seen = idempotency && (await usedFor(client, principal, idempotency))
        if (seen) return { kind: 'seen', answerId: seen }
        throw notThere()
      })
      if (begun.kind === 'seen') await release(answer)
      return begun
    } catch (error) {
      await release(answer)
      throw error
    }
  }

  async function putPlain(answer: NewAnswer, again = false): Promise<Begun> {
    const outcome = await putShared(answer)
    if (outcome instanceof AppError) throw outcome
    if (outcome !== 'not stored') return { kind: 'new', ...outcome }
    await release(answer)
    const { principal, idempotency } = answer
    if (!idempotency) throw notThere()
    const seen = await usedFor(pool, principal, idempotency)
    if (seen) return { kind: 'seen', answerId: seen }
    if (again || (await forgetOld(pool, principal, idempotency.key)) === 0) throw notThere()
    return putPlain(answer, true)
  }

  /** What was put aside for a question that is none; a budget that cannot be reached keeps it until the day is over. */
  async function release({ reservation, ownTokens }: NewAnswer): Promise<void> {
    if (!usage.isCounted(reservation) && ownTokens === undefined) return
    await usage.settle(pool, reservation, { requests: 0, input: 0, output: 0, money: 0 }).catch(() => undefined)
  }

  const seen = createBatch(async (asked: readonly { principal: string; key: string }[]) => {
    const { rows } = await pool.query<Used & { principal: string; key: string }>({
      name: 'used-keys',
      text: `SELECT principal, key, body_hash, answer FROM idempotency JOIN unnest($1::text[], $2::text[]) AS u (principal, key) USING (principal, key)
        WHERE created_at > now() - ${idempotentFor}`,
      values: [asked.map(({ principal }) => principal), asked.map(({ key }) => key)],
    })
    return asked.map((one) => rows.find((row) => row.principal === one.principal && row.key === one.key))
  })

  return {
    /**
     * One statement for all that come at once: reservation, idempotency key, conversation, question, answer, and the look-up
     * of an approved one. Errors: budget_exhausted, rate_limited, idempotency_mismatch, not_found, unavailable.
     */
    async begin(answer: NewAnswer): Promise<Begun> {
      try {
        return await (answer.maxOpen === undefined && answer.ownTokens === undefined ? putPlain(answer) : putLimited(answer))
      } catch (error) {
        throw databaseError(error)
      }
    },

    /** The answer an Idempotency-Key was used for; another body with the same key is refused. */
    async seen(principal: string, { key, bodyHash }: NonNullable<NewAnswer['idempotency']>): Promise<string | undefined> {
      try {
        return answerOf(await seen({ principal, key }), bodyHash)
      } catch (error) {
        throw databaseError(error)
      }
    },
  }
}

function sumOf(reservations: readonly Reservation[], day: string): Amount {
  const sum = (of: (reservation: Reservation) => number) => reservations.reduce((all, reservation) => all + of(reservation), 0)
  return { day, tokens: sum(({ tokens }) => tokens), money: sum(({ money = 0 }) => money) }
}

function notThere(): AppError {
  return new AppError('not_found', 'There is no such conversation; leave conversationId out to begin one.')
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

type Used = { body_hash: string; answer: string }

async function usedFor(
  client: Queryable,
  principal: string,
  { key, bodyHash }: NonNullable<NewAnswer['idempotency']>,
): Promise<string | undefined> {
  const { rows } = await client.query<Used>(
    `SELECT body_hash, answer FROM idempotency WHERE principal = $1 AND key = $2 AND created_at > now() - ${idempotentFor}`,
    [principal, key],
  )
  return answerOf(rows[0], bodyHash)
}

function answerOf(used: Used | undefined, bodyHash: string): string | undefined {
  if (used && used.body_hash !== bodyHash)
    throw new AppError('idempotency_mismatch', 'This Idempotency-Key was used with another body; use a new key for a new question.')
  return used?.answer
}

/** How many rows of that key are too old to count. */
async function forgetOld(client: Queryable, principal: string, key: string): Promise<number> {
  const old = `DELETE FROM idempotency WHERE principal = $1 AND key = $2 AND created_at <= now() - ${idempotentFor}`
  return (await client.query(old, [principal, key])).rowCount ?? 0
}

function rowOf(answer: NewAnswer, i: number) {
  return {
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
    key: answer.idempotency?.key,
    body_hash: answer.idempotency?.bodyHash,
    normal: answer.normal,
  }
}

// The row of the budgets is locked first, by all in this order, then keys in theirs. Both rows of messages by one INSERT: their seq, the
// order of a conversation, follows its ORDER BY. A budget that has no room gives no row at all.
const sqlOf = (taking: string) => `
WITH given AS MATERIALIZED (
  SELECT * FROM json_to_recordset($8::json) AS g (i int, answer uuid, question uuid, conversation uuid, is_new boolean, principal text, title text,
    persona text, text text, owner text, body jsonb, key text, body_hash text, normal text)
), taken AS (${taking}),
fits AS MATERIALIZED (SELECT to_json(taken) AS figures FROM taken UNION ALL SELECT NULL WHERE $1 IS NULL),
touched AS (
  UPDATE conversation c SET updated_at = now() FROM given g, fits WHERE NOT g.is_new AND c.id = g.conversation AND c.principal = g.principal
  RETURNING c.id, c.principal
), claimed AS (
  INSERT INTO idempotency (principal, key, body_hash, answer)
  SELECT principal, key, body_hash, answer FROM given, fits
    WHERE key IS NOT NULL AND (is_new OR (conversation, principal) IN (SELECT id, principal FROM touched)) ORDER BY principal, key
  ON CONFLICT DO NOTHING RETURNING answer
), ours AS MATERIALIZED (
  SELECT given.* FROM given, fits WHERE key IS NULL OR answer IN (SELECT answer FROM claimed)
), fresh AS (
  INSERT INTO conversation (id, principal, title, persona) SELECT conversation, principal, title, persona FROM ours WHERE is_new RETURNING id, principal
), place AS (SELECT * FROM fresh UNION ALL SELECT * FROM touched), stored AS (
  INSERT INTO message (id, conversation, role, text, state, owner, heartbeat_at, body)
  SELECT id, conversation, role, text, state, owner, heartbeat_at, body FROM (
    SELECT i, 1 AS part, question AS id, conversation, 'question' AS role, text, 'done' AS state, NULL AS owner, NULL::timestamptz AS heartbeat_at,
      '{}'::jsonb AS body, principal FROM ours WHERE question IS NOT NULL
    UNION ALL SELECT i, 2, answer, conversation, 'answer', '', 'streaming', owner, now(), body, principal FROM ours
  ) m WHERE (conversation, principal) IN (SELECT id, principal FROM place) ORDER BY i, part
  RETURNING id, role
)
SELECT m.id, fits.figures, (SELECT to_json(v) FROM (SELECT ${savedView} FROM saved_answer s WHERE s.normal = m.normal AND aside_at IS NULL) v) AS approved
FROM fits LEFT JOIN (SELECT stored.id, ours.normal FROM stored JOIN ours ON ours.answer = stored.id) m ON true`
