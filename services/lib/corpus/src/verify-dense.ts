import { cosine } from '@docent/core/cosine'
import type { CorpusFinding, Generation } from './corpus.ts'
import type { Database } from './database.ts'
import { decodeFloat16 } from './float16.ts'
import type { Vectors } from './vectors.ts'

export type ActiveVector = { id: string; path: string; textHash: string }

const PAGE = 1_000
// float16 and Chroma's own rounding leave a vector nearly, not exactly, itself
const SAME_SCORE = 0.98
const WIDE = 300
const TOLERATED = 0.01

/**
 * Every vector of the collection against Postgres: there, once, the same, and found by itself.
 * `writing` names versions that jobs are putting in at this moment: theirs are no orphans.
 */
export async function verifyDense(
  vectors: Pick<Vectors, 'everyStored' | 'searchMany'>,
  database: Database,
  generation: Generation,
  active: readonly ActiveVector[],
  writing: ReadonlyMap<string, number>,
): Promise<{ stored: number; findings: CorpusFinding[] }> {
  const findings: CorpusFinding[] = []
  const byId = new Map(active.map((chunk) => [chunk.id, chunk]))
  const seen = new Set<string>()
  const unfound: { id: string; path: string }[] = []
  let stored = 0
  for await (const page of vectors.everyStored(generation, PAGE)) {
    stored += page.length
    const truth = await loadOf(
      database,
      generation.model,
      page.flatMap(({ id }) => byId.get(id)?.textHash ?? []),
    )
    const ours: { id: string; path: string; vector: Float32Array }[] = []
    for (const { id, documentId, version, vector } of page) {
      const chunk = byId.get(id)
      if (seen.has(id)) findings.push({ fault: 'duplicate_vector', path: chunk?.path ?? documentId, detail: id })
      seen.add(id)
      if (!chunk) {
        if (writing.get(documentId) !== version)
          findings.push({ fault: 'orphan_vector', path: documentId, detail: `${id}, version ${version}` })
        continue
      }
      const own = truth.get(chunk.textHash)
      if (!own) continue // its row went away between two looks; the next one tells
      if (own.length !== vector.length || cosine(own, vector) < SAME_SCORE)
        findings.push({ fault: 'wrong_vector', path: chunk.path, detail: id })
      else ours.push({ id, path: chunk.path, vector: own })
    }
    unfound.push(...(await unfoundOf(ours, vectors, generation)))
  }
  for (const { id, path } of active) if (!seen.has(id)) findings.push({ fault: 'missing_vector', path, detail: id })
  // an approximate graph may lose sight of a few; an index that is torn loses sight of many
  if (unfound.length > TOLERATED * stored)
    for (const { id, path } of unfound) findings.push({ fault: 'unfindable_vector', path, detail: id })
  return { stored, findings }
}

type Own = { id: string; path: string; vector: Float32Array }

/** Those that do not find themselves, nor with a wider look. */
async function unfoundOf(ours: readonly Own[], vectors: Pick<Vectors, 'searchMany'>, generation: Generation): Promise<Own[]> {
  let left = [...ours]
  for (const breadth of [1, WIDE]) {
    if (left.length === 0) break
    const best = await vectors.searchMany(
      left.map(({ vector }) => vector),
      generation,
      breadth,
    )
    left = left.filter((_own, i) => (best[i] ?? -1) < SAME_SCORE)
  }
  return left
}

async function loadOf(database: Database, model: string, hashes: readonly string[]): Promise<Map<string, Float32Array>> {
  const { rows } = await database.query<{ text_hash: string; vector: Buffer }>(
    'SELECT text_hash, vector FROM embedding WHERE model = $1 AND text_hash = ANY($2)',
    [model, [...new Set(hashes)]],
  )
  return new Map(rows.map((row) => [row.text_hash, decodeFloat16(row.vector)]))
}
