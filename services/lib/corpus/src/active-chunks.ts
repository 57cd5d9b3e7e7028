import type { Corpus, IndexedChunk } from './corpus.ts'
import type { Database } from './database.ts'

const PAGE = 100 // larger ones live long enough to be moved to the old heap, which does not shrink again

/** The chunks that serve: those of each document's active version. */
export function createActiveChunks(database: Database): Pick<Corpus, 'loadActive' | 'parentsOf' | 'countChunks'> {
  return {
    loadActive: (batch, documentIds) =>
      database.transaction(async (client) => {
        // one snapshot for all pages, and one sort; two pages at a time are in memory
        await client.query(`DECLARE active NO SCROLL CURSOR FOR ${activeSql}`, [documentIds ?? null])
        const fetchPage = () => {
          const page = client.query<ActiveRow>(`FETCH ${PAGE} FROM active`)
          page.catch(() => undefined) // whoever awaits it hears of it; `batch` may fail before
          return page
        }
        for (let page = fetchPage(); ; ) {
          const { rows } = await page
          const isLast = rows.length < PAGE
          if (!isLast) page = fetchPage() // Postgres reads on while these are taken in
          if (rows.length > 0) await batch(rows.map(toIndexed))
          if (isLast) return
        }
      }),

    async parentsOf(chunkIds) {
      const { rows } = await database.prepared<{ id: string; parent_start: number; parent_end: number; parent_text: string }>(
        'parents-of',
        'SELECT id, parent_start, parent_end, parent_text FROM chunk WHERE id = ANY($1)',
        [chunkIds],
      )
      return new Map(rows.map((row) => [row.id, { start: row.parent_start, end: row.parent_end, text: row.parent_text }]))
    },

    async countChunks() {
      const { rows } = await database.query<{ n: string }>(
        'SELECT count(*) AS n FROM chunk c JOIN document d ON d.id = c.document AND d.active_version = c.version',
      )
      return Number(rows[0]!.n)
    },
  }
}

type ActiveRow = {
  id: string
  document: string
  version: number
  ordinal: number
  path: string
  collection: string
  readers: string[] | null
  media_type: string
  modified_at: Date
  language: 'zh' | 'en'
  title: string
  header: string
  text: string
  page: number | null
  place: IndexedChunk['place']
  heading: string[]
  start_at: number
  end_at: number
  text_hash: string
}

const activeSql = `SELECT c.id, c.document, c.version, c.ordinal, d.path, d.collection, d.readers, d.media_type, d.modified_at, v.language, v.title, c.header, c.text, c.page, c.place, c.heading, c.start_at, c.end_at, c.text_hash
  FROM chunk c
  JOIN document d ON d.id = c.document AND d.active_version = c.version AND d.state <> 'removed'
  JOIN version v ON v.document = c.document AND v.version = c.version
  WHERE NOT c.is_disabled AND ($1::uuid[] IS NULL OR c.document = ANY($1))
  ORDER BY c.document, c.version, c.ordinal`

function toIndexed(row: ActiveRow): IndexedChunk {
  const { document, media_type, modified_at, start_at, end_at, text_hash, ...same } = row
  return {
    ...same,
    documentId: document,
    mediaType: media_type,
    modifiedAt: modified_at,
    start: start_at,
    end: end_at,
    textHash: text_hash,
  }
}
