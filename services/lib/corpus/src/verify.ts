import { chunkId, firstOfEach } from './chunks.ts'
import type { CorpusFinding, CorpusReport, Generation } from './corpus.ts'
import type { Database } from './database.ts'
import type { Vectors } from './vectors.ts'
import { type ActiveVector, verifyDense } from './verify-dense.ts'

const PAGE = 20_000

type DocumentFacts = {
  id: string
  path: string
  state: string
  active_version: number | null
  is_current: boolean | null
  /** chunks that the last attempt wrote, where that attempt ended well */
  written: number | null
  newest_version: number | null
  idle_s: number
}
type ChunkFacts = {
  id: string
  document: string
  version: number
  ordinal: number
  text_hash: string
  has_vector: boolean
  is_disabled: boolean
}

/** Reads every row and every vector; changes nothing. A corpus at rest must have no finding. */
export async function verifyCorpus(database: Database, vectors: Pick<Vectors, 'everyStored' | 'searchMany'>): Promise<CorpusReport> {
  const generation = await findActive(database)
  const { rows: documents } = await database.query<DocumentFacts>(documentFacts)
  const chunks = await everyChunk(database, generation?.model ?? '')
  const byDocument = Map.groupBy(chunks, (chunk) => chunk.document)
  const findings: CorpusFinding[] = []
  const active: ActiveVector[] = []
  const writing = new Map<string, number>()

  for (const document of documents) {
    const own = byDocument.get(document.id) ?? []
    byDocument.delete(document.id)
    judge(document, own, findings)
    if (document.state === 'indexing' && document.newest_version !== null) writing.set(document.id, document.newest_version)
    if (document.state === 'removed') continue
    const serving = own.filter((chunk) => chunk.version === document.active_version)
    // what its owner took out of search needs no vector, and none is in the dense index
    const searched = serving.filter(({ is_disabled }) => !is_disabled)
    for (const chunk of searched.filter(({ has_vector }) => !has_vector))
      findings.push({ fault: 'vector_absent', path: document.path, detail: `chunk ${chunk.ordinal}` })
    const found = searched
      .filter(({ has_vector }) => has_vector)
      .map(({ id, ordinal, text_hash }) => ({ id, ordinal, textHash: text_hash }))
    active.push(...firstOfEach(found).map(({ id, textHash }) => ({ id, path: document.path, textHash })))
  }
  for (const [id, orphans] of byDocument)
    findings.push({ fault: 'orphan_chunk', path: id, detail: `${orphans.length} chunks of no document` })

  const dense = generation ? await verifyDense(vectors, database, generation, active, writing) : { stored: 0, findings: [] }
  return {
    documents: documents.filter(({ state }) => state !== 'removed').length,
    chunks: chunks.length,
    vectors: dense.stored,
    findings: [...findings, ...dense.findings],
  }
}

/** One document's rows against each other. */
function judge(document: DocumentFacts, own: readonly ChunkFacts[], findings: CorpusFinding[]): void {
  const found = (fault: CorpusFinding['fault'], detail: string) => findings.push({ fault, path: document.path, detail })
  const { state, active_version: version } = document
  if (state === 'queued' || state === 'indexing') found('unfinished', `${state}, untouched for ${Math.round(document.idle_s)} s`)
  if (state === 'failed' || state === 'skipped' || state === 'removed') {
    if (own.length > 0) found('orphan_chunk', `${own.length} chunks of a document that is ${state}`)
    return
  }
  const other = own.filter((chunk) => chunk.version !== version)
  if (other.length > 0) found('mixed_version', `${other.length} chunks are not of version ${version}`)
  const serving = own.filter((chunk) => chunk.version === version)
  for (const chunk of serving.filter(({ id, ordinal }) => id !== chunkId(document.id, version ?? 0, ordinal)))
    found('orphan_chunk', `chunk ${chunk.ordinal} has a foreign id`)
  const ordinals = new Set(serving.map(({ ordinal }) => ordinal))
  if (ordinals.size < serving.length) found('duplicate_chunk', `${serving.length - ordinals.size} chunks more than ordinals`)
  const length = serving.reduce((most, { ordinal }) => Math.max(most, ordinal + 1), 0)
  if (ordinals.size < length) found('missing_chunk', `${length - ordinals.size} of ${length} chunks`)
  if (state !== 'ready') return
  if (serving.length === 0) found('missing_chunk', 'ready without a chunk')
  else if (document.written !== null && document.written !== length) found('missing_chunk', `${length} of ${document.written} chunks`)
  if (document.is_current === false) found('mixed_version', 'the text that serves is not that of the file')
}

async function everyChunk(database: Database, model: string): Promise<ChunkFacts[]> {
  const all: ChunkFacts[] = []
  for (;;) {
    const { rows } = await database.query<ChunkFacts>(chunkFacts, [model, all.at(-1)?.id ?? '', PAGE])
    all.push(...rows)
    if (rows.length < PAGE) return all
  }
}

async function findActive(database: Database): Promise<Generation | undefined> {
  const { rows } = await database.query<Omit<Generation, 'chromaCollection'> & { chroma_collection: string }>(
    `SELECT id, model, dimension, chroma_collection, state FROM generation WHERE state = 'active'`,
  )
  if (!rows[0]) return undefined
  const { chroma_collection, ...same } = rows[0]
  return { ...same, chromaCollection: chroma_collection }
}

const documentFacts = `SELECT d.id, d.path, d.state, d.active_version, v.content_hash = d.content_hash AS is_current,
    CASE WHEN a.outcome = 'done' THEN (a.detail->>'chunks')::int END AS written,
    (SELECT max(n.version) FROM version n WHERE n.document = d.id) AS newest_version,
    extract(epoch FROM now() - d.updated_at)::float AS idle_s
  FROM document d
  LEFT JOIN version v ON v.document = d.id AND v.version = d.active_version
  LEFT JOIN LATERAL (SELECT outcome, detail FROM attempt WHERE document = d.id ORDER BY id DESC LIMIT 1) a ON true
  ORDER BY d.path`
const chunkFacts = `SELECT c.id, c.document, c.version, c.ordinal, c.text_hash, c.is_disabled, e.text_hash IS NOT NULL AS has_vector
  FROM chunk c LEFT JOIN embedding e ON e.text_hash = c.text_hash AND e.model = $1
  WHERE c.id > $2 ORDER BY c.id LIMIT $3`
