import type { Corpus, DocumentChunk, IndexedChunk } from './corpus.ts'
import type { Database } from './database.ts'

type ChunkRow = {
  id: string
  ordinal: number
  text: string
  header: string
  page: number | null
  place: IndexedChunk['place']
  heading: string[]
  start_at: number
  end_at: number
  text_hash: string
  parent_start: number
  parent_end: number
  parent_text: string
  is_disabled: boolean
  source_hash: string | null
  source_text: string | null
  cut_by: string[]
}
const chunkSql = `SELECT c.id, c.ordinal, c.text, c.header, c.page, c.place, c.heading, c.start_at, c.end_at, c.text_hash, c.parent_start, c.parent_end, c.parent_text,
    c.is_disabled, c.source_hash, c.source_text, c.cut_by
  FROM chunk c JOIN document d ON d.id = c.document AND d.active_version = c.version WHERE c.document = $1`

/** The chunks of one document as its owner sees and edits them. */
export function createChunkEdits(
  database: Database,
): Pick<Corpus, 'listDocumentChunks' | 'findDocumentChunk' | 'listChunkEdits' | 'editChunk'> {
  return {
    async listDocumentChunks(documentId, after, limit) {
      const { rows } = await database.query<ChunkRow>(`${chunkSql} AND c.ordinal > $2 ORDER BY c.ordinal LIMIT $3`, [
        documentId,
        after,
        limit,
      ])
      return rows.map(toChunk)
    },
    async findDocumentChunk(documentId, chunkId) {
      const { rows } = await database.query<ChunkRow>(`${chunkSql} AND c.id = $2`, [documentId, chunkId])
      return rows[0] && toChunk(rows[0])
    },

    async listChunkEdits(documentId) {
      const { rows } = await database.query<{
        source_hash: string
        source_text: string
        is_disabled: boolean
        text: string | null
        changed_by: string
        changed_at: Date
        is_orphaned: boolean
      }>(
        `SELECT e.source_hash, e.source_text, e.is_disabled, e.text, e.changed_by, e.changed_at, NOT EXISTS (
           SELECT 1 FROM chunk c JOIN document d ON d.id = c.document AND d.active_version = c.version
           WHERE c.document = e.document AND (coalesce(c.source_hash, c.text_hash) = e.source_hash OR e.source_hash = ANY (c.cut_by))) AS is_orphaned
         FROM chunk_edit e WHERE e.document = $1 ORDER BY e.changed_at, e.source_hash`,
        [documentId],
      )
      return rows.map((row) => ({
        sourceHash: row.source_hash,
        sourceText: row.source_text,
        isDisabled: row.is_disabled,
        text: row.text,
        by: row.changed_by,
        at: row.changed_at.toISOString(),
        isOrphaned: row.is_orphaned,
      }))
    },

    editChunk: (documentId, sourceHash, edit) =>
      database.transaction(async (client) => {
        const changed = edit
          ? await client.query(
              `INSERT INTO chunk_edit (document, source_hash, source_text, is_disabled, text, changed_by) VALUES ($1, $2, $3, $4, $5, $6)
               ON CONFLICT (document, source_hash) DO UPDATE
               SET is_disabled = excluded.is_disabled, text = excluded.text, changed_by = excluded.changed_by, changed_at = now()`,
              [documentId, sourceHash, edit.sourceText, edit.isDisabled, edit.text, edit.by],
            )
          : await client.query('DELETE FROM chunk_edit WHERE document = $1 AND source_hash = $2', [documentId, sourceHash])
        if (!changed.rowCount) return false
        await client.query(
          `UPDATE document SET edit_revision = edit_revision + 1, state = CASE state WHEN 'ready' THEN 'queued' ELSE state END, updated_at = now()
           WHERE id = $1 AND state <> 'removed'`,
          [documentId],
        )
        return true
      }),
  }
}

function toChunk(row: ChunkRow): DocumentChunk {
  return {
    id: row.id,
    ordinal: row.ordinal,
    text: row.text,
    header: row.header,
    locator: { ...(row.page === null ? {} : { page: row.page }), ...row.place, heading: row.heading, start: row.start_at, end: row.end_at },
    textHash: row.text_hash,
    parent: { start: row.parent_start, end: row.parent_end, text: row.parent_text },
    isDisabled: row.is_disabled,
    ...(row.source_hash && row.source_text !== null ? { source: { hash: row.source_hash, text: row.source_text } } : {}),
    ...(row.cut_by.length > 0 ? { cutBy: row.cut_by } : {}),
  }
}
