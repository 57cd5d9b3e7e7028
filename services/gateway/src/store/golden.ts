import { randomUUID } from 'node:crypto'
import { databaseError, inTransaction, type Pool, rowsOf } from '@docent/kit/postgres'

export type Golden = { id: string; lang: 'zh' | 'en'; question: string; doc: string | null; answer: string | null; note: string }
export type GoldenStore = ReturnType<typeof createGolden>

/** Questions whose right source is known, kept for the evaluation. They are copies: no conversation is named. */
export function createGolden(pool: Pool) {
  const query = rowsOf(pool)
  return {
    /** Takes the place of what was kept for the same question. */
    async put(golden: Omit<Golden, 'id'>): Promise<Golden> {
      const id = randomUUID()
      const { lang, question, doc, answer, note } = golden
      try {
        await inTransaction(pool, async (client) => {
          // two at once would each find nothing to replace
          await client.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [`golden:${question}`])
          await client.query('DELETE FROM golden WHERE question = $1', [question])
          await client.query('INSERT INTO golden (id, lang, question, doc, answer, note) VALUES ($1, $2, $3, $4, $5, $6)', [
            id,
            lang,
            question,
            doc,
            answer,
            note,
          ])
        })
      } catch (error) {
        throw databaseError(error)
      }
      return { id, ...golden }
    },
    list: () =>
      query<Golden & { createdAt: Date }>(
        'SELECT id, lang, question, doc, answer, note, created_at AS "createdAt" FROM golden ORDER BY created_at, id',
        [],
      ),
    async remove(id: string): Promise<boolean> {
      return (await query('DELETE FROM golden WHERE id = $1 RETURNING id', [id])).length === 1
    },
  }
}
