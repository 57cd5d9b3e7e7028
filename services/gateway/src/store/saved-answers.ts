import { randomUUID } from 'node:crypto'
import type { CitationSpan } from '@docent/core/answer-event'
import type { Source } from '@docent/core/passage'
import { databaseError, inTransaction, type Pool, rowsOf } from '@docent/kit/postgres'

/** A source as it was when the answer was approved. */
export type SavedSource = { source: Source; documentId: string; version: number; chunkId: string; text: string }
export type SavedAnswer = {
  id: string
  question: string
  text: string
  sources: SavedSource[]
  citations: CitationSpan[]
  author: string
  createdAt: Date
  asideAt: Date | null
  asideWhy: string | null
}
export type SavedAnswers = ReturnType<typeof createSavedAnswers>

const MOST_LIKELY = 1_000
export const savedView = `id, question, answer AS text, sources, citations, author, created_at AS "createdAt", aside_at AS "asideAt", aside_why AS "asideWhy"`

/** Answers the owner approved: at most one in use for a question; it is looked for as the question is committed. */
export function createSavedAnswers(pool: Pool) {
  const query = rowsOf(pool)
  /** of questions that were approved here or found so: what would be searched for them ahead would be in vain */
  const likely = new Set<string>()
  function remember(normal: string): void {
    likely.add(normal)
    if (likely.size > MOST_LIKELY) likely.delete(likely.values().next().value!)
  }
  return {
    /** Takes the place of the one that was in use for this question. */
    async save(
      answer: Pick<SavedAnswer, 'question' | 'text' | 'sources' | 'citations' | 'author'> & { normal: string },
    ): Promise<SavedAnswer> {
      remember(answer.normal)
      try {
        return await inTransaction(pool, async (client) => {
          await client.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 1))', [answer.normal])
          await client.query('DELETE FROM saved_answer WHERE normal = $1', [answer.normal])
          const { rows } = await client.query<SavedAnswer>(
            `INSERT INTO saved_answer (id, question, normal, answer, sources, citations, author) VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING ${savedView}`,
            [
              randomUUID(),
              answer.question,
              answer.normal,
              answer.text,
              JSON.stringify(answer.sources),
              JSON.stringify(answer.citations),
              answer.author,
            ],
          )
          return rows[0]!
        })
      } catch (error) {
        throw databaseError(error)
      }
    },
    isLikely: (normal: string): boolean => likely.has(normal),
    remember,
    list: () => query<SavedAnswer>(`SELECT ${savedView} FROM saved_answer`, []),
    /** Its sources changed: it is offered no more until it is approved again. */
    async setAside(id: string, why: string): Promise<void> {
      await query('UPDATE saved_answer SET aside_at = now(), aside_why = $2 WHERE id = $1 AND aside_at IS NULL', [id, why])
    },
    async remove(id: string): Promise<boolean> {
      return (await query('DELETE FROM saved_answer WHERE id = $1 RETURNING id', [id])).length === 1
    },
  }
}
