import { setImmediate as immediate } from 'node:timers/promises'
import type { Corpus, IndexedChunk } from '@docent/corpus/corpus'
import type { RetrievalEvents } from '../events.ts'
import type { ChunkIndex } from './chunk-index.ts'
import type { SnapshotKeeper } from './keep-snapshot.ts'

const CHANGES = 500
// how long indexing keeps the event loop from health checks and searches, except within one document
const TURN_MS = 8
const CATCH_UP_MS = 1_000

export type Follower = AsyncDisposable & {
  readonly loaded: boolean
  readonly lastError: unknown
  /** resolves when a look at the feed that begins from now on is over, after a second at the latest */
  catchUp(): Promise<void>
  /** resolves after the first attempt to load, so that a database that comes later is no reason not to start */
  readonly tried: Promise<void>
}

/** Loads the active chunks, then follows the change feed for ever: NOTIFY wakes it, polling is the truth. `also` is done at each look. */
export function followFeed(
  corpus: Corpus,
  index: ChunkIndex,
  events: RetrievalEvents,
  pollMs: number,
  also: () => Promise<void>,
  snapshots?: SnapshotKeeper,
): Follower {
  const stopped = new AbortController()
  let seq = -1
  let lastError: unknown
  let wake: () => void = () => undefined
  let woken = false
  let waiting: (() => void)[] = []

  async function load(): Promise<void> {
    const started = performance.now()
    const from = await corpus.lastChange() // before the rows: what changes meanwhile is read again
    await snapshots?.adopt()
    await collect(undefined)
    const reused = snapshots?.settle() ?? 0
    seq = from
    events.loaded({ chunks: index.size, reused, ms: performance.now() - started })
  }

  /** Rows come in document order, one document perhaps in several batches: each is replaced once, whole. */
  async function collect(documentIds: readonly string[] | undefined): Promise<Set<string>> {
    const seen = new Set<string>()
    let current: IndexedChunk[] = []
    let turn = performance.now()
    await corpus.loadActive(async (chunks) => {
      for (const chunk of chunks) {
        if (current[0] && chunk.documentId !== current[0].documentId) await flush()
        current.push(chunk)
      }
    }, documentIds)
    await flush()
    // what has no active chunks any more
    for (const id of documentIds ?? index.documents()) if (!seen.has(id)) index.replace(id, [])
    return seen

    async function flush(): Promise<void> {
      const [first] = current
      if (!first) return
      seen.add(first.documentId)
      index.replace(first.documentId, current)
      current = []
      if (performance.now() - turn < TURN_MS) return
      await immediate()
      stopped.signal.throwIfAborted()
      turn = performance.now()
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
      await also()
      await snapshots?.look()
      lastError = undefined
    } catch (error) {
      if (stopped.signal.aborted) return
      if (lastError === undefined) events.feedFailed(error)
      lastError = error
    }
  }

  async function follow(): Promise<void> {
    await tried
    while (!stopped.signal.aborted) {
      if (!woken) await nextTurn()
      woken = false
      const told = waiting
      waiting = []
      if (!stopped.signal.aborted) await step()
      for (const tell of told) tell()
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

  const tried = step()
  const listening = corpus.onChange(() => {
    woken = true
    wake()
  })
  const following = follow()
  return {
    tried,
    catchUp() {
      const { promise, resolve } = Promise.withResolvers<void>()
      const late = setTimeout(resolve, CATCH_UP_MS)
      waiting.push(() => {
        clearTimeout(late)
        resolve()
      })
      woken = true
      wake()
      return promise
    },
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
