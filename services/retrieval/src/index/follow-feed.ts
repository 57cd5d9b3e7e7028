import type { Corpus, IndexedChunk } from '@docent/corpus/corpus'
import type { RetrievalEvents } from '../events.ts'
import type { ChunkIndex } from './chunk-index.ts'

const CHANGES = 500

export type Follower = AsyncDisposable & { readonly loaded: boolean; readonly lastError: unknown }

/**
 * Loads the active chunks, then follows the change feed for ever: NOTIFY wakes it, polling is the truth.
 * Resolves after the first attempt to load, so that a database that comes later is no reason not to start.
 */
export async function followFeed(corpus: Corpus, index: ChunkIndex, events: RetrievalEvents, pollMs: number): Promise<Follower> {
  const stopped = new AbortController()
  let seq = -1
  let lastError: unknown
  let wake: () => void = () => undefined
  let woken = false

  async function load(): Promise<void> {
    const started = performance.now()
    const from = await corpus.lastChange() // before the rows: what changes meanwhile is read again
    const seen = await collect(undefined)
    for (const id of index.documents()) if (!seen.has(id)) index.replace(id, []) // left from a load that broke off
    seq = from
    events.loaded(index.size, performance.now() - started)
  }

  /** Rows come in document order, one document perhaps in several batches: each is replaced once, whole. */
  async function collect(documentIds: readonly string[] | undefined): Promise<Set<string>> {
    const seen = new Set<string>()
    const byDocument = new Map<string, IndexedChunk[]>()
    for (const id of documentIds ?? []) byDocument.set(id, [])
    let current = ''
    await corpus.loadActive((chunks) => {
      for (const chunk of chunks) {
        if (!documentIds && chunk.documentId !== current) {
          flush(current)
          current = chunk.documentId
        }
        const known = byDocument.get(chunk.documentId)
        if (known) known.push(chunk)
        else byDocument.set(chunk.documentId, [chunk])
      }
    }, documentIds)
    for (const id of [...byDocument.keys()]) flush(id)
    return seen

    function flush(id: string): void {
      const chunks = byDocument.get(id)
      if (!chunks) return
      seen.add(id)
      index.replace(id, newestVersion(chunks))
      byDocument.delete(id)
    }
  }

  async function catchUp(): Promise<void> {
    for (;;) {
      const changes = await corpus.changesAfter(seq, CHANGES)
      if (changes.length === 0) return
      const documentIds = [...new Set(changes.map((change) => change.documentId))]
      await collect(documentIds)
      seq = changes.at(-1)!.seq
      events.followed(documentIds.length, index.size)
      if (changes.length < CHANGES) return
    }
  }

  async function step(): Promise<void> {
    try {
      if (seq < 0) await load()
      await catchUp()
      lastError = undefined
    } catch (error) {
      if (lastError === undefined) events.feedFailed(error)
      lastError = error
    }
  }

  async function follow(): Promise<void> {
    while (!stopped.signal.aborted) {
      if (!woken) await nextTurn()
      woken = false
      if (!stopped.signal.aborted) await step()
    }
  }

  function nextTurn(): Promise<void> {
    return new Promise((done) => {
      const timer = setTimeout(done, pollMs)
      wake = () => {
        clearTimeout(timer)
        done()
      }
    })
  }

  await step()
  const listening = corpus.onChange(() => {
    woken = true
    wake()
  })
  const following = follow()
  return {
    get loaded() {
      return seq >= 0
    },
    get lastError() {
      return lastError
    },
    async [Symbol.asyncDispose]() {
      stopped.abort()
      wake()
      await Promise.all([following, listening[Symbol.asyncDispose]()])
    },
  }
}

/** A flip between two batches could mix versions; the feed brings the newer one whole right after. */
function newestVersion(chunks: readonly IndexedChunk[]): IndexedChunk[] {
  const newest = chunks.reduce((version, chunk) => Math.max(version, chunk.version), 0)
  return chunks.filter((chunk) => chunk.version === newest)
}
