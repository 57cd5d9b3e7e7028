import { databaseError, type Pool, type Queryable } from '@docent/kit/postgres'

export type RecordRow = { answerId: string; traceId: string; question: string; settingsVersion: number; record: unknown; createdAt: Date }
export type Records = ReturnType<typeof createRecords>

const view =
  'answer AS "answerId", trace_id AS "traceId", question, settings_version AS "settingsVersion", record, created_at AS "createdAt"'

/** The flight record of each question: which configuration gave which sources, how long, how much. */
export function createRecords(pool: Pool) {
  return {
    async save(
      client: Queryable,
      row: { answerId: string; traceId: string; principal: string; question: string; settingsVersion: number; record: object },
    ): Promise<void> {
      await client.query(
        `INSERT INTO record (answer, trace_id, principal, question, settings_version, record) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (answer) DO NOTHING`,
        [row.answerId, row.traceId, row.principal, row.question, row.settingsVersion, JSON.stringify(row.record)],
      )
    },
    async list(limit: number, before: string | undefined): Promise<RecordRow[]> {
      try {
        const { rows } = await pool.query<RecordRow>(
          `SELECT ${view} FROM record WHERE ($1::timestamptz IS NULL OR created_at < $1) ORDER BY created_at DESC LIMIT $2`,
          [before ?? null, limit],
        )
        return rows
      } catch (error) {
        throw databaseError(error)
      }
    },
    async find(answerId: string): Promise<RecordRow | undefined> {
      const { rows } = await pool.query<RecordRow>(`SELECT ${view} FROM record WHERE answer = $1`, [answerId])
      return rows[0]
    },
  }
}
