import { createHash } from 'node:crypto'
import type { Chunk } from '@docent/core/chunk'
import type { Locator } from '@docent/core/document'
import { AppError } from '@docent/core/errors'
import { placeOf } from '@docent/core/place'
import { writtenIn } from '@docent/core/text/language'
import { isLatestAttempt } from './attempts.ts'
import type { Corpus, DocumentRow, Generation, VersionFacts } from './corpus.ts'
import { appendChange, type CorpusLog, type Database, keepVectors, type Queryable } from './database.ts'
import type { Vectors } from './vectors.ts'

const ROWS = 500
const DENSE_ROWS = 100

/** The version stands in the id, so no id is ever written twice with another text. */
export function chunkId(documentId: string, version: number, ordinal: number): string {
  return createHash('sha256').update(`${documentId}:${version}:${ordinal}`).digest('hex').slice(0, 32)
}

export function createChunks(
  database: Database,
  vectors: Vectors,
  load: Corpus['loadVectors'],
  log: CorpusLog,
  faultPoint: (name: string) => void,
): Pick<Corpus, 'replaceChunks'> {
  return {
    async replaceChunks(document, facts, chunks, generation, attemptId) {
      // a number of its own for each attempt: two of them never write the same ids
      const version = await database.transaction((client) => openVersion(client, document, facts, attemptId))
      const dense = await writeDense(vectors, load, document, version, chunks, generation, log, () => faultPoint('K6'))
      faultPoint('K7')
      let flipped: Flipped
      try {
        flipped = await database.transaction((client) => flip(client, document, version, chunks, generation, attemptId))
      } catch (error) {
        vectors.dropLater(chunks.map((chunk) => chunkId(document.id, version, chunk.ordinal)))
        throw error
      }
      faultPoint('K8')
      vectors.dropLater(flipped.dropped, () => faultPoint('K9'))
      if (flipped.hasAbandoned) vectors.doubt()
      return { version, dense }
    },
  }
}

/** Refuses the late write of an attempt that another one has overtaken, and of content the file no longer has. */
async function fence(client: Queryable, document: DocumentRow, attemptId: number): Promise<void> {
  const { rows } = await client.query<{ state: string; content_hash: string }>(
    'SELECT state, content_hash FROM document WHERE id = $1 FOR UPDATE',
    [document.id],
  )
  const row = rows[0]
  if (!row || row.state === 'removed') throw new AppError('gone', 'The file is gone.')
  if (row.content_hash !== document.contentHash) throw new AppError('conflict', 'The file has changed; its newer content is queued.')
  if (!(await isLatestAttempt(client, attemptId, document.id)))
    throw new AppError('conflict', 'A later attempt has begun; this one writes nothing.')
}

async function openVersion(client: Queryable, document: DocumentRow, facts: VersionFacts, attemptId: number): Promise<number> {
  await fence(client, document, attemptId)
  const { rows } = await client.query<{ version: number }>(
    `INSERT INTO version (document, version, content_hash, settings_hash, title, language, pages, charset, notes, edit_revision)
     SELECT $1, coalesce(max(version), 0) + 1, $2, $3, $4, $5, $6, $7, $8, $9 FROM version WHERE document = $1 RETURNING version`,
    [
      document.id,
      facts.contentHash,
      facts.settingsHash,
      facts.title,
      facts.language,
      facts.pages ?? null,
      facts.charset ?? null,
      facts.notes,
      facts.editRevision ?? 0,
    ],
  )
  return rows[0]!.version
}

/** Chroma is a cache: when it does not take the vectors, they are `pending` and reconcileDense brings them. */
async function writeDense(
  vectors: Vectors,
  load: Corpus['loadVectors'],
  document: DocumentRow,
  version: number,
  chunks: readonly Chunk[],
  generation: Generation,
  log: CorpusLog,
  halfWritten: () => void,
) {
  try {
    const searched = firstOfEach(chunks.filter((chunk) => !chunk.isDisabled))
    for (let at = 0; at < searched.length; at += DENSE_ROWS) {
      if (2 * at >= searched.length) halfWritten()
      const some = searched.slice(at, at + DENSE_ROWS)
      const found = await load(
        some.map((chunk) => chunk.textHash),
        generation.model,
      )
      const known = some.filter((chunk) => found.has(chunk.textHash))
      await vectors.add(
        known.map((chunk) => ({
          id: chunkId(document.id, version, chunk.ordinal),
          documentId: document.id,
          version,
          language: writtenIn(chunk.text),
          collection: document.collection,
          vector: found.get(chunk.textHash)!,
        })),
        generation,
      )
    }
    return 'written' as const
  } catch (error) {
    if (!vectors.isOutage(error)) throw error
    log.warn({ err: error, documentId: document.id }, 'the dense index did not take the vectors; they follow later')
    return 'pending' as const
  }
}

