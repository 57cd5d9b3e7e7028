import type { IndexedChunk } from '@docent/corpus/corpus'
import pg from 'pg'

/** Writes documents with their chunks straight into schema corpus, as ready; no vectors. Returns how many chunks there are. */
export async function fillCorpus(databaseUrl: string, documents: Iterable<IndexedChunk[]>): Promise<number> {
  const client = new pg.Client({ connectionString: databaseUrl })
  await client.connect()
  let count = 0
  try {
    await client.query('BEGIN')
    for (const chunks of documents) {
      const [{ documentId, path, collection, mediaType, modifiedAt, language, title }] = chunks as [IndexedChunk]
      await client.query(
        `INSERT INTO document (id, collection, path, content_hash, media_type, size, modified_at, state, active_version, indexed_at)
         VALUES ($1, $2, $3, 'bench', $4, 1, $5, 'ready', 1, now())`,
        [documentId, collection, path, mediaType, modifiedAt],
      )
      await client.query(
        `INSERT INTO version (document, version, content_hash, settings_hash, title, language) VALUES ($1, 1, 'bench', 'bench', $2, $3)`,
        [documentId, title, language],
      )
      await client.query(
        `INSERT INTO chunk (id, document, version, ordinal, text, header, page, heading, start_at, end_at, text_hash, parent_start, parent_end, parent_text)
         SELECT id, $1, 1, ordinal, text, $2, NULL, ARRAY[$2], start_at, end_at, text_hash, start_at, end_at, text
         FROM unnest($3::text[], $4::int[], $5::text[], $6::int[], $7::int[], $8::text[]) AS row (id, ordinal, text, start_at, end_at, text_hash)`,
        [
          documentId,
          title,
          chunks.map((chunk) => chunk.id),
          chunks.map((chunk) => chunk.ordinal),
          chunks.map((chunk) => chunk.text),
          chunks.map((chunk) => chunk.start),
          chunks.map((chunk) => chunk.end),
          chunks.map((chunk) => chunk.textHash),
        ],
      )
      count += chunks.length
    }
    await client.query('COMMIT')
    await client.query('ANALYZE')
  } finally {
    await client.end()
  }
  return count
}
