import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { AppError } from '@docent/core/errors'
import type { EmbedderEvents, Kind } from './events.ts'
import { createFairQueue } from './fair-queue.ts'
import type { SessionData, SessionReply, SessionRequest } from './session-worker.ts'

export type Embedded = { vector: Float32Array; tokens: number }
export type LaneOptions = { kind: Kind; script: URL; session: SessionData; maxWaiting: number; events: EmbedderEvents }

type Task = { id: number; owner: object; text: string; resolve: (embedded: Embedded) => void; reject: (error: unknown) => void }

/** A worker thread with the queue before it: one text per run, a new thread when one dies. */
export type Lane = AsyncDisposable & {
  readonly waiting: number
  embed(texts: readonly string[], signal: AbortSignal): Promise<Embedded[]>
  /** goes before everything that waits */
  embedFirst(text: string): Promise<Embedded>
}

const PIPELINED = 2 // the next text already lies with the worker when a run ends
const CLOSE_MS = 3_000
const RESTART_MS = { first: 100, most: 10_000 }

export async function openLane({ kind, script, session, maxWaiting, events }: LaneOptions): Promise<Lane> {
  const queue = createFairQueue<Task>()
  const running: Task[] = []
  let worker: Worker
  let ready = false
  let closing = false
  let failures = 0
  let lastId = 0
  let meanSeconds = 0.03
  let restart: NodeJS.Timeout | undefined

  function start(): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    let cause: unknown
    worker = new Worker(script, {
      workerData: session,
      name: `embed-${kind}`,
      execArgv: [],
      resourceLimits: { maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 4 },
    })
    worker.on('message', (reply: SessionReply) => {
      if (reply === 'ready') {
        ready = true
        resolve()
      } else settle(reply)
      pump()
    })
    worker.on('error', (error) => {
      cause = error
    })
    worker.once('exit', (code) => {
      const wasReady = ready
      ready = false
      const error = new AppError('unavailable', `The embedding thread for ${kind} texts ended (code ${code}).`, { cause, retryAfterS: 2 })
      if (!closing) lost(error, wasReady)
      reject(error)
    })
    return promise
  }

  /** What ran when the thread died gets the error, for it may have been the reason; what waits goes to the next thread. */
  function lost(error: AppError, wasReady: boolean): void {
    events.workerLost(kind, error)
    const guilty = running.shift()
    guilty?.reject(new AppError('embedding_failed', 'The embedding thread died over this text; send it once more.', { cause: error.cause }))
    for (const task of running.splice(0).reverse()) queue.addFirst(task)
    if (!wasReady) for (const task of queue.clear()) task.reject(error)
    const delayMs = Math.min(RESTART_MS.first * 2 ** failures++, RESTART_MS.most)
    restart = setTimeout(() => start().then(() => events.workerBack(kind), ignoreAlreadyTold), delayMs)
  }

  function settle(reply: Exclude<SessionReply, 'ready'>): void {
    const task = running.shift()
    if (!task || task.id !== reply.id) throw new Error('a reply out of turn')
    if ('error' in reply) {
      const cause = new Error(reply.error)
      task.reject(new AppError('embedding_failed', 'The embedding model failed on this text.', { cause }))
      return
    }
    failures = 0
    meanSeconds += 0.1 * (reply.seconds - meanSeconds)
    events.embedded(kind, reply.seconds, reply.tokens)
    task.resolve({ vector: reply.vector, tokens: reply.tokens })
  }

  function pump(): void {
    while (ready && running.length < PIPELINED) {
      const task = queue.take()
      if (!task) break
      running.push(task)
      worker.postMessage({ id: task.id, text: task.text } satisfies SessionRequest)
    }
    events.waiting(kind, queue.size)
  }

  function enqueue(owner: object, text: string, add: (task: Task) => void): Promise<Embedded> {
    const { promise, resolve, reject } = Promise.withResolvers<Embedded>()
    add({ id: ++lastId, owner, text, resolve, reject })
    return promise
  }

  function admit(count: number): void {
    if (closing) throw new AppError('unavailable', 'The embedder is stopping.', { retryAfterS: 2 })
    if (queue.size === 0 || queue.size + count <= maxWaiting) return
    const retryAfterS = Math.min(Math.max(1, Math.ceil(queue.size * meanSeconds)), 60)
    throw new AppError('unavailable', `${queue.size} ${kind} texts are waiting already; send these again in ${retryAfterS} s.`, {
      retryAfterS,
    })
  }

  await start().catch((error: unknown) => {
    closing = true
    clearTimeout(restart)
    throw error // a first start that fails is a broken installation: nobody waits for the next try
  })
  return {
    get waiting() {
      return queue.size
    },
    async embed(texts, signal) {
      signal.throwIfAborted()
      admit(texts.length)
      const owner = {}
      const all = Promise.all(texts.map((text) => enqueue(owner, text, (task) => queue.add(owner, task))))
      pump()
      const aborted = Promise.withResolvers<never>()
      const leave = () => aborted.reject(signal.reason)
      signal.addEventListener('abort', leave, { once: true })
      try {
        return await Promise.race([all, aborted.promise])
      } finally {
        signal.removeEventListener('abort', leave)
        queue.drop(owner) // nothing is left of it unless a text failed or the caller left
      }
    },
    async embedFirst(text) {
      const embedded = enqueue({}, text, (task) => queue.addFirst(task))
      pump()
      return embedded
    },
    async [Symbol.asyncDispose]() {
      closing = true
      clearTimeout(restart)
      const stopping = new AppError('unavailable', 'The embedder is stopping.', { retryAfterS: 2 })
      for (const task of [...running.splice(0), ...queue.clear()]) task.reject(stopping)
      if (worker.threadId < 0) return
      const gone = once(worker, 'exit')
      worker.removeAllListeners('message')
      worker.postMessage('close' satisfies SessionRequest)
      const kill = setTimeout(() => void worker.terminate(), CLOSE_MS)
      await gone
      clearTimeout(kill)
    },
  }
}

/** `lost` has logged it and planned the next try. */
function ignoreAlreadyTold(): void {}
