import type { Passage, Source } from '@docent/core/passage'
import { databaseError, type Pool, type Queryable } from '@docent/kit/postgres'

export type CitationRow = {
  id: string
  answer: string
  n: number
  document: string
  version: number
  chunk: string
  passage: string
  source: Source
}
export type Citations = ReturnType<typeof createCitations>

/** What was shown as a source, with a snapshot of its passage, under an id nobody can guess. */
export function createCitations(pool: Pool) {
  return {
    async save(
      answerId: string,
      shown: readonly { source: Source; passage: Pick<Passage, 'documentId' | 'version' | 'chunkId' | 'text'> }[],
      into: Queryable = pool,
    ): Promise<void> {
      await into.query(
        `INSERT INTO citation (id, answer, n, document, version, chunk, passage, source)
         SELECT * FROM unnest($1::text[], $2::uuid[], $3::int[], $4::uuid[], $5::int[], $6::text[], $7::text[], $8::jsonb[]) ON CONFLICT DO NOTHING`,
        [
          shown.map(({ source }) => source.citationId),
          shown.map(() => answerId),
          shown.map(({ source }) => source.n),
          shown.map(({ passage }) => passage.documentId),
          shown.map(({ passage }) => passage.version),
          shown.map(({ passage }) => passage.chunkId),
          shown.map(({ passage }) => passage.text),
          shown.map(({ source }) => JSON.stringify(source)),
        ],
      )
    },
    async find(id: string): Promise<CitationRow | undefined> {
      try {
        const { rows } = await pool.query<CitationRow>('SELECT * FROM citation WHERE id = $1', [id])
        return rows[0]
      } catch (error) {
        throw databaseError(error)
      }
    },
    async ofAnswer(answerId: string): Promise<CitationRow[]> {
      try {
        return (await pool.query<CitationRow>('SELECT * FROM citation WHERE answer = $1 ORDER BY n', [answerId])).rows
      } catch (error) {
        throw databaseError(error)
      }
    },
  }
}
