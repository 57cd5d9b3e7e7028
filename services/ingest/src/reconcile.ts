import type { Corpus } from '@docent/corpus/corpus'
import type { Log } from '@docent/kit/logger'
import type { Embedder } from '@docent/models/embedder'
import type { Chunking } from './chunk/chunk.ts'
import type { Events } from './events.ts'
import type { Extractor } from './extract-client.ts'
import { settingsHash } from './jobs/index-document.ts'
import type { Scanner } from './scan/scan-folder.ts'

type JobState = 'waiting' | 'active' | 'delayed' | 'failed'
export type ReconcileDeps = {
  corpus: Corpus
  embedder: Embedder
  extractor: Extractor
  events: Events
  scanner: Scanner
  queue: { name: string; getJobCounts(...states: JobState[]): Promise<Record<string, number>> }
  worker: { pause(doNotWaitActive: boolean): Promise<void>; resume(): void; isPaused(): boolean }
  push: (documents: readonly { id: string; contentHash: string }[]) => Promise<void>
  chunking: Chunking
  scanIntervalMs: number
  intervalMs: number
  log: Log
}

const DENSE_FULL_MS = 10 * 60_000
const DOUBT_INTERVALS = 4 // a comparison lists every id: not at each look while documents are being written
const SWEEP_MS = 3_600_000
const KEEP_VECTORS_MS = 7 * 86_400_000
const ANSWER_MS = 4_000

/**
 * The repair, repeated: folder against ledger, ledger against queue, settings against what was indexed, Chroma against Postgres.
 * Each task goes at its own pace and fails alone; what fails is tried again.
 */
export function startReconciler(deps: ReconcileDeps): AsyncDisposable & { densePending(): void } {
  const { corpus, embedder, events, log } = deps
  const stop = new AbortController()
  const soon = () => AbortSignal.any([stop.signal, AbortSignal.timeout(ANSWER_MS)])
  let compareDense = true // at the start: Chroma may be anything
  let comparedAt = 0

  /** Work waits while a neighbour that it needs is away, and goes on by itself when it is back. */
  async function pulse(): Promise<void> {
    const down = {
      embedder_down: await fails(embedder.info(soon())),
      extractor_down: await fails(deps.extractor.alive(soon())),
      queue_down: await fails(within(deps.queue.getJobCounts('active'))),
    }
    for (const [reason, on] of Object.entries(down)) events.paused(reason as keyof typeof down, on)
    if (down.embedder_down || down.extractor_down) {
      if (!deps.worker.isPaused()) await within(deps.worker.pause(true))
    } else if (deps.worker.isPaused()) deps.worker.resume()
    if (!down.queue_down) await requeue()
    events.counted(
      await corpus.countDocuments(),
      down.queue_down ? {} : { [deps.queue.name]: await within(deps.queue.getJobCounts('waiting', 'active', 'delayed', 'failed')) },
    )
    if (!down.extractor_down) {
      const { extracted } = (await deps.extractor.counters(soon())) as { extracted?: Record<string, number> }
      if (extracted) events.extracted(extracted)
    }
  }

  /** FLUSHALL or a lost Redis volume takes jobs without an error; the ledger knows them all. */
  async function requeue(): Promise<void> {
    const { waiting = 0, active = 0, delayed = 0 } = await within(deps.queue.getJobCounts('waiting', 'active', 'delayed'))
    const forgotten = await corpus.listUnfinished(2 * deps.intervalMs)
    // those that stand in line are not forgotten: adding them again is harmless, but not free
    if (forgotten.length > 0 && waiting + active + delayed < forgotten.length) await deps.push(forgotten)
  }

  async function settings(): Promise<void> {
    const { model } = await embedder.info(soon())
    const stale = await corpus.listStale((settings) => settingsHash(settings, deps.chunking, model))
    for (const document of stale) await corpus.setState(document.id, 'queued', undefined, document)
    await deps.push(stale)
    if (stale.length > 0) log.info({ documents: stale.length }, 'the settings have changed: documents are indexed anew')
  }

  async function dense(): Promise<void> {
    const { model, dimension } = await embedder.info(soon())
    const generation = await corpus.activeGeneration(model, dimension)
    const broken = await fails(corpus.denseCanary(generation, soon()))
    const age = performance.now() - comparedAt
    const isDue = compareDense || age > DENSE_FULL_MS || (corpus.isDenseDoubtful() && age > DOUBT_INTERVALS * deps.intervalMs)
    if (!broken && !isDue) return
    compareDense = true
    const mended = await corpus.reconcileDense(generation)
    compareDense = false
    comparedAt = performance.now()
    if (mended.added + mended.removed > 0) log.info(mended, 'the dense index was mended from Postgres')
  }

  const tasks = [
    every(deps.intervalMs, 'pulse', pulse),
    every(deps.scanIntervalMs, 'scan', () => deps.scanner.scan()),
    every(deps.intervalMs, 'settings', settings),
    every(2 * deps.intervalMs, 'dense', dense),
    every(SWEEP_MS, 'sweep', async () => void (await corpus.removeUnusedVectors(KEEP_VECTORS_MS))),
  ]

  async function every(ms: number, task: string, run: () => Promise<void>): Promise<void> {
    let failed = ''
    while (!stop.signal.aborted) {
      await run().then(
        () => {
          failed = ''
        },
        (err: Error) => {
          if (!stop.signal.aborted && err.message !== failed) log.warn({ err, task }, 'a repair failed and is tried again')
          failed = err.message
        },
      )
      await pause(ms, stop.signal)
    }
  }

  return {
    densePending: () => {
      compareDense = true
    },
    async [Symbol.asyncDispose]() {
      stop.abort()
      await Promise.all(tasks)
    },
  }
}

async function fails(asked: Promise<unknown>): Promise<boolean> {
  return asked.then(
    () => false,
    () => true,
  )
}

/** BullMQ waits for Redis without end; a task here does not. */
async function within<T>(asked: Promise<T>): Promise<T> {
  const limit = new AbortController()
  try {
    return await Promise.race([
      asked,
      pause(ANSWER_MS, limit.signal).then(() => {
        throw new Error('the queue does not answer')
      }),
    ])
  } finally {
    limit.abort()
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((done) => {
    if (signal.aborted) return done()
    const timer = setTimeout(end, ms)
    function end() {
      clearTimeout(timer)
      signal.removeEventListener('abort', end)
      done()
    }
    signal.addEventListener('abort', end)
  })
}
