import type { Chunk } from '@docent/core/chunk'
import type { ChunkingOrder } from '@docent/core/chunking'
import type { DocumentState, DocumentView, Place, Progress } from '@docent/core/document'

/** How a document's folder wants it indexed; null: as the configuration says. */
export type IndexSettings = { language: 'zh' | 'en' | null; chunkSize: number | null; chunkOverlap: number | null }
/** `readers`: the groups that may read it, with the admin, who alone does when there are none; null: everyone */
export type DocumentSettings = IndexSettings & { collection: string; readers: string[] | null }

/** A control file of the folder: the text last understood, and why a newer one is not; `closed`: that one may name readers, so nobody but the admin reads below it. */
export type ControlFile = { path: string; content: string | null; problem: string | null; closed: boolean }

/** `held`: it is gone, and its removal waits for a yes */
export type ScanChange = { kind: 'added' | 'changed' | 'renamed' | 'removed' | 'held'; path: string; from?: string }
/** What one scan found and did; `times` scans in a row that found nothing new are one. */
export type ScanRecord = {
  id: number
  startedAt: string
  endedAt: string
  ms: number
  times: number
  /** settled files that were seen */
  files: number
  added: number
  changed: number
  renamed: number
  removed: number
  /** documents that came under other settings of their folders */
  resettled: number
  /** files among those seen that cannot be indexed */
  skipped: number
  /** missing documents that wait for a yes */
  held: number
  problem?: string
  /** the first hundred */
  changes: ScanChange[]
}

export type DenseScope = {
  language?: 'zh' | 'en' | undefined
  documents?: readonly string[] | undefined
  collections?: readonly string[] | undefined
}

/** A row of `document`, as jobs and scans see it. */
export type DocumentRow = DocumentSettings & {
  id: string
  path: string
  contentHash: string
  mediaType: string
  size: number
  modifiedAt: Date
  state: DocumentState
  errorCode: string | null
  errorText: string | null
  activeVersion: number | null
  /** counts the edits of its chunks */
  editRevision: number
  /** the last scan did not see its file */
  isMissing: boolean
}

export type Attempt = {
  id: number
  contentHash: string
  startedAt: string
  endedAt?: string
  outcome?: string
  code?: string
  detail: Record<string, unknown>
}

/** A chunk of the active version, as its owner sees it. */
export type DocumentChunk = Chunk & { id: string }
export type ChunkEdit = {
  sourceHash: string
  sourceText: string
  isDisabled: boolean
  text: string | null
  by: string
  at: string
  /** no chunk of the active version has this source any more, nor had its text taken out */
  isOrphaned: boolean
}

export type NewDocument = Partial<IndexSettings> & {
  readers?: string[] | null
  path: string
  collection: string
  contentHash: string
  mediaType: string
  size: number
  modifiedAt: Date
  state?: 'queued' | 'skipped' | 'failed'
  error?: { code: string; message: string }
}

export type Generation = {
  id: number
  model: string
  dimension: number
  chromaCollection: string
  /** building: filled beside the one that serves; standby: served before, is kept current; retired: neither */
  state: 'building' | 'active' | 'standby' | 'retired'
}

/** Why a generation is not being filled. */
export type GenerationProblem = { code: string; message: string; at: string }
export type GenerationRow = Generation & {
  requestedBy: string | null
  createdAt: string
  activatedAt: string | null
  /** Chroma has had all of it, and nothing was embedded since */
  isCompared: boolean
  /** texts that were embedded for it, and how long that took */
  embedded: number
  busyMs: number
  problem: GenerationProblem | null
  /** what the golden questions said of it */
  gate: unknown
}

/** What a version of a document holds beside its chunks. */
export type VersionFacts = {
  contentHash: string
  settingsHash: string
  title: string
  language: 'zh' | 'en'
  pages?: number
  charset?: string
  notes: string[]
  /** of the document, when its edits were read */
  editRevision?: number
}

/** An active chunk as retrieval loads it. Vectors are not part of it. */
export type IndexedChunk = {
  id: string
  documentId: string
  version: number
  ordinal: number
  path: string
  collection: string
  readers: string[] | null
  mediaType: string
  modifiedAt: Date
  language: 'zh' | 'en'
  title: string
  header: string
  text: string
  page: number | null
  /** what the locator holds beside the page; null where that is all */
  place: Omit<Place, 'page'> | null
  heading: string[]
  start: number
  end: number
  textHash: string
}

