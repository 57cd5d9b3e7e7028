import { randomUUID } from 'node:crypto'
import type { DocumentState } from '@docent/core/document'
import { eachKind } from './chunking.ts'
import type { Corpus, DocumentRow, NewDocument } from './corpus.ts'
import { type Asks, appendChange, appendMoves, type Database, lockVectors, type Queryable } from './database.ts'
import { createDocumentList, seenBy, sightValues } from './document-list.ts'

type Ledger = Pick<
  Corpus,
  | 'listKnown'
  | 'findDocument'
  | 'findByPath'
  | 'addDocuments'
  | 'changeDocument'
  | 'moveDocument'
  | 'placeDocuments'
  | 'removeDocument'
  | 'markMissing'
  | 'setState'
  | 'requeueDocuments'
  | 'countUnread'
  | 'cancelDocument'
  | 'listDocuments'
  | 'viewDocument'
  | 'listUnfinished'
  | 'listStale'
  | 'countDocuments'
  | 'countCollections'
  | 'stateOfVersion'
  | 'charsetOf'
>

export type Row = {
  id: string
  collection: string
  readers: string[] | null
  path: string
  content_hash: string
  media_type: string
  size: string
  modified_at: Date
  state: DocumentState
  error_code: string | null
  error_text: string | null
  active_version: number | null
  language: 'zh' | 'en' | null
  chunk_size: number | null
  chunk_overlap: number | null
  edit_revision: number
  is_missing: boolean
}
const columns =
  'id, collection, readers, path, content_hash, media_type, size, modified_at, state, error_code, error_text, active_version, language, chunk_size, chunk_overlap, edit_revision, is_missing'

// unnest takes apart arrays of arrays, so each row's groups come as JSON
const groupsSql = 'CASE WHEN row.readers IS NOT NULL THEN ARRAY(SELECT jsonb_array_elements_text(row.readers::jsonb)) END'

const PAGE = 500

