import type { Progress } from '@docent/core/document'
import type { Corpus, ScanRecord } from './corpus.ts'
import type { Database } from './database.ts'

const KEEP_SCANS = 1_000

type ScanRow = Omit<ScanRecord, 'startedAt' | 'endedAt' | 'id'> & { id: string; started_at: Date; ended_at: Date }

/** What the owner of an installation sees and switches: the pause by hand, the history of scans, the pace. */
export function createOperations(
  database: Database,
): Pick<Corpus, 'readSwitch' | 'setSwitch' | 'recordScan' | 'listScans' | 'indexingPace' | 'indexingLoad'> {
  return {
    async readSwitch(name) {
      const { rows } = await database.query<{ is_on: boolean; changed_by: string; changed_at: Date }>(
        'SELECT is_on, changed_by, changed_at FROM ingest_switch WHERE name = $1',
        [name],
      )
      return rows[0] ? { isOn: rows[0].is_on, by: rows[0].changed_by, at: rows[0].changed_at } : { isOn: false }
    },
    async setSwitch(name, isOn, by) {
      await database.query(
        `INSERT INTO ingest_switch (name, is_on, changed_by) VALUES ($1, $2, $3)
         ON CONFLICT (name) DO UPDATE SET is_on = excluded.is_on, changed_by = excluded.changed_by, changed_at = now()`,
        [name, isOn, by],
      )
    },

    async recordScan(scan) {
      const isQuiet = scan.added + scan.changed + scan.renamed + scan.removed + scan.resettled === 0
      if (isQuiet) {
        const { rowCount } = await database.query(
          `UPDATE scan SET ended_at = $1, ms = $2, times = times + 1 WHERE id = (SELECT max(id) FROM scan)
           AND added + changed + renamed + removed + resettled = 0 AND (files, skipped, held, problem) IS NOT DISTINCT FROM ($3::int, $4::int, $5::int, $6::text)`,
          [scan.endedAt, scan.ms, scan.files, scan.skipped, scan.held, scan.problem ?? null],
        )
        if (rowCount) return
      }
      const { rows } = await database.query<{ id: string }>(
        `INSERT INTO scan (started_at, ended_at, ms, files, added, changed, renamed, removed, resettled, skipped, held, problem, changes)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) RETURNING id`,
        [
          scan.startedAt,
          scan.endedAt,
          scan.ms,
          scan.files,
          scan.added,
          scan.changed,
          scan.renamed,
          scan.removed,
          scan.resettled,
          scan.skipped,
          scan.held,
          scan.problem ?? null,
          JSON.stringify(scan.changes),
        ],
      )
      await database.query('DELETE FROM scan WHERE id <= $1', [Number(rows[0]!.id) - KEEP_SCANS])
    },

    async listScans(limit, before) {
      const { rows } = await database.query<ScanRow>(
        `SELECT id, started_at, ended_at, ms, times, files, added, changed, renamed, removed, resettled, skipped, held, problem, changes
         FROM scan WHERE $2::bigint IS NULL OR id < $2 ORDER BY id DESC LIMIT $1`,
        [limit, before ?? null],
      )
      return rows.map(({ id, started_at, ended_at, problem, ...same }) => ({
        id: Number(id),
        startedAt: started_at.toISOString(),
        endedAt: ended_at.toISOString(),
        ...same,
        ...(problem ? { problem } : {}),
      }))
    },

    async indexingPace(windowS) {
      // what several did at once counts once, and what nobody did not at all
      const { rows } = await database.query<{ n: string; seconds: number | null }>(
        `WITH work AS (
           SELECT greatest(a.started_at, now() - $1 * interval '1 second') AS began, coalesce(a.ended_at, now()) AS ended,
             a.ended_at IS NOT NULL AND a.outcome IN ('done', 'failed') AS is_done
           FROM attempt a JOIN document d ON d.id = a.document
           WHERE a.ended_at > now() - $1 * interval '1 second' OR (a.ended_at IS NULL AND d.state = 'indexing')
         ), told AS (
           SELECT began, ended, is_done, max(ended) OVER (ORDER BY began, ended ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS so_far FROM work
         )
         SELECT count(*) FILTER (WHERE is_done) AS n,
           extract(epoch FROM sum(greatest(ended - greatest(began, so_far), interval '0')))::float AS seconds FROM told`,
        [windowS],
      )
      const { n, seconds } = rows[0]!
      return seconds === null ? 0 : Number(n) / Math.max(seconds, 1)
    },

    async indexingLoad(windowS) {
      const [made, samples, running, queued] = await Promise.all([
        database.query<{ chunks: number; seconds: number }>(madeSql, [windowS]),
        database.query<{ mediaType: string; chunks: number; bytes: number }>(samplesSql, [SAMPLES]),
        database.query<{ mediaType: string; bytes: number; progress: Progress | null }>(
          `SELECT d.media_type AS "mediaType", d.size::float AS bytes, (SELECT a.detail->'progress' FROM attempt a WHERE a.document = d.id ORDER BY a.id DESC LIMIT 1) AS progress
           FROM document d WHERE d.state = 'indexing' AND NOT d.is_missing`,
        ),
        database.query<{ mediaType: string; documents: number; bytes: number }>(
          `SELECT media_type AS "mediaType", count(*)::int AS documents, sum(size)::float AS bytes FROM document
           WHERE state = 'queued' AND NOT is_missing GROUP BY media_type`,
        ),
      ])
      return {
        made: made.rows[0]!,
        samples: samples.rows,
        running: running.rows.map(({ progress, ...one }) => ({ ...one, ...(progress ? { progress } : {}) })),
        queued: queued.rows,
      }
    },
  }
}

