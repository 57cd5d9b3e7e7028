import type { Pool } from '@docent/kit/postgres'
import { createBatch } from './batch.ts'
import { citationRow, citationRows, type ShownSource } from './citations.ts'
import { type AnswerBody, streamingOf } from './messages.ts'
import { EVERYONE, type Reservation } from './usage.ts'

/** All that is stored when an answer has ended. */
export type Ending = {
  answerId: string
  text: string
  state: string
  code?: string
  message?: string
  lastEvent: number
  body: AnswerBody
  /** the flight record and what it is found by */
  traceId: string
  principal: string
  question: string
  settingsVersion: number
  record: object
  /** sources that are not stored yet */
  unstored?: readonly ShownSource[]
  /** given back, and what was used booked in its place */
  booking?: { reservation: Reservation; requests: number; input: number; output: number; money: number }
}
export type Endings = ReturnType<typeof createEndings>

/** Message, sources, flight record and usage of answers that have ended: one statement, one commit for all that end at once. */
export function createEndings(pool: Pool) {
  const save = createBatch(async (endings: readonly Ending[]): Promise<boolean[]> => {
    const { rows } = await pool.query<{ id: string }>({ name: 'end-answers', text: sql, values: [JSON.stringify(endings.map(rowOf))] })
    const ours = new Set(rows.map(({ id }) => id))
    return endings.map(({ answerId }) => ours.has(answerId))
  })
  return {
    /** False when it was already ended by someone else, or deleted: then nothing is stored or booked. */
    save: (ending: Ending): Promise<boolean> => save(ending),
  }
}

function rowOf({ answerId, body, booking, unstored, message, code, ...rest }: Ending) {
  const { reservation, ...used } = booking ?? {}
  return {
    id: answerId,
    body,
    error_code: code,
    error_text: message,
    ...rest,
    ...(unstored ? { sources: unstored.map((shown) => citationRow(answerId, shown)) } : {}),
    ...(reservation
      ? {
          ...used,
          day: reservation.day,
          booked_to: reservation.principal,
          tokens: reservation.tokens,
          reserved_money: reservation.money ?? 0,
        }
      : {}),
  }
}

// rows of usage are locked in one order by everybody, too, the one of all last
const sql = `
WITH given AS MATERIALIZED (
  SELECT * FROM json_to_recordset($1::json) AS g (id uuid, text text, state text, error_code text, error_text text, "lastEvent" int, body jsonb,
    "traceId" text, principal text, question text, "settingsVersion" int, record jsonb, sources json,
    day date, booked_to text, requests int, input bigint, output bigint, money numeric, tokens bigint, reserved_money numeric)
), mine AS MATERIALIZED (${streamingOf('SELECT id FROM given')}), ended AS (
  UPDATE message m SET text = g.text, state = g.state, error_code = g.error_code, error_text = g.error_text, last_event = g."lastEvent",
    body = g.body, ended_at = now()
  FROM given g JOIN mine USING (id) WHERE m.id = g.id AND m.state = 'streaming' RETURNING m.id
), cited AS (
  INSERT INTO citation (id, answer, n, document, version, chunk, passage, source)
  SELECT s.* FROM given g JOIN ended USING (id), ${citationRows('g.sources')} ON CONFLICT DO NOTHING
), recorded AS (
  INSERT INTO record (answer, trace_id, principal, question, settings_version, record)
  SELECT id, "traceId", principal, question, "settingsVersion", record FROM given JOIN ended USING (id) ON CONFLICT (answer) DO NOTHING
), spent AS (
  SELECT day, p, sum(requests) AS requests, sum(input) AS input, sum(output) AS output, sum(money) AS money, sum(tokens) AS tokens,
    sum(reserved_money) AS reserved_money
  FROM given JOIN ended USING (id), LATERAL (VALUES (booked_to), ('${EVERYONE}')) v (p) WHERE day IS NOT NULL GROUP BY day, p
), booked AS (
  INSERT INTO usage AS u (day, principal, requests, input_tokens, output_tokens, money)
  SELECT day, p, requests, input, output, money FROM spent ORDER BY day, p = '${EVERYONE}', p
  ON CONFLICT (day, principal) DO UPDATE SET requests = u.requests + excluded.requests, input_tokens = u.input_tokens + excluded.input_tokens,
    output_tokens = u.output_tokens + excluded.output_tokens, money = u.money + excluded.money,
    reserved_tokens = greatest(0, u.reserved_tokens - (SELECT s.tokens FROM spent s WHERE s.day = u.day AND s.p = u.principal)),
    reserved_money = greatest(0, u.reserved_money - (SELECT s.reserved_money FROM spent s WHERE s.day = u.day AND s.p = u.principal))
)
SELECT id FROM ended`
