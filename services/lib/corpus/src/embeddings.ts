import { AppError } from '@docent/core/errors'
import type { Corpus } from './corpus.ts'
import { type Database, lockVectors } from './database.ts'
import { decodeFloat16, encodeFloat16 } from './float16.ts'

type Embeddings = Pick<Corpus, 'vectorHashes' | 'saveVectors' | 'loadVectors' | 'removeUnusedVectors'>

/** Vectors by the hash of exactly the text they stand for: a rename, a copy or an undone edit costs no embedding. */
export function createEmbeddings(database: Database): Embeddings {
  return {
    async vectorHashes(hashes, model) {
      const { rows } = await database.query<{ text_hash: string }>(
        'SELECT text_hash FROM embedding WHERE model = $1 AND text_hash = ANY($2)',
        [model, hashes],
      )
      return new Set(rows.map((row) => row.text_hash))
    },

    async saveVectors(model, vectors) {
      // sorted: two documents with the same texts would otherwise wait for each other for ever
      const entries = [...vectors].sort(([a], [b]) => (a < b ? -1 : 1))
      for (const [, vector] of entries) {
        if (vector.length === 0 || !vector.every(Number.isFinite))
          throw new AppError('embedding_failed', 'The embedding model returned a vector with holes.')
      }
      await database.query(
        `INSERT INTO embedding (text_hash, model, vector) SELECT hash, $2, vector FROM unnest($1::text[], $3::bytea[]) AS row (hash, vector) ON CONFLICT DO NOTHING`,
        [entries.map(([hash]) => hash), model, entries.map(([, vector]) => encodeFloat16(vector))],
      )
    },

    async loadVectors(hashes, model) {
      const { rows } = await database.query<{ text_hash: string; vector: Buffer }>(
        'SELECT text_hash, vector FROM embedding WHERE model = $1 AND text_hash = ANY($2)',
        [model, [...new Set(hashes)]],
      )
      return new Map(rows.map((row) => [row.text_hash, decodeFloat16(row.vector)]))
    },

    removeUnusedVectors: (olderThanMs) =>
      database.transaction(async (client) => {
        await lockVectors(client)
        const { rowCount } = await client.query(
          `DELETE FROM embedding e WHERE created_at < now() - $1 * interval '1 millisecond' AND (NOT EXISTS (SELECT 1 FROM chunk c WHERE c.text_hash = e.text_hash) OR NOT EXISTS (SELECT 1 FROM generation g WHERE g.model = e.model))`,
          [olderThanMs],
        )
        return rowCount ?? 0
      }),
  }
}

const DELETED = 5_000

/** All vectors of a model that only retired generations know. */
export async function deleteVectorsOf(database: Database, model: string): Promise<void> {
  for (;;) {
    const { rowCount } = await database.query(
      `DELETE FROM embedding WHERE ctid = ANY(ARRAY(SELECT ctid FROM embedding e WHERE model = $1
         AND NOT EXISTS (SELECT 1 FROM generation g WHERE g.model = e.model AND g.state <> 'retired') LIMIT ${DELETED}))`,
      [model],
    )
    if ((rowCount ?? 0) < DELETED) return
  }
}
