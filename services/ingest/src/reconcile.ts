import type { Corpus, Generation } from '@docent/corpus/corpus'
import type { Log } from '@docent/kit/logger'
import type { EmbeddingModels } from '@docent/models/embedder'
import type { CurrentChunking } from './chunk/current-chunking.ts'
import type { Events } from './events.ts'
import type { Extractor } from './extract-client.ts'
import type { FindServing } from './generations/serving.ts'
import { settingsHash } from './jobs/index-document.ts'
import type { Measure } from './measure.ts'
import { pause } from './pause.ts'
import { pauseSentences } from './pauses.ts'
import type { Push } from './queue.ts'
import type { Scanner } from './scan/scan-folder.ts'
import type { WorkGate } from './work-gate.ts'

type JobState = 'waiting' | 'prioritized' | 'active' | 'delayed' | 'failed'
export type QueueDepth = Record<'waiting' | 'active' | 'delayed' | 'failed', number>
export type ReconcileDeps = {
  corpus: Corpus
  models: EmbeddingModels
  findServing: FindServing
  extractor: Extractor
  events: Events
  scanner: Scanner
  queue: { name: string; getJobCounts(...states: JobState[]): Promise<Record<string, number>> }
  gate: WorkGate
  measure: Measure
  minFree: { diskBytes: number; memoryBytes: number }
  /** share of the queue's Redis that is used */
  queueFill: () => Promise<number>
  push: Push
  chunking: CurrentChunking
  scanIntervalMs: number
  intervalMs: number
  log: Log
}

