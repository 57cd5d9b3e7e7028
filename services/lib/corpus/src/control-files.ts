import type { ControlFile, Corpus } from './corpus.ts'
import type { Database } from './database.ts'

/** What the folder's control files said when they were last understood: kept over a restart and shared by replicas. */
export function createControlFiles(database: Database): Pick<Corpus, 'listControlFiles' | 'saveControlFiles'> {
  return {
    async listControlFiles() {
      const { rows } = await database.query<ControlFile>('SELECT path, content, problem, closed FROM control_file ORDER BY path')
      return rows
    },
    async saveControlFiles(changed, gone) {
      if (gone.length > 0) await database.query('DELETE FROM control_file WHERE path = ANY($1)', [gone])
      if (changed.length === 0) return
      await database.query(
        `INSERT INTO control_file (path, content, problem, closed) SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::boolean[])
         ON CONFLICT (path) DO UPDATE SET content = excluded.content, problem = excluded.problem, closed = excluded.closed, updated_at = now()`,
        [
          changed.map((file) => file.path),
          changed.map((file) => file.content),
          changed.map((file) => file.problem),
          changed.map((file) => file.closed),
        ],
      )
    },
  }
}
