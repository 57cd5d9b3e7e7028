import type { DocumentView, Progress } from '@docent/core/document'
import { AppError } from '@docent/core/errors'
import type { Corpus, DocumentQuery, Sight } from './corpus.ts'
import type { Database } from './database.ts'
import type { Row } from './documents.ts'

/** The ledger as the API shows it. */
export function createDocumentList(
  database: Database,
): Pick<Corpus, 'listDocuments' | 'viewDocument' | 'countDocuments' | 'countCollections'> {
  return {
    async listDocuments(query) {
      // one statement sees one moment: two would count what the list no longer shows
      const { rows } = await database.query<Nullable<ViewRow> & { counts: Record<string, number> }>(
        `SELECT page.*, counted.counts FROM (SELECT jsonb_object_agg(state, n) AS counts FROM (${countSql(5)}) AS states) AS counted
         LEFT JOIN (${viewSql} WHERE ${listWhere} ORDER BY d.path, d.id LIMIT $7) AS page ON true ORDER BY page.path, page.id`,
        listValues(query),
      )
      const found = rows.filter((row) => row.id !== null) as ViewRow[]
      const more = found.length > query.limit
      const items = found.slice(0, query.limit)
      const last = items.at(-1)
      const counts = { ...noDocuments, ...rows[0]?.counts }
      return { items: items.map(toView), counts, ...(more && last ? { next: encodeCursor(last.path, last.id) } : {}) }
    },

    async viewDocument(id) {
      const { rows } = await database.query<ViewRow>(`${viewSql} WHERE d.id = $1`, [id])
      return rows[0] && toView(rows[0])
    },

    async countCollections(sight) {
      const { rows } = await database.query<{ name: string; state: string; n: string; chunks: string }>(
        `SELECT d.collection AS name, ${countedState} AS state, count(*) AS n, coalesce(sum(c.n), 0) AS chunks FROM document d
         LEFT JOIN LATERAL (SELECT count(*) AS n FROM chunk c WHERE c.document = d.id AND c.version = d.active_version) c ON true
         WHERE d.state <> 'removed' AND ${seenBy(1)} GROUP BY d.collection, ${countedState} ORDER BY d.collection`,
        sightValues(sight),
      )
      return [...Map.groupBy(rows, ({ name }) => name)].map(([name, states]) => ({
        name,
        documents: { ...noDocuments, ...Object.fromEntries(states.map(({ state, n }) => [state, Number(n)])) },
        chunks: states.reduce((sum, { chunks }) => sum + Number(chunks), 0),
      }))
    },

    countDocuments: (sight) => countDocuments(database, sight),
  }
}

type ViewRow = Omit<Row, 'language' | 'readers' | 'chunk_size' | 'chunk_overlap' | 'edit_revision'> & {
  indexed_at: Date | null
  attempt: { progress?: Progress } | null
  pages: number | null
  chunks: string
}
/** A page that is empty is one row of nulls beside the counts. */
type Nullable<T> = { [Name in keyof T]: T[Name] | null }

/** Which rows of `document d` someone sees; his collections and groups are parameters from `first` on. */
export function seenBy(first: number): string {
  return `($${first}::text[] IS NULL OR d.collection = ANY($${first})) AND ($${first + 1}::text[] IS NULL OR d.readers IS NULL OR d.readers && $${first + 1})`
}

export function sightValues({ collections, groups }: Sight): unknown[] {
  return [collections ?? null, groups ?? null]
}

const viewSql = `SELECT d.id, d.collection, d.path, d.content_hash, d.media_type, d.size, d.modified_at, d.state, d.error_code, d.error_text, d.active_version, d.is_missing, d.indexed_at, v.pages,
  (SELECT count(*) FROM chunk c WHERE c.document = d.id AND c.version = d.active_version) AS chunks,
  CASE WHEN d.state = 'indexing' THEN (SELECT a.detail FROM attempt a WHERE a.document = d.id ORDER BY a.id DESC LIMIT 1) END AS attempt
  FROM document d LEFT JOIN version v ON v.document = d.id AND v.version = d.active_version`
const listWhere = `(d.state = $1 OR ($1::text IS NULL AND d.state <> 'removed')) AND ($2::text IS NULL OR starts_with(d.path, $2))
  AND ($3::text IS NULL OR (d.path, d.id) > ($3, $4::uuid)) AND ${seenBy(5)}`

function listValues({ state, path, cursor, limit, ...sight }: DocumentQuery): unknown[] {
  const after = cursor === undefined ? undefined : decodeCursor(cursor)
  return [state ?? null, path ?? null, after?.path ?? null, after?.id ?? null, ...sightValues(sight), limit + 1]
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
    ...(row.state === 'indexing' ? { progress: row.attempt?.progress ?? { stage: 'extract', done: 0, total: 0 } } : {}),
    ...(row.is_missing ? { missing: true as const } : {}),
    contentHash: row.content_hash,
    ...(row.indexed_at ? { indexedAt: row.indexed_at.toISOString() } : {}),
  }
}

/** Without its file nobody indexes it, however long it is in line. */
const countedState = `CASE WHEN d.is_missing AND d.state IN ('queued', 'indexing') THEN 'missing' ELSE d.state END`

/** `seenBy` from parameter `first` on. */
function countSql(first: number): string {
  return `SELECT ${countedState} AS state, count(*) AS n FROM document d WHERE d.state <> 'removed' AND ${seenBy(first)} GROUP BY 1`
}

const noDocuments = { queued: 0, indexing: 0, ready: 0, failed: 0, skipped: 0 }

async function countDocuments(database: Database, sight: Sight = {}): Promise<Record<string, number>> {
  const { rows } = await database.query<{ state: string; n: string }>(countSql(1), sightValues(sight))
  const counts: Record<string, number> = { ...noDocuments }
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
