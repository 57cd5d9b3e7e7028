import { randomBytes } from 'node:crypto'
import { AppError } from '@docent/core/errors'
import type pg from 'pg'
import type { Corpus, Generation, GenerationRow } from './corpus.ts'
import { type Asks, type Database, lockGenerations } from './database.ts'
import { deleteVectorsOf } from './embeddings.ts'
import { missingOf } from './missing-texts.ts'
import type { Vectors } from './vectors.ts'

type Row = Pick<Generation, 'id' | 'model' | 'dimension' | 'state'> & { chroma_collection: string }
type Generations = Pick<
  Corpus,
  | 'activeGeneration'
  | 'findActive'
  | 'servingGeneration'
  | 'listGenerations'
  | 'findGeneration'
  | 'beginGeneration'
  | 'holdGeneration'
  | 'releaseGeneration'
  | 'noteGeneration'
  | 'saveGate'
  | 'activateGeneration'
  | 'dropGeneration'
>

const HOLD_S = 10
const DROP_TRIES = 50
const DROP_WAIT_MS = 500

/** Which model the index is built with. Another model begins another generation; returning to an old one revives its row. */
export function createGenerations(database: Database, vectors: Pick<Vectors, 'forget'>): Generations {
  const activeGeneration: Corpus['activeGeneration'] = (model, dimension) =>
    database.transaction(async (client) => {
      const active = await client.query<Row>(`SELECT * FROM generation WHERE state = 'active'`)
      if (fits(active.rows[0], model, dimension)) return toGeneration(active.rows[0]!)
      await lockGenerations(client)
      await client.query(`UPDATE generation SET state = 'retired' WHERE state = 'active' AND NOT (model = $1 AND dimension = $2)`, [
        model,
        dimension,
      ])
      const known = await client.query<Row>(
        `UPDATE generation SET state = 'active', activated_at = now()
         WHERE id = (SELECT id FROM generation WHERE model = $1 AND dimension = $2 ORDER BY id DESC LIMIT 1) RETURNING *`,
        [model, dimension],
      )
      await client.query('NOTIFY corpus_change')
      return toGeneration(known.rows[0] ?? (await insert(client, model, dimension, 'active', null)))
    })

  async function findActive(): Promise<Generation | undefined> {
    const { rows } = await database.query<Row>(`SELECT * FROM generation WHERE state = 'active'`)
    return rows[0] && toGeneration(rows[0])
  }

  async function list(id?: number): Promise<GenerationRow[]> {
    const { rows } = await database.query<FullRow>(`SELECT * FROM generation WHERE $1::int IS NULL OR id = $1 ORDER BY id`, [id ?? null])
    return rows.map(toRow)
  }

  return {
    activeGeneration,
    findActive,
    async servingGeneration(offered) {
      const active = await findActive()
      const same = offered.find(({ model }) => model === active?.model)
      if (active && same && (same.dimension ?? active.dimension) === active.dimension) return active
      const [first] = same ? [same] : offered
      if (first?.dimension === undefined)
        throw new AppError('unavailable', first?.problem ?? 'The embedding model does not answer.', { retryAfterS: 2 })
      return activeGeneration(first.model, first.dimension)
    },
    listGenerations: () => list(),
    findGeneration: async (id) => (await list(id))[0],

    beginGeneration: (model, dimension, by) =>
      database.transaction(async (client) => {
        await lockGenerations(client)
        const { rows } = await client.query<Row>('SELECT * FROM generation')
        refuseBegun(rows, model)
        const revived = await client.query<FullRow>(
          `UPDATE generation SET state = 'building', requested_by = $3, activated_at = NULL, gate_results = NULL, compared_at = NULL, problem = NULL, embedded = 0, busy_ms = 0
           WHERE id = (SELECT id FROM generation WHERE model = $1 AND dimension = $2 ORDER BY id DESC LIMIT 1) RETURNING *`,
          [model, dimension, by],
        )
        return toRow(revived.rows[0] ?? (await insert(client, model, dimension, 'building', by)))
      }),

    async holdGeneration(id, holder, { embedded, ms } = { embedded: 0, ms: 0 }) {
      const { rows } = await database.query<{ id: number }>(
        `UPDATE generation SET holder = $2, held_until = now() + ${HOLD_S} * interval '1 second', embedded = embedded + $3, busy_ms = busy_ms + $4,
           compared_at = CASE WHEN $3::int > 0 THEN NULL ELSE compared_at END
         WHERE id = $1 AND state <> 'retired' AND (holder IS NULL OR holder = $2 OR held_until < now()) RETURNING id`,
        [id, holder, embedded, Math.round(ms)],
      )
      return rows.length === 1
    },
    async releaseGeneration(id, holder) {
      await database.query('UPDATE generation SET holder = NULL, held_until = NULL WHERE id = $1 AND holder = $2', [id, holder])
    },
    async noteGeneration(id, { problem, isCompared }) {
      await database.query(
        `UPDATE generation SET problem = CASE WHEN $2 THEN $3::jsonb ELSE problem END,
           compared_at = CASE WHEN $4 THEN now() ELSE compared_at END WHERE id = $1`,
        [id, problem !== undefined, problem ? JSON.stringify(problem) : null, isCompared === true],
      )
    },
    async saveGate(id, result) {
      await database.query('UPDATE generation SET gate_results = $2 WHERE id = $1', [id, JSON.stringify(result)])
    },

    activateGeneration: (id, { force = false } = {}) =>
      database.transaction(async (client) => {
        await lockGenerations(client)
        const row = (await client.query<FullRow>('SELECT * FROM generation WHERE id = $1', [id])).rows[0]
        if (!row) throw missing()
        if (row.state === 'active') return toRow(row)
        if (row.state === 'retired')
          throw new AppError('conflict', 'This generation is retired: POST /api/v1/generations with its model fills it again first.')
        if (!force) await refuseUnfit(client, row)
        // one row serves; both changes are seen at once or not at all
        await client.query(`UPDATE generation SET state = 'standby' WHERE state = 'active'`)
        const { rows } = await client.query<FullRow>(
          `UPDATE generation SET state = 'active', activated_at = now() WHERE id = $1 RETURNING *`,
          [id],
        )
        await client.query('NOTIFY corpus_change')
        return toRow(rows[0]!)
      }),

    async dropGeneration(id) {
      // who fills it sees that it is retired at his next batch, and lets go
      const { rows } = await database.query<Row>(
        `UPDATE generation SET state = 'retired' WHERE id = $1 AND state <> 'active' RETURNING *`,
        [id],
      )
      const row = rows[0]
      if (!row) {
        if ((await list(id)).length === 0) throw missing()
        throw new AppError('conflict', 'This generation serves: activate another one first.')
      }
      await untilFree(database, id)
      await vectors.forget(toGeneration(row))
      await deleteVectorsOf(database, row.model)
      const gone = await database.query(`DELETE FROM generation WHERE id = $1 AND state = 'retired'`, [id])
      if (gone.rowCount === 0) throw new AppError('conflict', 'This generation was taken up again meanwhile.')
    },
  }
}

