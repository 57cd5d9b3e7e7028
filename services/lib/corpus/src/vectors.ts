import { AppError } from '@docent/core/errors'
import { SAMPLE, writtenIn } from '@docent/core/text/language'
import { Late, within } from '@docent/core/within'
import { ChromaNotFoundError, type Collection, type Where } from 'chromadb'
import { type ChromaOptions, isChromaOutage, isSilent, type Language, languages, OtherLayout, openChroma } from './chroma.ts'
import type { Corpus, Generation } from './corpus.ts'
import type { CorpusLog, Database } from './database.ts'
import { decodeFloat16 } from './float16.ts'

export type StoredRow = { id: string; documentId: string; version: number; vector: Float32Array }
export type DenseRow = StoredRow & { language: Language; collection: string }
type Dense = Pick<Corpus, 'searchDense' | 'denseCanary' | 'reconcileDense' | 'isDenseDoubtful'>
export type Vectors = Dense & {
  /** all that the collection holds, page by page; nothing when there is no collection */
  everyStored(generation: Generation, pageRows: number): AsyncGenerator<StoredRow[]>
  /** for each vector the score of the nearest stored one; undefined where nothing is found */
  searchMany(vectors: readonly Float32Array[], generation: Generation, breadth?: number): Promise<(number | undefined)[]>
  add(rows: readonly DenseRow[], generation: Generation): Promise<void>
  /** removes ids in the background: their chunks are no longer active, so nobody is shown them meanwhile */
  dropLater(ids: readonly string[], dropped?: () => void): void
  /** drops the collections of a generation that is given up */
  forget(generation: Generation): Promise<void>
  isOutage(error: unknown): boolean
  /** it may hold entries that nobody owns, until it is compared again */
  doubt(): void
}

const BATCH = 500
const PAGE = 5_000
const QUERIES = 100
const QUERY_MS = 3_000
const WRITE_MS = 60_000
const JOB_MS = 8_000 // a document does not wait longer for an index that is busy with something else
const REST_MS = 30_000
const SLOW_LOOKS = 3
// float16 and Chroma's own rounding leave a vector nearly, not exactly, its own nearest neighbour
const SELF_SCORE = 0.98
// enough to meet both languages in a mixed folder, mostly
const SAMPLES = 8

