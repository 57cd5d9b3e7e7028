import { databaseError, type Pool, utcText } from '@docent/kit/postgres'
import type { WeakQuestion } from '../answer/gaps.ts'
import type { Turn } from '../answer/prompt.ts'

export type RecordRow = {
  answerId: string
  conversationId: string
  traceId: string
  principal: string
  question: string
  text: string
  settingsVersion: number
  rating: number | null
  record: FlightRecord
  createdAt: Date
}
/** What `flightRecord` wrote; rows of earlier releases lack some of it. */
export type FlightRecord = {
  state?: string
  code?: string
  model?: string
  provider?: string
  providers?: { provider: string; outcome: string }[]
  persona?: string
  personaVersion?: number
  settings?: Record<string, unknown>
  cache?: string
  answerable?: boolean
  degraded?: string[]
  citations?: unknown[]
  sources?: SourceNote[]
  filters?: Record<string, unknown>
  /** what the request wished in place of the settings */
  asked?: { rerank?: boolean }
  collections?: string[]
  groups?: string[]
  turns?: Turn[]
  /** where the setting asks for other wordings: what was searched, the question itself first, and the chunks each found */
  queries?: { mode: string; modelMs?: number; searched: { query: string; answerable: boolean; tookMs: number; found: string[] }[] }
  history?: { messages: number; kept: number; dropped: number; summary?: string }
  timings?: Record<string, number>
  usage?: { inputTokens: number; outputTokens: number; cost?: number; currency?: string }
  [more: string]: unknown
}
/** Shares and means; milliseconds are medians. null where nothing was compared. */
export type ShadowFigures = {
  compared: number
  overlap: number | null
  meanMove: number | null
  sameFirst: number | null
  answerableOnlyInShadow: number
  answerableOnlyAsServed: number
  servedMs: number | null
  shadowMs: number | null
}
const NEWEST = 5_000
export type SourceNote = { n: number; documentId: string; path: string; start: number; end: number; score: number }
export type RecordFilter = {
  state?: string | undefined
  from?: string | undefined
  to?: string | undefined
  model?: string | undefined
  settingsVersion?: number | undefined
  /** `any`, `none`, or the name of a step */
  degraded?: string | undefined
  answerable?: boolean | undefined
  rating?: number | undefined
  text?: string | undefined
  persona?: string | undefined
  /** whose; all that begin so when it ends in a colon */
  principal?: string | undefined
}
export type RecordCursor = [at: string, answerId: string]
export type Records = ReturnType<typeof createRecords>

const view = `r.answer AS "answerId", m.conversation AS "conversationId", r.trace_id AS "traceId", r.principal, r.question, m.text,
  r.settings_version AS "settingsVersion", r.created_at AS "createdAt",
  (SELECT min(f.rating)::int FROM feedback f WHERE f.answer = r.answer) AS rating`

