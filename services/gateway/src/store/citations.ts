import type { Passage, Source } from '@docent/core/passage'
import { databaseError, type Pool } from '@docent/kit/postgres'
import { createBatch } from './batch.ts'

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
export type ShownSource = {
  source: Source
  passage: Pick<Passage, 'documentId' | 'version' | 'chunkId' | 'text'> & Partial<Pick<Passage, 'scores'>>
}
export type Citations = ReturnType<typeof createCitations>

/** A source as its table keeps it. */
export function citationRow(answer: string, { source, passage }: ShownSource) {
  const { documentId: document, version, chunkId: chunk, text } = passage
  return { id: source.citationId, answer, n: source.n, document, version, chunk, passage: text.toWellFormed(), source }
}

/** SQL that reads such rows from a JSON array. */
export function citationRows(json: string): string {
  return `json_to_recordset(${json}) AS s (id text, answer uuid, n int, document uuid, version int, chunk text, passage text, source jsonb)`
}

/** What was shown as a source, with a snapshot of its passage, under an id nobody can guess. */
export function createCitations(pool: Pool) {
  const save = createBatch(async (rows: readonly ReturnType<typeof citationRow>[][]): Promise<undefined[]> => {
    const text = `INSERT INTO citation (id, answer, n, document, version, chunk, passage, source) SELECT * FROM ${citationRows('$1')} ON CONFLICT DO NOTHING`
    await pool.query({ name: 'save-citations', text, values: [JSON.stringify(rows.flat())] })
    return rows.map(() => undefined)
  })
  return {
    save: async (answerId: string, shown: readonly ShownSource[]): Promise<void> =>
      save(shown.map((source) => citationRow(answerId, source))),
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