/** What an oracle may find; a corpus at rest has none of it. `path` is the document's id where it has no path. */
export type CorpusFault =
  | 'unfinished'
  | 'mixed_version'
  | 'duplicate_chunk'
  | 'orphan_chunk'
  | 'missing_chunk'
  | 'vector_absent'
  | 'duplicate_vector'
  | 'orphan_vector'
  | 'missing_vector'
  | 'wrong_vector'
  | 'unfindable_vector'
export type CorpusFinding = { fault: CorpusFault; path: string; detail: string }
export type CorpusReport = { documents: number; chunks: number; vectors: number; findings: CorpusFinding[] }

export type Change = { seq: number; documentId: string; kind: 'activated' | 'moved' | 'removed' }
/** Who looks: collections and groups; absent: all of them. */
export type Sight = { collections?: readonly string[] | undefined; groups?: readonly string[] | undefined }
export type DocumentQuery = Sight & { state?: DocumentState; path?: string; cursor?: string; limit: number }

/**
 * The port to schema `corpus` and Chroma. Postgres is the truth; Chroma is a cache that `rebuildDense` fills from it.
 * Ingest writes, retrieval reads.
 */
export type RequeueQuery = Sight & { states: readonly DocumentState[]; path?: string }
export type IndexingLoad = {
  /** chunks that were made, over the seconds in which any were in the making */
  made: { chunks: number; seconds: number }
  /** chunks and bytes of what was indexed last, by media type */
  samples: { mediaType: string; chunks: number; bytes: number }[]
  running: { mediaType: string; bytes: number; progress?: Progress }[]
  queued: { mediaType: string; documents: number; bytes: number }[]
}