/** The flight record of each question: which configuration gave which sources, how long, how much. */
export function createRecords(pool: Pool) {
  async function page(
    filter: RecordFilter,
    limit: number,
    after: RecordCursor | undefined,
    whole: boolean,
  ): Promise<{ items: RecordRow[]; next: RecordCursor | undefined }> {
    const body = whole ? 'r.record' : `(r.record #- '{retrieval,candidates}') - 'turns' AS record`
    try {
      const { rows } = await pool.query<RecordRow & { at: string }>(
        `SELECT ${view}, ${body}, ${utcText('r.created_at')} AS at FROM record r JOIN message m ON m.id = r.answer
         WHERE ($1::text IS NULL OR r.state = $1) AND ($2::timestamptz IS NULL OR r.created_at >= $2)
           AND ($3::timestamptz IS NULL OR r.created_at < $3) AND ($4::text IS NULL OR r.model = $4)
           AND ($5::int IS NULL OR r.settings_version = $5)
           AND ($6::text IS NULL OR CASE $6 WHEN 'any' THEN r.record->'degraded' <> '[]' WHEN 'none' THEN r.record->'degraded' = '[]'
                                            ELSE r.record->'degraded' ? $6 END)
           AND ($7::boolean IS NULL OR (r.record->>'answerable')::boolean = $7)
           AND ($8::int IS NULL OR EXISTS (SELECT FROM feedback f WHERE f.answer = r.answer AND f.rating = $8))
           AND ($9::text IS NULL OR r.question ILIKE $9 OR m.text ILIKE $9)
           AND ($10::timestamptz IS NULL OR (r.created_at, r.answer) < ($10, $11::uuid))
           AND ($13::text IS NULL OR r.record->>'persona' = $13)
           AND ($14::text IS NULL OR r.principal = $14 OR right($14, 1) = ':' AND starts_with(r.principal, $14))
         ORDER BY r.created_at DESC, r.answer DESC LIMIT $12`,
        [
          filter.state ?? null,
          filter.from ?? null,
          filter.to ?? null,
          filter.model ?? null,
          filter.settingsVersion ?? null,
          filter.degraded ?? null,
          filter.answerable ?? null,
          filter.rating ?? null,
          filter.text === undefined ? null : `%${filter.text.replace(/[\\%_]/g, '\\$&')}%`,
          after?.[0] ?? null,
          after?.[1] ?? null,
          limit + 1,
          filter.persona ?? null,
          filter.principal ?? null,
        ],
      )
      const last = rows.length > limit ? rows[limit - 1] : undefined
      return {
        items: rows.slice(0, limit).map(({ at: _at, ...row }) => row),
        next: last && [last.at, last.answerId],
      }
    } catch (error) {
      throw databaseError(error)
    }
  }

  return {
    /** Adds what the shadow of its search found; a record that was deleted meanwhile stays deleted. */
    async noteShadow(answerId: string, shadow: { key: string; [figure: string]: unknown }): Promise<void> {
      try {
        await pool.query(`UPDATE record SET record = jsonb_set(record, '{shadow}', $2::jsonb) WHERE answer = $1`, [
          answerId,
          JSON.stringify(shadow),
        ])
      } catch (error) {
        throw databaseError(error)
      }
    },
    /** What a shadow found, over the newest records. */
    async shadowFigures(key: string): Promise<ShadowFigures> {
      try {
        const { rows } = await pool.query<ShadowFigures>(
          `SELECT count(*)::int AS compared, avg((s->>'overlap')::float) AS overlap, avg((s->>'meanMove')::float) AS "meanMove",
         avg((s->>'isSameFirst')::boolean::int)::float AS "sameFirst",
         count(*) FILTER (WHERE (s->>'answerable')::boolean AND NOT found)::int AS "answerableOnlyInShadow",
         count(*) FILTER (WHERE NOT (s->>'answerable')::boolean AND found)::int AS "answerableOnlyAsServed",
         percentile_cont(0.5) WITHIN GROUP (ORDER BY (s->>'servedMs')::float) AS "servedMs",
         percentile_cont(0.5) WITHIN GROUP (ORDER BY (s->>'tookMs')::float) AS "shadowMs"
       FROM (SELECT record->'shadow' AS s, (record->'retrieval'->'gate'->>'answerable')::boolean AS found
             FROM record ORDER BY created_at DESC LIMIT ${NEWEST}) AS newest
       WHERE s->>'key' = $1 AND s->>'outcome' = 'done'`,
          [key],
        )
        return rows[0]!
      } catch (error) {
        throw databaseError(error)
      }
    },
    page,
    async find(answerId: string): Promise<RecordRow | undefined> {
      try {
        const { rows } = await pool.query<RecordRow>(
          `SELECT ${view}, r.record FROM record r JOIN message m ON m.id = r.answer WHERE r.answer = $1`,
          [answerId],
        )
        return rows[0]
      } catch (error) {
        throw databaseError(error)
      }
    },
    /** Questions that were not found in the documents, got a thumbs-down, or whose citations all failed; newest first. Small talk asks nothing, and what the owner approved needs no check. */
    async weak(within: { from?: string | undefined; to?: string | undefined }, limit: number): Promise<WeakQuestion[]> {
      try {
        const { rows } = await pool.query<WeakQuestion>(
          `SELECT * FROM (SELECT r.answer AS "answerId", r.question, r.created_at AS "createdAt", array_remove(ARRAY[
               CASE WHEN r.record->>'answerable' = 'false' THEN 'notFound' END,
               CASE WHEN EXISTS (SELECT FROM feedback f WHERE f.answer = r.answer AND f.rating = -1) THEN 'thumbsDown' END,
               CASE WHEN r.state = 'done' AND r.record->>'answerable' = 'true' AND r.record ? 'citations' AND r.model IS DISTINCT FROM 'approved'
                      AND NOT jsonb_path_exists(r.record, '$.citations[*] ? (@.verified == true || exists (@.unchecked))') THEN 'unverified' END], NULL) AS why
             FROM record r WHERE NOT r.record ?| ARRAY['smallTalk', 'withoutSources'] AND ($1::timestamptz IS NULL OR r.created_at >= $1) AND ($2::timestamptz IS NULL OR r.created_at < $2)) w
           WHERE cardinality(why) > 0 ORDER BY "createdAt" DESC LIMIT $3`,
          [within.from ?? null, within.to ?? null, limit],
        )
        return rows
      } catch (error) {
        throw databaseError(error)
      }
    },
    /** What a reader said with a rating, the latest. */
    async comment(answerId: string): Promise<string | undefined> {
      try {
        const { rows } = await pool.query<{ comment: string }>(
          `SELECT comment FROM feedback WHERE answer = $1 AND comment <> '' ORDER BY rating, created_at DESC LIMIT 1`,
          [answerId],
        )
        return rows[0]?.comment
      } catch (error) {
        throw databaseError(error)
      }
    },
    /** What the conversation held before this answer's question, oldest first. */
    async turnsBefore(answerId: string, limit: number): Promise<Turn[]> {
      try {
        const { rows } = await pool.query<Turn>(
          `SELECT t.role, t.text FROM message a JOIN message t ON t.conversation = a.conversation
           WHERE a.id = $1 AND t.state <> 'streaming' AND t.seq <
             (SELECT max(q.seq) FROM message q WHERE q.conversation = a.conversation AND q.role = 'question' AND q.seq < a.seq)
           ORDER BY t.seq DESC LIMIT $2`,
          [answerId, limit],
        )
        return rows.reverse()
      } catch (error) {
        throw databaseError(error)
      }
    },
  }
}
