import type { Corpus } from './corpus.ts'
import type { Asks, Database } from './database.ts'

type Attempts = Pick<
  Corpus,
  | 'beginAttempt'
  | 'markAttempt'
  | 'isLatestAttempt'
  | 'endAttempt'
  | 'countAttempts'
  | 'countCrashes'
  | 'closeLostAttempts'
  | 'listAttempts'
>

/** Who works on a document: the latest attempt alone may write its results. */
export function createAttempts(database: Database): Attempts {
  return {
    async beginAttempt(documentId, contentHash) {
      const { rows } = await database.query<{ id: string }>(
        `WITH lost AS (UPDATE attempt SET ended_at = now(), outcome = 'lost' WHERE document = $1 AND ended_at IS NULL)
         INSERT INTO attempt (document, content_hash) VALUES ($1, $2) RETURNING id`,
        [documentId, contentHash],
      )
      return Number(rows[0]!.id)
    },
    async markAttempt(attemptId, stage, progress) {
      const { rowCount } = await database.query(
        `WITH marked AS (
           UPDATE attempt SET detail = $2::jsonb || CASE WHEN $2::jsonb->'progress'->>'stage' = 'embed' THEN jsonb_build_object('embeds',
             jsonb_build_object('from', $2::jsonb->'progress'->'done', 'since', clock_timestamp())
             || coalesce(detail->'embeds', '{}') || jsonb_build_object('last', clock_timestamp())) ELSE '{}' END
           WHERE id = $1 AND ended_at IS NULL RETURNING document, content_hash)
         UPDATE document d SET updated_at = now() FROM marked
         WHERE d.id = marked.document AND d.state = 'indexing' AND d.content_hash = marked.content_hash`,
        [attemptId, JSON.stringify({ stage, ...(progress ? { progress } : {}) })],
      )
      return rowCount === 1
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
    async countCrashes(documentId, contentHash) {
      const { rows } = await database.query<{ id: string }>(
        `SELECT id FROM attempt WHERE document = $1 AND content_hash = $2 AND coalesce(outcome, 'lost') = 'lost' AND detail->>'stage' = 'read'
         AND id > coalesce((SELECT max(id) FROM attempt WHERE document = $1 AND (outcome <> 'lost' OR detail->>'stage' = 'saved')), 0) ORDER BY id`,
        [documentId, contentHash],
      )
      const alone = rows[1]?.id // from the second attempt on nothing else runs beside it
      if (alone === undefined) return rows.length
      // others that were lost in the meantime and then went well: somebody kills workers, whatever they read
      const { rows: others } = await database.query<{ n: string }>(
        `SELECT count(DISTINCT lost.document) AS n FROM attempt lost
         WHERE lost.document <> $1 AND lost.id > $2 AND coalesce(lost.outcome, 'lost') = 'lost'
         AND EXISTS (SELECT 1 FROM attempt WHERE document = lost.document AND id > lost.id AND outcome = 'done')`,
        [documentId, alone],
      )
      return Math.max(1, rows.length - Number(others[0]!.n))
    },
    async closeLostAttempts(olderThanMs) {
      // one that is only slow still tells its own end: endAttempt overwrites this
      const { rowCount } = await database.query(
        `UPDATE attempt SET ended_at = now(), outcome = 'lost' FROM document d WHERE attempt.document = d.id AND attempt.ended_at IS NULL
         AND d.state NOT IN ('queued', 'indexing') AND attempt.started_at < now() - $1 * interval '1 millisecond'`,
        [olderThanMs],
      )
      return rowCount ?? 0
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