export type Reconciler = AsyncDisposable & {
  densePending(): void
  /** jobs per state; rejects when the queue does not answer */
  depth(): Promise<QueueDepth>
  /** reads the switch of the owner and follows it at once */
  followSwitch(): Promise<void>
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
export function startReconciler(deps: ReconcileDeps): Reconciler {
  const { corpus, models, events, gate, log } = deps
  const stop = new AbortController()
  const soon = () => AbortSignal.any([stop.signal, AbortSignal.timeout(ANSWER_MS)])
  let compareDense = true // at the start: Chroma may be anything
  let comparedAt = 0
  let pendings = 0 // documents whose vectors could not be written
  let served: Generation | undefined

  /** Work waits while a neighbour that it needs is away, room is short or the owner wants it to, and goes on by itself. */
  async function pulse(): Promise<void> {
    const down = {
      embedder_down: await fails(modelAnswers(soon())),
      extractor_down: await fails(deps.extractor.alive(soon())),
      queue_down: await fails(within(deps.queue.getJobCounts('active'))),
    }
    for (const [reason, on] of Object.entries(down)) gate.set(reason as keyof typeof down, on)
    await lookAtRoom()
    if (!down.queue_down) await lookAtQueue()
    let unread: Error | undefined
    // a database that is away must not keep the other reasons from being heeded
    await lookAtSwitch().catch((error: Error) => {
      unread = error
    })
    const resumes = await within(gate.apply())
    if (unread) throw unread
    if (!down.queue_down) await requeue(resumes ? 0 : 2 * deps.intervalMs)
    await corpus.closeLostAttempts(2 * deps.intervalMs)
    events.counted(await corpus.countDocuments(), down.queue_down ? {} : { [deps.queue.name]: await depth() })
    if (!down.extractor_down) {
      const { extracted } = (await deps.extractor.counters(soon())) as { extracted?: Record<string, number> }
      if (extracted) events.extracted(extracted)
    }
  }

  /** Of the database nothing is asked: its absence has its own signs. */
  async function modelAnswers(signal: AbortSignal): Promise<void> {
    const offered = await models.list(signal)
    const { problem } = offered.find(({ model }) => model === served?.model) ?? offered[0] ?? {}
    if (problem !== undefined) throw new Error(problem)
  }

  async function lookAtSwitch(): Promise<void> {
    const { isOn, by } = await corpus.readSwitch('paused')
    gate.set('manual', isOn, by ? `${pauseSentences.manual} (By ${by}.)` : '')
  }

  /** Once short, it takes a quarter more to go on: work at the edge would only flicker. */
  async function lookAtRoom(): Promise<void> {
    const { memoryBytes, diskBytes } = await deps.measure()
    for (const [reason, free, least] of [
      ['memory', memoryBytes, deps.minFree.memoryBytes],
      ['disk', diskBytes, deps.minFree.diskBytes],
    ] as const) {
      const needed = events.pausedReasons().includes(reason) ? least * 1.25 : least
      const isShort = free !== undefined && least > 0 && free < needed
      gate.set(reason, isShort, isShort ? `${pauseSentences[reason]} (${inMb(free)} MB free, ${inMb(needed)} MB wanted.)` : '')
    }
  }

  async function lookAtQueue(): Promise<void> {
    const fill = await within(deps.queueFill())
    const limit = events.pausedReasons().includes('queue_full') ? 0.85 : 0.95
    gate.set('queue_full', fill > limit)
  }

  async function depth(): Promise<QueueDepth> {
    const found = await within(deps.queue.getJobCounts('waiting', 'prioritized', 'active', 'delayed', 'failed'))
    const { waiting = 0, prioritized = 0, active = 0, delayed = 0, failed = 0 } = found
    return { waiting: waiting + prioritized, active, delayed, failed }
  }

  /** FLUSHALL or a lost Redis volume takes jobs without an error; the ledger knows them all. */
  async function requeue(untouchedMs: number): Promise<void> {
    const { waiting, active, delayed } = await depth()
    const forgotten = await corpus.listUnfinished(untouchedMs)
    // those that stand in line are not forgotten: adding them again is harmless, but not free
    if (forgotten.length > 0 && waiting + active + delayed < forgotten.length) await deps.push(forgotten, 'bulk')
  }

  async function settings(): Promise<void> {
    const chunking = await deps.chunking.find()
    const stale = await corpus.listStale((settings) => settingsHash(settings, chunking))
    if (stale.length === 0) return
    await deps.push(await corpus.requeueDocuments({ states: ['ready'], ids: stale.map(({ id }) => id) }), 'again')
    log.info({ documents: stale.length }, 'the settings have changed: documents are indexed anew')
  }

  async function dense(): Promise<void> {
    const { generation } = await deps.findServing(soon())
    if (served?.id !== generation.id) compareDense = true
    served = generation
    const broken = await fails(corpus.denseCanary(generation, soon()))
    const age = performance.now() - comparedAt
    const isDue = compareDense || age > DENSE_FULL_MS || (corpus.isDenseDoubtful() && age > DOUBT_INTERVALS * deps.intervalMs)
    if (!broken && !isDue) return
    compareDense = true
    const asked = pendings
    const mended = await corpus.reconcileDense(generation)
    // what a document could not write while this was compared is for the next look
    compareDense = pendings !== asked
    gate.set('dense_behind', compareDense)
    comparedAt = performance.now()
    if (mended.added + mended.removed > 0) log.info(mended, 'the dense index was mended from Postgres')
  }

  const tasks = [
    every(deps.intervalMs, 'pulse', pulse),
    every(deps.scanIntervalMs, 'scan', async () => void (await deps.scanner.scan())),
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
    depth,
    async followSwitch() {
      await lookAtSwitch()
      // a queue that is away is no reason to refuse: the next pulse puts back what waits
      if (await within(gate.apply())) await requeue(0).catch((err: unknown) => log.warn({ err }, 'what waits is queued with the next look'))
    },
    densePending: () => {
      compareDense = true
      pendings++
      gate.set('dense_behind', true)
    },
    async [Symbol.asyncDispose]() {
      stop.abort()
      await Promise.all(tasks)
    },
  }
}

function inMb(bytes: number): number {
  return Math.round(bytes / 1024 / 1024)
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