/** The ledger: one row per file of the folder. A removed row stays, so that citations can say so. */
export function createLedger(database: Database, dropDense: (chunkIds: string[]) => void): Ledger {
  async function one(where: string, value: string): Promise<DocumentRow | undefined> {
    const { rows } = await database.query<Row>(`SELECT ${columns} FROM document WHERE ${where}`, [value])
    return rows[0] && toDocument(rows[0])
  }

  /** The text of what the folder no longer holds leaves the index; its rows in `version` stay. */
  async function retire(client: Queryable, id: string, forgetVectors: boolean): Promise<string[]> {
    if (forgetVectors) await lockVectors(client)
    const { rows } = await client.query<{ id: string; text_hash: string }>(
      'DELETE FROM chunk WHERE document = $1 RETURNING id, text_hash',
      [id],
    )
    await client.query('UPDATE document SET active_version = NULL WHERE id = $1', [id])
    if (forgetVectors && rows.length > 0) {
      await client.query(
        'DELETE FROM embedding e WHERE text_hash = ANY($1) AND NOT EXISTS (SELECT 1 FROM chunk c WHERE c.text_hash = e.text_hash)',
        [rows.map((row) => row.text_hash)],
      )
    }
    if (rows.length > 0) await appendChange(client, id, 'removed', null)
    return rows.map((row) => row.id)
  }

  return {
    ...createDocumentList(database),
    listKnown: () =>
      database.transaction(async (client) => {
        // one snapshot, in pages: the driver's rows of a large folder beside ours were half of what a scan takes
        await client.query(`DECLARE known NO SCROLL CURSOR FOR SELECT ${columns} FROM document WHERE state <> 'removed' ORDER BY path`)
        const known: DocumentRow[] = []
        for (;;) {
          const { rows } = await client.query<Row>(`FETCH ${PAGE} FROM known`)
          for (const row of rows) known.push(toDocument(row))
          if (rows.length < PAGE) return known
        }
      }),
    findDocument: (id) => one('id = $1', id),
    findByPath: (path) => one(`path = $1 AND state <> 'removed'`, path),

    async addDocuments(documents) {
      const added: DocumentRow[] = []
      for (let at = 0; at < documents.length; at += 500) {
        const { rows } = await database.query<Row>(
          `INSERT INTO document (id, path, collection, content_hash, media_type, size, modified_at, state, error_code, error_text, language, chunk_size, chunk_overlap, readers)
           SELECT id, path, collection, content_hash, media_type, size, modified_at, state, error_code, error_text, language, chunk_size, chunk_overlap, ${groupsSql} FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bigint[], $7::timestamptz[], $8::text[], $9::text[], $10::text[], $11::text[], $12::int[], $13::int[], $14::text[])
             AS row (id, path, collection, content_hash, media_type, size, modified_at, state, error_code, error_text, language, chunk_size, chunk_overlap, readers)
           ON CONFLICT (path) WHERE state <> 'removed' DO NOTHING RETURNING ${columns}`,
          columnsOf(documents.slice(at, at + 500)),
        )
        added.push(...rows.map(toDocument))
      }
      return added
    },

    async changeDocument(id, change) {
      const dropped = await database.transaction(async (client) => {
        await client.query(
          `UPDATE document SET content_hash = $2, media_type = $3, size = $4, modified_at = $5, state = $6, error_code = $7, error_text = $8, updated_at = now()
           WHERE id = $1 AND state <> 'removed'`,
          [
            id,
            change.contentHash,
            change.mediaType,
            change.size,
            change.modifiedAt,
            change.state ?? 'queued',
            change.error?.code ?? null,
            change.error?.message ?? null,
          ],
        )
        return change.state === 'failed' || change.state === 'skipped' ? retire(client, id, false) : []
      })
      dropDense(dropped)
    },

    async moveDocument(id, path) {
      await database.transaction(async (client) => {
        const { rowCount } = await client.query(`UPDATE document SET path = $2, updated_at = now() WHERE id = $1 AND state <> 'removed'`, [
          id,
          path,
        ])
        if (rowCount) await appendChange(client, id, 'moved', null)
      })
    },

    async placeDocuments(placed) {
      await database.transaction(async (client) => {
        const { rows } = await client.query<{ id: string }>(
          `WITH row AS (SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::int[], $5::int[], $6::text[]) AS row (id, collection, language, chunk_size, chunk_overlap, readers)),
             moved AS (SELECT d.id FROM document d JOIN row USING (id) WHERE (d.collection <> row.collection OR d.readers IS DISTINCT FROM ${groupsSql}) AND d.state <> 'removed'),
             placed AS (UPDATE document d SET collection = row.collection, language = row.language, chunk_size = row.chunk_size, chunk_overlap = row.chunk_overlap, readers = ${groupsSql}
               FROM row WHERE d.id = row.id AND d.state <> 'removed' RETURNING d.id)
           SELECT id FROM moved`,
          [
            placed.map(({ id }) => id),
            placed.map(({ collection }) => collection),
            placed.map(({ language }) => language),
            placed.map(({ chunkSize }) => chunkSize),
            placed.map(({ chunkOverlap }) => chunkOverlap),
            placed.map(({ readers }) => readers && JSON.stringify(readers)),
          ],
        )
        await appendMoves(
          client,
          rows.map(({ id }) => id),
        )
      })
    },

    async markMissing(ids, isMissing) {
      await database.query('UPDATE document SET is_missing = $2 WHERE id = ANY($1) AND is_missing <> $2', [ids, isMissing])
    },

    async removeDocument(id) {
      const dropped = await database.transaction(async (client) => {
        const { rowCount } = await client.query(
          `UPDATE document SET state = 'removed', error_code = NULL, error_text = NULL, updated_at = now() WHERE id = $1 AND state <> 'removed'`,
          [id],
        )
        return rowCount ? retire(client, id, true) : []
      })
      dropDense(dropped)
    },

    async setState(id, state, error, onlyFor) {
      const set = async (client: Asks) => {
        const { rows } = await client.query(
          `UPDATE document SET state = $2, error_code = $3, error_text = $4, updated_at = now()
           WHERE id = $1 AND state <> 'removed' AND ($5::text IS NULL OR content_hash = $5) AND ($6::text[] IS NULL OR state = ANY($6))
           AND ($7::bigint IS NULL OR NOT EXISTS (SELECT 1 FROM attempt a WHERE a.document = $1 AND a.id > $7)) RETURNING id`,
          [
            id,
            state,
            error?.code ?? null,
            error?.message ?? null,
            onlyFor?.contentHash ?? null,
            onlyFor?.from ?? null,
            onlyFor?.attempt ?? null,
          ],
        )
        return rows.length > 0
      }
      if (state !== 'failed' && state !== 'skipped') return await set(database)
      const { isSet, dropped } = await database.transaction(async (client) => {
        const isSet = await set(client)
        return { isSet, dropped: isSet ? await retire(client, id, false) : [] }
      })
      dropDense(dropped)
      return isSet
    },

    async requeueDocuments({ states, path, ids, ...sight }) {
      const { rows } = await database.query<Row>(
        `UPDATE document d SET state = 'queued', error_code = NULL, error_text = NULL, updated_at = now()
         WHERE state = ANY($1) AND state <> 'removed' AND content_hash ~ '^[0-9a-f]{64}$'
         AND ($2::text IS NULL OR starts_with(path, $2)) AND ($3::uuid[] IS NULL OR id = ANY($3)) AND ${seenBy(4)} RETURNING ${columns}`,
        [states, path ?? null, ids ?? null, ...sightValues(sight)],
      )
      return rows.map(toDocument)
    },

    async countUnread({ states, path, ...sight }) {
      const { rows } = await database.query<{ code: string; documents: number; message: string }>(
        `SELECT coalesce(error_code, 'internal') AS code, count(*)::int AS documents, coalesce(min(error_text), '') AS message FROM document d
         WHERE state = ANY($1) AND state <> 'removed' AND content_hash !~ '^[0-9a-f]{64}$'
         AND ($2::text IS NULL OR starts_with(path, $2)) AND ${seenBy(3)} GROUP BY 1 ORDER BY 2 DESC, 1`,
        [states, path ?? null, ...sightValues(sight)],
      )
      return rows
    },

    async cancelDocument(id) {
      const cancelled = await database.transaction(async (client) => {
        const { rows } = await client.query<{ content_hash: string }>(
          `UPDATE document SET state = 'skipped', error_code = 'cancelled', error_text = $2, updated_at = now()
           WHERE id = $1 AND state IN ('queued', 'indexing') RETURNING content_hash`,
          [id, 'Indexing was cancelled; POST /api/v1/documents/{id}/retry takes it up again.'],
        )
        if (!rows[0]) return undefined
        // a later attempt: whoever works on the document now is no longer the latest and writes nothing
        await client.query(
          `INSERT INTO attempt (document, content_hash, ended_at, outcome, code) VALUES ($1, $2, now(), 'skipped', 'cancelled')`,
          [id, rows[0].content_hash],
        )
        return retire(client, id, false)
      })
      dropDense(cancelled ?? [])
      return cancelled !== undefined
    },

    async listUnfinished(olderThanMs) {
      const { rows } = await database.query<Row>(
        `SELECT ${columns} FROM document WHERE state IN ('queued', 'indexing') AND NOT is_missing AND updated_at <= now() - $1 * interval '1 millisecond' ORDER BY updated_at LIMIT 1000`,
        [olderThanMs],
      )
      return rows.map(toDocument)
    },

    async listStale(hashOf) {
      const stale = await eachKind(database, hashOf, async (values) => {
        const { rows } = await database.query<Row>(
          `SELECT ${columns} FROM document d WHERE state = 'ready' AND NOT is_missing AND (language, chunk_size, chunk_overlap) IS NOT DISTINCT FROM ($2::text, $3::int, $4::int)
           AND EXISTS (SELECT 1 FROM version v WHERE v.document = d.id AND v.version = d.active_version AND (v.settings_hash <> $1 OR v.edit_revision <> d.edit_revision)) ORDER BY path LIMIT 1000`,
          values,
        )
        return rows.map(toDocument)
      })
      return stale.flat()
    },

    async stateOfVersion(id, version) {
      const { rows } = await database.query<{ state: string; same: boolean | null }>(
        `SELECT d.state, v.content_hash = d.content_hash AND d.active_version IS NOT NULL AS same
         FROM document d LEFT JOIN version v ON v.document = d.id AND v.version = $2 WHERE d.id = $1`,
        [id, version],
      )
      if (!rows[0] || rows[0].state === 'removed') return 'gone'
      return rows[0].same ? 'current' : 'changed'
    },

    async charsetOf({ id, contentHash }) {
      const { rows } = await database.query<{ charset: string | null }>(
        'SELECT charset FROM version WHERE document = $1 AND content_hash = $2 ORDER BY version DESC LIMIT 1',
        [id, contentHash],
      )
      return rows[0]?.charset ?? undefined
    },
  }
}

