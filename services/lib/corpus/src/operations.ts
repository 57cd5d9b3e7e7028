import type { Corpus, ScanRecord } from './corpus.ts'
import type { Database } from './database.ts'

const KEEP_SCANS = 1_000

type ScanRow = Omit<ScanRecord, 'startedAt' | 'endedAt' | 'id'> & { id: string; started_at: Date; ended_at: Date }

/** What the owner of an installation sees and switches: the pause by hand, the history of scans, the pace. */
export function createOperations(
  database: Database,
): Pick<Corpus, 'readSwitch' | 'setSwitch' | 'recordScan' | 'listScans' | 'indexingPace'> {
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
  }
}