export type Corpus = {
  // the ledger
  listKnown(): Promise<DocumentRow[]>
  findDocument(id: string): Promise<DocumentRow | undefined>
  findByPath(path: string): Promise<DocumentRow | undefined>
  addDocuments(documents: readonly NewDocument[]): Promise<DocumentRow[]>
  /** same id, new content: state queued; the old version serves until the new one is complete */
  changeDocument(id: string, change: Omit<NewDocument, 'path' | keyof DocumentSettings>): Promise<void>
  moveDocument(id: string, path: string): Promise<void>
  /** other settings of a document's folder; a new collection and new readers are told to the feed, the rest is found by `listStale` */
  placeDocuments(placed: readonly (DocumentSettings & { id: string })[]): Promise<void>
  /** whether their files were seen by a scan: one that was not is neither queued nor counted as waiting */
  markMissing(ids: readonly string[], isMissing: boolean): Promise<void>
  /** state removed, chunks and vectors of no other document gone, feed told; the row stays for citations */
  removeDocument(id: string): Promise<void>
  /**
   * Failed and skipped take the old text out of the index. `onlyFor` keeps a late verdict from newer content, from an
   * attempt that is no longer the latest, and from a document in another state; false: it was refused.
   */
  setState(
    id: string,
    state: DocumentState,
    error?: { code: string; message: string },
    onlyFor?: { contentHash: string; attempt?: number; from?: readonly DocumentState[] },
  ): Promise<boolean>
  listDocuments(query: DocumentQuery): Promise<{ items: DocumentView[]; counts: Record<string, number>; next?: string }>
  viewDocument(id: string): Promise<DocumentView | undefined>
  /** how many live documents there are per state; those that would wait to be indexed but have no file are `missing`, when there are any */
  countDocuments(sight?: Sight): Promise<Record<string, number>>
  countChunks(): Promise<number>
  /** live documents per state and chunks, by collection; only what someone sees */
  countCollections(sight: Sight): Promise<{ name: string; documents: Record<string, number>; chunks: number }[]>
  /** what became of a version that was cited: still the file's content, another one, or no file */
  stateOfVersion(id: string, version: number): Promise<'current' | 'changed' | 'gone'>
  /** what a text file was read as; nothing where it is no text, or was not read since it changed */
  charsetOf(document: DocumentRow): Promise<string | undefined>
  /** queued or indexing, their files there, untouched for `olderThanMs`: what the reconciler puts back into the queue */
  listUnfinished(olderThanMs: number): Promise<DocumentRow[]>
  /** documents, their files there, whose active version was made with other settings than `hashOf` gives for theirs */
  listStale(hashOf: (settings: IndexSettings) => string): Promise<DocumentRow[]>
  /** how many searchable documents were cut by other settings than `hashOf` gives for theirs, those in work included */
  countStale(hashOf: (settings: IndexSettings) => string): Promise<number>
  /** the same ones with their chunks, the bytes of these, and the milliseconds that indexing them has taken */
  weighStale(hashOf: (settings: IndexSettings) => string): Promise<{ documents: number; chunks: number; bytes: number; ms: number }>
  /** what the settings ask for, as the newest version told says; undefined: none was told */
  readChunking(): Promise<ChunkingOrder | undefined>
  /** keeps it unless a version as new was told before; tells what holds */
  orderChunking(order: ChunkingOrder): Promise<ChunkingOrder>

  // operations
  readSwitch(name: string): Promise<{ isOn: boolean; by?: string; at?: Date }>
  setSwitch(name: string, isOn: boolean, by: string): Promise<void>
  recordScan(scan: Omit<ScanRecord, 'id' | 'times'>): Promise<void>
  /** newest first; `before` is the id to go on below */
  listScans(limit: number, before?: number): Promise<ScanRecord[]>
  /** documents a second that ended in the last `windowS` seconds, over the time in which any was in work; 0 when none ended */
  indexingPace(windowS: number): Promise<number>
  /** what is still to be indexed, and what is known of how long that takes: from the last `windowS` seconds of work */
  indexingLoad(windowS: number): Promise<IndexingLoad>
  /** puts documents back to queued: those in `states`, below a path, among `ids`; returns them. Those whose content was never read stay. */
  requeueDocuments(query: RequeueQuery & { ids?: readonly string[] }): Promise<DocumentRow[]>
  /** those that `requeueDocuments` leaves, by error code, most first; `message` is that of one of them */
  countUnread(query: RequeueQuery): Promise<{ code: string; documents: number; message: string }[]>
  /** queued or indexing → skipped(cancelled); a running attempt can no longer write. False when it was neither. */
  cancelDocument(id: string): Promise<boolean>

  // control files
  listControlFiles(): Promise<ControlFile[]>
  saveControlFiles(changed: readonly ControlFile[], gone: readonly string[]): Promise<void>

  // attempts
  /** earlier ones of this document that never told how they ended are `lost` by it */
  beginAttempt(documentId: string, contentHash: string): Promise<number>
  /**
   * How far an attempt has come, for the case that it ends without a word: `extract`: the extractor reads the file; `read`: its text is in
   * this process; `saved`: vectors have been kept since. A sign of life of its document, too.
   */
  /** false when its work is wanted no more: the document has other content now, is gone, or a later attempt has begun */
  markAttempt(attemptId: number, stage: 'extract' | 'read' | 'saved', progress?: Progress): Promise<boolean>
  /**
   * Attempts at this content that ended without a word while its text was in their process and nothing had been kept, since the last one
   * that got further; less one for each other document that was lost in between and went well later: then it was not this text.
   */
  countCrashes(documentId: string, contentHash: string): Promise<number>
  /** gives those attempts the outcome `lost` that have no end although their document is done with; returns how many */
  closeLostAttempts(olderThanMs: number): Promise<number>
  /** false when a later attempt of this document has begun: then this one's results must not be written */
  isLatestAttempt(attemptId: number, documentId: string): Promise<boolean>
  endAttempt(attemptId: number, outcome: 'done' | 'skipped' | 'failed', detail: { code?: string; [figure: string]: unknown }): Promise<void>
  /** newest first; `detail` holds chunks, embedded, reused, ms, stages, message, as far as there are */
  listAttempts(documentId: string, limit: number): Promise<Attempt[]>
  /** attempts at this content; with `code` only those that ended in it */
  countAttempts(documentId: string, contentHash: string, code?: string): Promise<number>

  // versions, chunks, vectors
  vectorHashes(hashes: readonly string[], model: string): Promise<Set<string>>
  /** committed at once, so nothing embedded is embedded again after a crash */
  saveVectors(model: string, vectors: ReadonlyMap<string, Float32Array>): Promise<void>
  loadVectors(hashes: readonly string[], model: string): Promise<Map<string, Float32Array>>
  /** vectors that no chunk has used for that long; younger ones make an undone edit free */
  removeUnusedVectors(olderThanMs: number): Promise<number>
  /**
   * Writes version n+1 with its chunks beside the old, puts its vectors into Chroma, flips active_version and
   * state ready in one transaction guarded by the attempt (a sleeper's late write is refused), then removes the old version.
   */
  replaceChunks(
    document: DocumentRow,
    facts: VersionFacts,
    chunks: readonly Chunk[],
    generation: Generation,
    attemptId: number,
  ): Promise<{ version: number; dense: 'written' | 'pending' }>

  // chunks as their owner edits them
  /** those after an ordinal (-1: from the first) of the active version */
  listDocumentChunks(documentId: string, after: number, limit: number): Promise<DocumentChunk[]>
  findDocumentChunk(documentId: string, chunkId: string): Promise<DocumentChunk | undefined>
  listChunkEdits(documentId: string): Promise<ChunkEdit[]>
  /** keeps an edit, or with undefined forgets it; a ready document becomes queued. False when there was none to forget. */
  editChunk(
    documentId: string,
    sourceHash: string,
    edit: { sourceText: string; isDisabled: boolean; text: string | null; by: string } | undefined,
  ): Promise<boolean>

  // generations
  /** makes this model's generation the one that serves, whatever it holds: for a model that the configuration alone has changed */
  activeGeneration(model: string, dimension: number): Promise<Generation>
  findActive(): Promise<Generation | undefined>
  /** the one that serves, as long as its model is among those offered; otherwise the first one's begins to */
  servingGeneration(
    offered: readonly { model: string; dimension?: number | undefined; problem?: string | undefined }[],
  ): Promise<Generation>
  listGenerations(): Promise<GenerationRow[]>
  findGeneration(id: number): Promise<GenerationRow | undefined>
  /** one to be filled beside the one that serves. Errors: conflict, when the model has one already or another is being built. */
  beginGeneration(model: string, dimension: number, by: string): Promise<GenerationRow>
  /** for 10 s nobody else fills it; tells what was embedded since. False: another does, or it is not to be filled any more. */
  holdGeneration(id: number, holder: string, done?: { embedded: number; ms: number }): Promise<boolean>
  releaseGeneration(id: number, holder: string): Promise<void>
  /** `problem: null` takes it back; `isCompared`: Chroma has all of it now */
  noteGeneration(id: number, note: { problem?: GenerationProblem | null; isCompared?: boolean }): Promise<void>
  saveGate(id: number, result: { passed: boolean; [figure: string]: unknown }): Promise<void>
  /**
   * Makes it the one that serves, the former stands by, in one transaction; the feed wakes its followers.
   * Errors: not_found; conflict (retired); without `force` generation_incomplete, gate_failed.
   */
  activateGeneration(id: number, options?: { force?: boolean }): Promise<GenerationRow>
  /** its collections and the vectors that no other generation uses. Errors: not_found; conflict (it serves). */
  dropGeneration(id: number): Promise<void>
  /** of the searched texts: how many chunks and texts there are, how many lack a vector of this model, and their bytes */
  countTexts(model: string): Promise<{ chunks: number; texts: number; missing: number; missingBytes: number }>
  /** texts without a vector of this model, in the order of their hashes */
  missingTexts(model: string, after: string, limit: number): Promise<{ textHash: string; text: string }[]>

  // what retrieval follows
  lastChange(): Promise<number>
  changesAfter(seq: number, limit: number): Promise<Change[]>
  /** in the order of documents and their chunks, from one snapshot; `batch` gets a page when it is done with the one before */
  loadActive(batch: (chunks: IndexedChunk[]) => unknown, documentIds?: readonly string[]): Promise<void>
  parentsOf(chunkIds: readonly string[]): Promise<Map<string, { start: number; end: number; text: string }>>
  /** wakes on NOTIFY corpus_change; polling stays the truth */
  onChange(wake: () => void): AsyncDisposable

  // dense
  /** the nearest chunks; `within` one language, some documents or collections (the last two cost about ten times as long) */
  searchDense(
    vector: Float32Array,
    limit: number,
    generation: Generation,
    signal: AbortSignal,
    within?: DenseScope,
  ): Promise<{ chunkId: string; score: number }[]>
  /** a real query against the collection; throws when Chroma is down, empty, torn or of another dimension */
  denseCanary(generation: Generation, signal: AbortSignal): Promise<void>
  /** compares Chroma with the active chunks and mends it from Postgres without an embedding call */
  reconcileDense(generation: Generation, progress?: (done: number, of: number) => void): Promise<{ added: number; removed: number }>
  /** true when the dense index may hold what no active version has: a drop failed, a version was abandoned or is being written */
  isDenseDoubtful(): boolean

  /** the oracle: reads every row and every vector, changes nothing; throws when Postgres or Chroma does not answer */
  verify(): Promise<CorpusReport>
}
