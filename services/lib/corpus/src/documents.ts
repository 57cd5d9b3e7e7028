import { randomUUID } from 'node:crypto'
import type { DocumentState, DocumentView } from '@docent/core/document'
import { AppError } from '@docent/core/errors'
import type { Corpus, DocumentQuery, DocumentRow, NewDocument } from './corpus.ts'
import { appendChange, type Database, lockVectors, type Queryable } from './database.ts'

type Ledger = Pick<
  Corpus,
  | 'listKnown'
  | 'findDocument'
  | 'findByPath'
  | 'addDocuments'
  | 'changeDocument'
  | 'moveDocument'
  | 'removeDocument'
  | 'setState'
  | 'listDocuments'
  | 'viewDocument'
  | 'listUnfinished'
  | 'listStale'
  | 'countDocuments'
  | 'stateOfVersion'
>

type Row = {
  id: string
  collection: string
  path: string
  content_hash: string
  media_type: string
  size: string
  modified_at: Date
  state: DocumentState
  error_code: string | null
  error_text: string | null
  active_version: number | null
}
const columns = 'id, collection, path, content_hash, media_type, size, modified_at, state, error_code, error_text, active_version'

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
    async listKnown() {
      const { rows } = await database.query<Row>(`SELECT ${columns} FROM document WHERE state <> 'removed' ORDER BY path`)
      return rows.map(toDocument)
    },
    findDocument: (id) => one('id = $1', id),
    findByPath: (path) => one(`path = $1 AND state <> 'removed'`, path),

    async addDocuments(documents) {
      const added: DocumentRow[] = []
      for (let at = 0; at < documents.length; at += 500) {
        const { rows } = await database.query<Row>(
          `INSERT INTO document (id, path, collection, content_hash, media_type, size, modified_at, state, error_code, error_text)
           SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bigint[], $7::timestamptz[], $8::text[], $9::text[], $10::text[])
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
      const dropped = await database.transaction(async (client) => {
        const { rowCount } = await client.query(
          `UPDATE document SET state = $2, error_code = $3, error_text = $4, updated_at = now()
           WHERE id = $1 AND state <> 'removed' AND ($5::text IS NULL OR content_hash = $5)`,
          [id, state, error?.code ?? null, error?.message ?? null, onlyFor?.contentHash ?? null],
        )
        return rowCount && (state === 'failed' || state === 'skipped') ? retire(client, id, false) : []
      })
      dropDense(dropped)
    },

    async listDocuments(query) {
      const counts = await countDocuments(database, query.collections)
      const { rows } = await database.query<ViewRow>(`${viewSql} WHERE ${listWhere} ORDER BY d.path, d.id LIMIT $6`, listValues(query))
      const more = rows.length > query.limit
      const items = rows.slice(0, query.limit)
      const last = items.at(-1)
      return { items: items.map(toView), counts, ...(more && last ? { next: encodeCursor(last.path, last.id) } : {}) }
    },

    async viewDocument(id) {
      const { rows } = await database.query<ViewRow>(`${viewSql} WHERE d.id = $1`, [id])
      return rows[0] && toView(rows[0])
    },

    countDocuments: (collections) => countDocuments(database, collections),

    async listUnfinished(olderThanMs) {
      const { rows } = await database.query<Row>(
        `SELECT ${columns} FROM document WHERE state IN ('queued', 'indexing') AND updated_at <= now() - $1 * interval '1 millisecond' ORDER BY updated_at LIMIT 1000`,
        [olderThanMs],
      )
      return rows.map(toDocument)
    },

    async listStale(settingsHash) {
      const { rows } = await database.query<Row>(
        `SELECT ${columns} FROM document d WHERE state = 'ready'
         AND EXISTS (SELECT 1 FROM version v WHERE v.document = d.id AND v.version = d.active_version AND v.settings_hash <> $1) ORDER BY path LIMIT 1000`,
        [settingsHash],
      )
      return rows.map(toDocument)
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
  ]
}

function toDocument(row: Row): DocumentRow {
  return {
    id: row.id,
    collection: row.collection,
    path: row.path,
    contentHash: row.content_hash,
    mediaType: row.media_type,
    size: Number(row.size),
    modifiedAt: row.modified_at,
    state: row.state,
    errorCode: row.error_code,
    errorText: row.error_text,
    activeVersion: row.active_version,
  }
}

type ViewRow = Row & { indexed_at: Date | null; pages: number | null; chunks: string }
const viewSql = `SELECT d.id, d.collection, d.path, d.content_hash, d.media_type, d.size, d.modified_at, d.state, d.error_code, d.error_text, d.active_version, d.indexed_at, v.pages,
  (SELECT count(*) FROM chunk c WHERE c.document = d.id AND c.version = d.active_version) AS chunks
  FROM document d LEFT JOIN version v ON v.document = d.id AND v.version = d.active_version`
const listWhere = `(d.state = $1 OR ($1::text IS NULL AND d.state <> 'removed')) AND ($2::text IS NULL OR starts_with(d.path, $2))
  AND ($3::text IS NULL OR (d.path, d.id) > ($3, $4::uuid)) AND ($5::text[] IS NULL OR d.collection = ANY($5))`

function listValues({ state, path, cursor, limit, collections }: DocumentQuery): unknown[] {
  const after = cursor === undefined ? undefined : decodeCursor(cursor)
  return [state ?? null, path ?? null, after?.path ?? null, after?.id ?? null, collections ?? null, limit + 1]
}

function toView(row: ViewRow): DocumentView {
  return {
    id: row.id,
    path: row.path,
    collection: row.collection,
    state: row.state,
    ...(row.error_code ? { error: { code: row.error_code, message: row.error_text ?? '' } } : {}),
    mediaType: row.media_type,
    size: Number(row.size),
    ...(row.pages ? { pages: row.pages } : {}),
    chunks: Number(row.chunks),
    contentHash: row.content_hash,
    ...(row.indexed_at ? { indexedAt: row.indexed_at.toISOString() } : {}),
  }
}

async function countDocuments(database: Database, collections?: readonly string[]): Promise<Record<string, number>> {
  const { rows } = await database.query<{ state: string; n: string }>(
    `SELECT state, count(*) AS n FROM document WHERE state <> 'removed' AND ($1::text[] IS NULL OR collection = ANY($1)) GROUP BY state`,
    [collections ?? null],
  )
  const counts: Record<string, number> = { queued: 0, indexing: 0, ready: 0, failed: 0, skipped: 0 }
  for (const { state, n } of rows) counts[state] = Number(n)
  return counts
}

function encodeCursor(path: string, id: string): string {
  return Buffer.from(JSON.stringify([path, id])).toString('base64url')
}

function decodeCursor(cursor: string): { path: string; id: string } {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'))
    if (Array.isArray(parsed) && typeof parsed[0] === 'string' && !parsed[0].includes('\0') && /^[0-9a-f-]{36}$/.test(String(parsed[1])))
      return { path: parsed[0], id: String(parsed[1]) }
  } catch (cause) {
    throw new AppError('validation', 'The cursor is not one of ours: leave it out to start again.', { cause })
  }
  throw new AppError('validation', 'The cursor is not one of ours: leave it out to start again.')
}
