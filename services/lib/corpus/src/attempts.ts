import type { Corpus } from './corpus.ts'
import type { Asks, Database } from './database.ts'

type Attempts = Pick<Corpus, 'beginAttempt' | 'isLatestAttempt' | 'endAttempt' | 'countAttempts'>

/** Who works on a document: the latest attempt alone may write its results. */
export function createAttempts(database: Database): Attempts {
  return {
    async beginAttempt(documentId, contentHash) {
      const { rows } = await database.query<{ id: string }>('INSERT INTO attempt (document, content_hash) VALUES ($1, $2) RETURNING id', [
        documentId,
        contentHash,
      ])
      return Number(rows[0]!.id)
    },
    isLatestAttempt: (attemptId, documentId) => isLatestAttempt(database, attemptId, documentId),
    async endAttempt(attemptId, outcome, { code, ...figures }) {
      await database.query('UPDATE attempt SET ended_at = now(), outcome = $2, code = $3, detail = $4 WHERE id = $1', [
        attemptId,
        outcome,
        code ?? null,
        JSON.stringify(figures),
      ])
    },
    async countAttempts(documentId, contentHash, code) {
      const { rows } = await database.query<{ n: string }>(
        'SELECT count(*) AS n FROM attempt WHERE document = $1 AND content_hash = $2 AND ($3::text IS NULL OR code = $3)',
        [documentId, contentHash, code ?? null],
      )
      return Number(rows[0]!.n)
    },
  }
}

export async function isLatestAttempt(client: Asks, attemptId: number, documentId: string): Promise<boolean> {
  const { rows } = await client.query<{ latest: string | null }>('SELECT max(id) AS latest FROM attempt WHERE document = $1', [documentId])
  return Number(rows[0]?.latest) === attemptId
}