export function createVectors(options: ChromaOptions | undefined, database: Database, log: CorpusLog): Vectors {
  const chroma = options && openChroma(options)
  // those this process has worked with: a chunk that goes away goes from each of them
  const used = new Map<number, Generation>()
  let isDoubtful = false
  let slowLooks = 0
  let restsUntil = 0

  /** A collection that was deleted and made again has another id: one more try with a fresh look. */
  async function using<T>(
    generation: Generation,
    language: Language,
    signal: AbortSignal,
    act: (collection: Collection) => Promise<T>,
  ): Promise<T> {
    if (!chroma) throw new AppError('unavailable', 'No dense index is configured (CHROMA_URL).')
    used.set(generation.id, generation)
    try {
      return await act(await chroma.open(generation, language, signal))
    } catch (error) {
      if (!isRemovedMeanwhile(error)) chroma.forget(generation)
      if (!(error instanceof ChromaNotFoundError) && !isRemovedMeanwhile(error)) throw error
      return await act(await chroma.open(generation, language, signal))
    }
  }

  const search: Corpus['searchDense'] = async (vector, limit, generation, signal, { language, documents, collections } = {}) => {
    if (vector.length !== generation.dimension)
      throw new AppError('conflict', `The vector has ${vector.length} numbers, the generation ${generation.dimension}.`)
    const where: Where[] = [
      ...(documents ? [{ document: { $in: [...documents] } }] : []),
      ...(collections ? [{ collection: { $in: [...collections] } }] : []),
    ]
    const lists = await within(QUERY_MS, signal, (until) =>
      Promise.all((language ? [language] : languages).map((one) => nearest(one, until))),
    )
    return lists
      .flat()
      .sort((a, b) => b.score - a.score)
      .slice(0, limit)

    async function nearest(one: Language, until: AbortSignal) {
      const asked = { vector, limit, where: where.length > 1 ? { $and: where } : where[0] }
      const { ids, distances } = await using(generation, one, until, (collection) => chroma!.nearest(collection, asked, until))
      return ids.map((chunkId, i) => ({ chunkId, score: 1 - (distances[i] ?? 1) }))
    }
  }

  /** After a write that was not answered in time the next ones are not tried for a while: the reconciler brings what they would have. */
  async function add(rows: readonly DenseRow[], generation: Generation): Promise<void> {
    if (performance.now() < restsUntil) throw new Late('the dense index did not answer a write; others wait a little')
    await write(rows, generation, JOB_MS).catch((error: unknown) => {
      if (isSilent(error)) restsUntil = performance.now() + REST_MS
      throw error
    })
  }

  async function write(rows: readonly DenseRow[], generation: Generation, limitMs = WRITE_MS): Promise<void> {
    for (const language of languages) {
      const written = rows.filter((row) => row.language === language)
      for (let at = 0; at < written.length; at += BATCH) {
        const some = written.slice(at, at + BATCH)
        await using(generation, language, AbortSignal.timeout(limitMs), (collection) =>
          collection.add({
            ids: some.map((row) => row.id),
            embeddings: some.map((row) => [...row.vector]),
            metadatas: some.map((row) => ({ document: row.documentId, version: row.version, language, collection: row.collection })),
          }),
        )
      }
    }
  }

  /** Of ids whose language is not known: each collection drops those that it has. */
  async function drop(ids: readonly string[], generation: Generation, among = languages): Promise<void> {
    for (const language of among) {
      // of a generation given up meanwhile nothing is made again
      if (!(await chroma?.find(generation, language, AbortSignal.timeout(WRITE_MS)))) continue
      for (let at = 0; at < ids.length; at += BATCH) {
        const some = ids.slice(at, at + BATCH)
        await using(generation, language, AbortSignal.timeout(WRITE_MS), (collection) => collection.delete({ ids: some }))
      }
    }
  }

  async function denseCanary(generation: Generation, signal: AbortSignal): Promise<void> {
    const from = await database.query<VectorRow>(`${activeVectors} AND c.id >= md5(random()::text) ORDER BY c.id LIMIT ${SAMPLES}`, [
      generation.model,
    ])
    const { rows } =
      from.rows.length > 0 ? from : await database.query<VectorRow>(`${activeVectors} ORDER BY c.id LIMIT ${SAMPLES}`, [generation.model])
    if (rows.length === 0) {
      for (const language of languages)
        await using(generation, language, AbortSignal.any([signal, AbortSignal.timeout(QUERY_MS)]), (collection) => collection.count())
      return
    }
    for (const language of languages) {
      const sample = rows.find((row) => writtenIn(row.sample) === language)
      if (!sample) continue
      const [hit] = await search(decodeFloat16(sample.vector), 1, generation, signal, { language })
      if (!hit || hit.score < SELF_SCORE)
        throw new AppError('unavailable', 'The dense index does not find what it should hold; it is being rebuilt.')
    }
  }

  async function* everyStored(generation: Generation, pageRows: number): AsyncGenerator<StoredRow[]> {
    for (const language of languages) {
      if (!(await chroma?.find(generation, language, AbortSignal.timeout(QUERY_MS)))) continue
      for (let offset = 0, full = true; full; offset += pageRows) {
        const page = await using(generation, language, AbortSignal.timeout(WRITE_MS), (open) =>
          open.get({ limit: pageRows, offset, include: ['embeddings', 'metadatas'] }),
        )
        yield page.ids.map((id, i) => ({
          id,
          documentId: String(page.metadatas[i]?.document),
          version: Number(page.metadatas[i]?.version),
          vector: Float32Array.from(page.embeddings[i] ?? []),
        }))
        full = page.ids.length === pageRows
      }
    }
  }

  /** `breadth` neighbours are looked at: more of them make the approximate search more exact */
  async function searchMany(vectors: readonly Float32Array[], generation: Generation, breadth = 1): Promise<(number | undefined)[]> {
    const best: (number | undefined)[] = []
    for (let at = 0; at < vectors.length; at += QUERIES) {
      const some = vectors.slice(at, at + QUERIES)
      const scores: (number | undefined)[] = some.map(() => undefined)
      for (const language of languages) {
        const found = await using(generation, language, AbortSignal.timeout(WRITE_MS), (collection) =>
          collection.query({ queryEmbeddings: some.map((vector) => [...vector]), nResults: breadth, include: ['distances'] }),
        )
        found.distances.forEach(([distance], i) => {
          if (typeof distance === 'number') scores[i] = Math.max(scores[i] ?? -1, 1 - distance)
        })
      }
      best.push(...scores)
    }
    return best
  }

  async function storedIds(generation: Generation, language: Language): Promise<Set<string>> {
    const ids = new Set<string>()
    for (;;) {
      const page = await using(generation, language, AbortSignal.timeout(WRITE_MS), (collection) =>
        collection.get({ limit: PAGE, offset: ids.size, include: [] }),
      )
      for (const id of page.ids) ids.add(id)
      if (page.ids.length < PAGE) return ids
    }
  }

  async function mend(generation: Generation, progress: (done: number, of: number) => void): Promise<{ added: number; removed: number }> {
    const stored = { zh: await storedIds(generation, 'zh'), en: await storedIds(generation, 'en') }
    const { rows } = await database.query<{ id: string }>(activeIds, [generation.model])
    const active = new Set(rows.map((row) => row.id))
    const missing = [...active].filter((id) => !stored.zh.has(id) && !stored.en.has(id))
    for (let at = 0; at < missing.length; at += BATCH) {
      const some = await database.query<VectorRow>(`${activeVectors} AND c.id = ANY($2)`, [generation.model, missing.slice(at, at + BATCH)])
      await write(
        some.rows.map((row) => ({
          id: row.id,
          documentId: row.document,
          version: row.version,
          language: writtenIn(row.sample),
          collection: row.collection,
          vector: decodeFloat16(row.vector),
        })),
        generation,
      )
      progress(Math.min(at + BATCH, missing.length), missing.length)
    }
    let removed = 0
    for (const language of languages) removed += await dropOrphans([...stored[language].difference(active)], generation, language)
    return { added: missing.length, removed }
  }

  /** A version being written has its vectors in Chroma before its rows are active: those stay. */
  async function dropOrphans(ids: readonly string[], generation: Generation, language: Language): Promise<number> {
    let dropped = 0
    for (let at = 0; at < ids.length; at += BATCH) {
      const some = await using(generation, language, AbortSignal.timeout(WRITE_MS), (collection) =>
        collection.get({ ids: ids.slice(at, at + BATCH), include: ['metadatas'] }),
      )
      const owners = some.metadatas.map((metadata) => [String(metadata?.document), Number(metadata?.version)] as const)
      const { rows } = await database.query<{ id: string; kept: number }>(
        `SELECT d.id, greatest(CASE WHEN d.state = 'indexing' THEN max(v.version) END, d.active_version) AS kept
         FROM document d JOIN version v ON v.document = d.id WHERE d.id::text = ANY($1) AND d.state <> 'removed' GROUP BY d.id`,
        [owners.map(([document]) => document)],
      )
      const kept = new Map(rows.map((row) => [row.id, row.kept]))
      const orphans = some.ids.filter((_id, i) => kept.get(owners[i]![0]) !== owners[i]![1])
      await drop(orphans, generation, [language])
      dropped += orphans.length
      // a version being written may be one whose writer was killed: only a later look can tell
      if (orphans.length < some.ids.length) isDoubtful = true
    }
    return dropped
  }

  return {
    searchDense: search,
    denseCanary,
    everyStored,
    searchMany,
    add,
    isDenseDoubtful: () => isDoubtful,
    doubt() {
      isDoubtful = true
    },
    async reconcileDense(generation, progress = () => undefined) {
      isDoubtful = false
      const first = await mend(generation, progress).catch(async (error: unknown) => {
        if (!(error instanceof OtherLayout) || !chroma) throw error
        log.warn({ err: error }, 'the dense index is laid out anew from Postgres')
        await chroma.drop(generation, AbortSignal.timeout(WRITE_MS))
        return mend(generation, progress)
      })
      const torn = await denseCanary(generation, AbortSignal.timeout(QUERY_MS)).then(
        () => undefined,
        (error: Error) => error,
      )
      if (!torn || !chroma) {
        slowLooks = 0
        return first
      }
      // a slow one is not given the work of being built anew, unless it stays so: then its graph may be what is wrong
      if (isSilent(torn) && ++slowLooks < SLOW_LOOKS) throw torn
      slowLooks = 0
      log.warn({ err: torn }, 'the dense index is torn; it is built again from Postgres')
      await chroma.drop(generation, AbortSignal.timeout(WRITE_MS))
      const second = await mend(generation, progress)
      await denseCanary(generation, AbortSignal.timeout(QUERY_MS))
      return { added: second.added, removed: first.removed }
    },
    dropLater(ids, dropped = () => undefined) {
      if (ids.length === 0 || !chroma) return
      if (used.size === 0) {
        isDoubtful = true
        return
      }
      Promise.all([...used.values()].map((generation) => drop(ids, generation))).then(dropped, (error: unknown) => {
        isDoubtful = true
        log.warn({ err: error, ids: ids.length }, 'old vectors stay in the dense index until it is reconciled')
      })
    },
    async forget(generation) {
      used.delete(generation.id)
      await chroma?.drop(generation, AbortSignal.timeout(WRITE_MS))
    },
    isOutage: isChromaOutage,
  }
}

// of a text that stands many times in a document, the first: thousands of equal vectors link only to each other, and hide the rest of the graph
const fromActive = `FROM chunk c
  JOIN document d ON d.id = c.document AND d.active_version = c.version AND d.state <> 'removed' AND NOT c.is_disabled
    AND NOT EXISTS (SELECT 1 FROM chunk twin WHERE twin.document = c.document AND twin.version = c.version
      AND twin.text_hash = c.text_hash AND twin.ordinal < c.ordinal AND NOT twin.is_disabled)
  JOIN embedding e ON e.text_hash = c.text_hash AND e.model = $1`
const activeIds = `SELECT c.id ${fromActive}`
const activeVectors = `SELECT c.id, c.document, c.version, d.collection, left(c.text, ${SAMPLE}) AS sample, e.vector ${fromActive} WHERE true`
type VectorRow = { id: string; document: string; version: number; collection: string; sample: string; vector: Buffer }

/** A vector was removed between being found and being read: Chroma fails the whole query, and the next one does not find it. */
function isRemovedMeanwhile(error: unknown): boolean {
  return error instanceof Error && error.message.includes('Error finding id')
}
