import type { Corpus } from './corpus.ts'
import type { Asks, Database } from './database.ts'

type Attempts = Pick<Corpus, 'beginAttempt' | 'isLatestAttempt' | 'endAttempt' | 'countAttempts' | 'listAttempts'>

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
    async listAttempts(documentId, limit) {
      const { rows } = await database.query<{
        id: string
        content_hash: string
        started_at: Date
        ended_at: Date | null
        outcome: string | null
        code: string | null
        detail: Record<string, unknown>
      }>(
        'SELECT id, content_hash, started_at, ended_at, outcome, code, detail FROM attempt WHERE document = $1 ORDER BY id DESC LIMIT $2',
        [documentId, limit],
      )
      return rows.map((row) => ({
        id: Number(row.id),
        contentHash: row.content_hash,
        startedAt: row.started_at.toISOString(),
        ...(row.ended_at ? { endedAt: row.ended_at.toISOString() } : {}),
        ...(row.outcome ? { outcome: row.outcome } : {}),
        ...(row.code ? { code: row.code } : {}),
        detail: row.detail,
      }))
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
