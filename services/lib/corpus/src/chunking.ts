import type { Corpus, IndexSettings } from './corpus.ts'
import type { Database } from './database.ts'

type Told = { settings_version: number; chunk_size: number | null; chunk_overlap: number | null }
type Kind = { language: 'zh' | 'en' | null; chunk_size: number | null; chunk_overlap: number | null }

/** Searchable documents of one kind ($2 to $4), their files there, that were cut by other settings than $1. */
const cutOtherwise = `document d JOIN version v ON v.document = d.id AND v.version = d.active_version
  WHERE d.state IN ('ready', 'queued', 'indexing') AND NOT d.is_missing AND v.settings_hash <> $1
  AND (d.language, d.chunk_size, d.chunk_overlap) IS NOT DISTINCT FROM ($2::text, $3::int, $4::int)`

/** The chunking that the owner's settings ask for, and how much of the corpus is cut otherwise. */
export function createChunking(database: Database): Pick<Corpus, 'readChunking' | 'orderChunking' | 'countStale' | 'weighStale'> {
  async function readChunking() {
    const { rows } = await database.query<Told>('SELECT settings_version, chunk_size, chunk_overlap FROM chunking')
    const [told] = rows
    if (!told) return undefined
    const { settings_version: settingsVersion, chunk_size: size, chunk_overlap: overlap } = told
    return { settingsVersion, chunking: size === null || overlap === null ? null : { size, overlap } }
  }

  return {
    readChunking,
    async orderChunking({ settingsVersion, chunking }) {
      // one statement decides: of two that come at once the newer one stays, in whatever order they come
      await database.query(
        `INSERT INTO chunking AS told (settings_version, chunk_size, chunk_overlap) VALUES ($1, $2, $3)
         ON CONFLICT (is_only) DO UPDATE SET settings_version = excluded.settings_version, chunk_size = excluded.chunk_size,
           chunk_overlap = excluded.chunk_overlap, told_at = now() WHERE told.settings_version < excluded.settings_version`,
        [settingsVersion, chunking?.size ?? null, chunking?.overlap ?? null],
      )
      return (await readChunking())!
    },
    async countStale(hashOf) {
      const counts = await eachKind(database, hashOf, async (values) => {
        const { rows } = await database.query<{ n: string }>(`SELECT count(*) AS n FROM ${cutOtherwise}`, values)
        return Number(rows[0]!.n)
      })
      return counts.reduce((sum, n) => sum + n, 0)
    },
    async weighStale(hashOf) {
      const sum = { documents: 0, chunks: 0, bytes: 0, ms: 0 }
      await eachKind(database, hashOf, async (values) => {
        const { rows } = await database.query<{ documents: string; chunks: string; bytes: string; ms: number }>(
          `SELECT count(*) AS documents, coalesce(sum(c.chunks), 0) AS chunks, coalesce(sum(c.bytes), 0) AS bytes, coalesce(sum(a.ms), 0)::float AS ms
           FROM (SELECT d.id, d.active_version FROM ${cutOtherwise}) AS stale
           CROSS JOIN LATERAL (SELECT count(*) AS chunks, sum(octet_length(text)) AS bytes FROM chunk WHERE document = stale.id AND version = stale.active_version) c
           CROSS JOIN LATERAL (SELECT max((detail->>'ms')::float) AS ms FROM attempt WHERE document = stale.id AND outcome = 'done') a`,
          values,
        )
        for (const name of ['documents', 'chunks', 'bytes', 'ms'] as const) sum[name] += Number(rows[0]![name])
      })
      return sum
    },
  }
}

/** Asks once for each kind of settings that folders give, with what such documents are cut by. */
export async function eachKind<T>(
  database: Database,
  hashOf: (settings: IndexSettings) => string,
  ask: (values: [hash: string, language: string | null, size: number | null, overlap: number | null]) => Promise<T>,
): Promise<T[]> {
  const { rows } = await database.query<Kind>(
    `SELECT DISTINCT language, chunk_size, chunk_overlap FROM document WHERE state IN ('ready', 'queued', 'indexing')`,
  )
  const answers: T[] = []
  for (const { language, chunk_size: chunkSize, chunk_overlap: chunkOverlap } of rows)
    answers.push(await ask([hashOf({ language, chunkSize, chunkOverlap }), language, chunkSize, chunkOverlap]))
  return answers
}
