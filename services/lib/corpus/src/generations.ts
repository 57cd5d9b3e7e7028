import { randomBytes } from 'node:crypto'
import type { Corpus, Generation } from './corpus.ts'
import { type Database, lockGenerations } from './database.ts'

type Row = { id: number; model: string; dimension: number; chroma_collection: string; state: Generation['state'] }

/** Which model the index is built with. Another model begins another generation; returning to an old one revives its row. */
export function createGenerations(database: Database): Pick<Corpus, 'activeGeneration'> {
  return {
    activeGeneration: (model, dimension) =>
      database.transaction(async (client) => {
        const active = await client.query<Row>(`SELECT * FROM generation WHERE state = 'active'`)
        if (fits(active.rows[0], model, dimension)) return toGeneration(active.rows[0]!)
        await lockGenerations(client)
        await client.query(`UPDATE generation SET state = 'retired' WHERE state = 'active' AND NOT (model = $1 AND dimension = $2)`, [
          model,
          dimension,
        ])
        const known = await client.query<Row>(
          `UPDATE generation SET state = 'active' WHERE id = (SELECT id FROM generation WHERE model = $1 AND dimension = $2 ORDER BY id DESC LIMIT 1) RETURNING *`,
          [model, dimension],
        )
        if (known.rows[0]) return toGeneration(known.rows[0])
        const made = await client.query<Row>(
          `INSERT INTO generation (model, dimension, chroma_collection, state) VALUES ($1, $2, $3, 'active') RETURNING *`,
          [model, dimension, nameCollection(model, dimension)],
        )
        return toGeneration(made.rows[0]!)
      }),
  }
}

function fits(row: Row | undefined, model: string, dimension: number): boolean {
  return row?.model === model && row.dimension === dimension
}

/** 3 to 512 of [a-zA-Z0-9._-]; the random end lets several databases share one Chroma. */
function nameCollection(model: string, dimension: number): string {
  const slug = model
    .replace(/[^a-zA-Z0-9]+/g, '-')
    .replace(/^-|-$/g, '')
    .slice(0, 60)
  return `docent-${slug}-${dimension}-${randomBytes(4).toString('hex')}`
}

function toGeneration(row: Row): Generation {
  return { id: row.id, model: row.model, dimension: row.dimension, chromaCollection: row.chroma_collection, state: row.state }
}