async function refuseUnfit(client: pg.PoolClient, row: FullRow): Promise<void> {
  const { missing: left } = await missingOf(client, row.model)
  if (left > 0 || !row.compared_at)
    throw new AppError(
      'generation_incomplete',
      left > 0 ? `${left} texts have no vector of this model yet.` : 'The dense index of this generation is not compared yet.',
      { retryAfterS: 5 },
    )
  if (row.activated_at) return // it has served before
  const gate = row.gate_results as { passed?: unknown } | null
  if (gate?.passed !== true)
    throw new AppError(
      'gate_failed',
      gate
        ? 'The golden questions find less with this generation than with the one that serves; see its gate. {"force": true} overrides it.'
        : 'The golden questions were not asked yet: POST /api/v1/generations/ID/gate.',
    )
}

async function untilFree(database: Asks, id: number): Promise<void> {
  for (let tries = 0; tries < DROP_TRIES; tries++) {
    const { rows } = await database.query<{ held: boolean }>(
      'SELECT coalesce(held_until > now(), false) AS held FROM generation WHERE id = $1',
      [id],
    )
    if (!rows[0]?.held) return
    await new Promise((done) => setTimeout(done, DROP_WAIT_MS))
  }
  throw new AppError('unavailable', 'This generation is still being filled; delete it again in a moment.', { retryAfterS: 10 })
}

async function insert(
  client: pg.PoolClient,
  model: string,
  dimension: number,
  state: Generation['state'],
  by: string | null,
): Promise<FullRow> {
  // vectors of this name but another length cannot serve
  await client.query('DELETE FROM embedding WHERE model = $1 AND octet_length(vector) <> 2 * $2', [model, dimension])
  const { rows } = await client.query<FullRow>(
    `INSERT INTO generation (model, dimension, chroma_collection, state, requested_by, activated_at)
     VALUES ($1, $2, $3, $4, $5, CASE WHEN $4 = 'active' THEN now() END) RETURNING *`,
    [model, dimension, nameCollection(model, dimension), state, by],
  )
  return rows[0]!
}

const missing = () => new AppError('not_found', 'There is no such generation.')

/** Errors: conflict, when the model has a generation already or another one is being built. */
export function refuseBegun(rows: readonly Pick<Generation, 'id' | 'model' | 'state'>[], wanted: string): void {
  const begun = rows.find((row) => row.state !== 'retired' && row.model === wanted) ?? rows.find(({ state }) => state === 'building')
  if (!begun) return
  const { id, model, state } = begun
  if (state === 'active') throw new AppError('conflict', `Generation ${id} serves with the model "${model}".`)
  throw new AppError(
    'conflict',
    state === 'building'
      ? `Generation ${id} is being built with the model "${model}": activate or delete it first.`
      : `Generation ${id} with the model "${model}" is kept current already: activate it.`,
  )
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

type FullRow = Row & {
  requested_by: string | null
  created_at: Date
  activated_at: Date | null
  compared_at: Date | null
  embedded: number
  busy_ms: string
  problem: GenerationRow['problem']
  gate_results: unknown
}

function toRow(row: FullRow): GenerationRow {
  return {
    ...toGeneration(row),
    requestedBy: row.requested_by,
    createdAt: row.created_at.toISOString(),
    activatedAt: row.activated_at?.toISOString() ?? null,
    isCompared: row.compared_at !== null,
    embedded: row.embedded,
    busyMs: Number(row.busy_ms),
    problem: row.problem,
    gate: row.gate_results,
  }
}