/** Of chunks with the same text the first: one vector a document stands for all of them. */
export function firstOfEach<T extends { ordinal: number; textHash: string }>(chunks: readonly T[]): T[] {
  const first = new Map<string, T>()
  for (const chunk of chunks) {
    const known = first.get(chunk.textHash)
    if (!known || chunk.ordinal < known.ordinal) first.set(chunk.textHash, chunk)
  }
  return [...first.values()]
}

type Flipped = { dropped: string[]; hasAbandoned: boolean }

async function flip(
  client: Queryable,
  document: DocumentRow,
  version: number,
  chunks: readonly Chunk[],
  generation: Generation,
  attemptId: number,
): Promise<Flipped> {
  await fence(client, document, attemptId)
  await keepVectors(client)
  const hashes = [...new Set(chunks.filter((chunk) => !chunk.isDisabled).map((chunk) => chunk.textHash))]
  const { rows } = await client.query<{ n: string }>('SELECT count(*) AS n FROM embedding WHERE model = $1 AND text_hash = ANY($2)', [
    generation.model,
    hashes,
  ])
  // another document's removal may have taken a shared vector since this attempt looked
  if (Number(rows[0]!.n) < hashes.length) throw new AppError('unavailable', 'Some vectors are missing; they are made again.')
  for (let at = 0; at < chunks.length; at += ROWS) await insertChunks(client, document.id, version, chunks.slice(at, at + ROWS))
  // abandoned: numbers between the old version and this one; their writers were killed or refused, and Chroma may hold what they wrote
  const { rows: flipped } = await client.query<{ abandoned: boolean; dropped: string[] }>(
    `WITH old AS (DELETE FROM chunk WHERE document = $1 AND version <> $2 RETURNING id), flipped AS (
       UPDATE document SET active_version = $2, state = 'ready', error_code = NULL, error_text = NULL, updated_at = now(), indexed_at = now() WHERE id = $1)
     SELECT EXISTS (SELECT 1 FROM version v JOIN document d ON d.id = v.document
       WHERE d.id = $1 AND v.version < $2 AND v.version > coalesce(d.active_version, 0)) AS abandoned, ARRAY(SELECT id FROM old) AS dropped`,
    [document.id, version],
  )
  await appendChange(client, document.id, 'activated', version)
  return { dropped: flipped[0]!.dropped, hasAbandoned: flipped[0]!.abandoned }
}

async function insertChunks(client: Queryable, documentId: string, version: number, chunks: readonly Chunk[]): Promise<void> {
  await client.query(
    `INSERT INTO chunk (id, document, version, ordinal, text, header, page, place, heading, start_at, end_at, text_hash, parent_start, parent_end, parent_text, is_disabled, source_hash, source_text, cut_by)
     SELECT id, $1, $2, ordinal, text, header, page, place, ARRAY(SELECT jsonb_array_elements_text(heading)), start_at, end_at, text_hash, parent_start, parent_end, parent_text, is_disabled, source_hash, source_text,
       ARRAY(SELECT jsonb_array_elements_text(cut_by))
     FROM unnest($3::text[], $4::int[], $5::text[], $6::text[], $7::int[], $8::jsonb[], $9::int[], $10::int[], $11::text[], $12::int[], $13::int[], $14::text[], $15::boolean[], $16::text[], $17::text[], $18::jsonb[], $19::jsonb[])
     AS row (id, ordinal, text, header, page, heading, start_at, end_at, text_hash, parent_start, parent_end, parent_text, is_disabled, source_hash, source_text, place, cut_by)`,
    [
      documentId,
      version,
      chunks.map((chunk) => chunkId(documentId, version, chunk.ordinal)),
      chunks.map((chunk) => chunk.ordinal),
      chunks.map((chunk) => chunk.text),
      chunks.map((chunk) => chunk.header),
      chunks.map((chunk) => chunk.locator.page ?? null),
      chunks.map((chunk) => JSON.stringify(chunk.locator.heading)),
      chunks.map((chunk) => chunk.locator.start),
      chunks.map((chunk) => chunk.locator.end),
      chunks.map((chunk) => chunk.textHash),
      chunks.map((chunk) => chunk.parent.start),
      chunks.map((chunk) => chunk.parent.end),
      chunks.map((chunk) => chunk.parent.text),
      chunks.map((chunk) => chunk.isDisabled ?? false),
      chunks.map((chunk) => chunk.source?.hash ?? null),
      chunks.map((chunk) => chunk.source?.text ?? null),
      chunks.map((chunk) => placeBesidePage(chunk.locator)),
      chunks.map((chunk) => JSON.stringify(chunk.cutBy ?? [])),
    ],
  )
}

/** As JSON; null for what has at most a page, so that most rows stay as small as they were. */
function placeBesidePage(locator: Locator): string | null {
  const { page: _, ...place } = placeOf(locator)
  return Object.keys(place).length === 0 ? null : JSON.stringify(place)
}
