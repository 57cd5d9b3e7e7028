import { randomUUID } from 'node:crypto'
import { type Pool, rowsOf } from '@docent/kit/postgres'

export type Golden = { id: string; lang: 'zh' | 'en'; question: string; doc: string | null; answer: string | null; note: string }
export type GoldenStore = ReturnType<typeof createGolden>

/** Questions whose right source is known, kept for the evaluation. They are copies: no conversation is named. */
export function createGolden(pool: Pool) {
  const query = rowsOf(pool)
  return {
    async add(golden: Omit<Golden, 'id'>): Promise<Golden> {
      const id = randomUUID()
      await query('INSERT INTO golden (id, lang, question, doc, answer, note) VALUES ($1, $2, $3, $4, $5, $6)', [
        id,
        golden.lang,
        golden.question,
        golden.doc,
        golden.answer,
        golden.note,
      ])
      return { id, ...golden }
    },
    list: () => query<Golden>('SELECT id, lang, question, doc, answer, note FROM golden ORDER BY created_at, id', []),
    async remove(id: string): Promise<boolean> {
      return (await query('DELETE FROM golden WHERE id = $1 RETURNING id', [id])).length === 1
    },
  }
}