function columnsOf(documents: readonly NewDocument[]): unknown[] {
  return [
    documents.map(() => randomUUID()),
    documents.map((document) => document.path),
    documents.map((document) => document.collection),
    documents.map((document) => document.contentHash),
    documents.map((document) => document.mediaType),
    documents.map((document) => document.size),
    documents.map((document) => document.modifiedAt),
    documents.map((document) => document.state ?? 'queued'),
    documents.map((document) => document.error?.code ?? null),
    documents.map((document) => document.error?.message ?? null),
    documents.map((document) => document.language ?? null),
    documents.map((document) => document.chunkSize ?? null),
    documents.map((document) => document.chunkOverlap ?? null),
    documents.map(({ readers }) => readers && JSON.stringify(readers)),
  ]
}

function toDocument(row: Row): DocumentRow {
  return {
    id: row.id,
    collection: row.collection,
    readers: row.readers,
    path: row.path,
    contentHash: row.content_hash,
    mediaType: row.media_type,
    size: Number(row.size),
    modifiedAt: row.modified_at,
    state: row.state,
    errorCode: row.error_code,
    errorText: row.error_text,
    activeVersion: row.active_version,
    language: row.language,
    chunkSize: row.chunk_size,
    chunkOverlap: row.chunk_overlap,
    editRevision: row.edit_revision,
    isMissing: row.is_missing,
  }
}