const SAMPLES = 500

/**
 * Chunks and the time in which any were made, that of several at once counted once. An attempt that told its own end counts whole;
 * of one that embeds, or was lost while it did, what it has embedded from its first word on to its last.
 */
const madeSql = `WITH told AS (
    SELECT a.started_at AS began, a.ended_at AS ended, (a.detail->>'chunks')::float AS chunks, now() AS until
    FROM attempt a WHERE a.ended_at > now() - $1 * interval '1 second' AND a.outcome = 'done'
    UNION ALL
    SELECT (a.detail->'embeds'->>'since')::timestamptz, (a.detail->'embeds'->>'last')::timestamptz,
      (a.detail->'progress'->>'done')::float - (a.detail->'embeds'->>'from')::float, (a.detail->'embeds'->>'last')::timestamptz
    FROM attempt a JOIN document d ON d.id = a.document
    WHERE a.detail ? 'embeds' AND ((a.ended_at IS NULL AND d.state = 'indexing') OR a.ended_at > now() - $1 * interval '1 second')
  ), work AS (
    SELECT greatest(began, until - $1 * interval '1 second') AS begun, ended,
      coalesce(chunks * extract(epoch FROM ended - greatest(began, until - $1 * interval '1 second')) / nullif(extract(epoch FROM ended - began), 0), 0) AS chunks
    FROM told WHERE chunks > 0
  ), placed AS (
    SELECT begun, ended, chunks, max(ended) OVER (ORDER BY begun, ended ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS so_far FROM work
  )
  SELECT coalesce(sum(chunks), 0)::float AS chunks,
    coalesce(extract(epoch FROM sum(greatest(ended - greatest(begun, so_far), interval '0'))), 0)::float AS seconds FROM placed`

const samplesSql = `SELECT d.media_type AS "mediaType", sum((a.detail->>'chunks')::float)::float AS chunks, sum(d.size)::float AS bytes
  FROM (SELECT document, content_hash, outcome, detail FROM attempt ORDER BY id DESC LIMIT $1) a
  JOIN document d ON d.id = a.document AND d.content_hash = a.content_hash
  WHERE a.outcome = 'done' AND (a.detail->>'chunks') IS NOT NULL GROUP BY d.media_type`
