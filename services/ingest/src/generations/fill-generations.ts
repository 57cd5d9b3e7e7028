import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import { AppError, toAppError } from '@docent/core/errors'
import type { Corpus, GenerationRow } from '@docent/corpus/corpus'
import { faultPoint } from '@docent/kit/fault-point'
import type { Log } from '@docent/kit/logger'
import type { Embedder, EmbeddingModels } from '@docent/models/embedder'
import type { Events } from '../events.ts'
import { pause } from '../pause.ts'
import type { WorkGate } from '../work-gate.ts'
import { embedAll } from './embed-all.ts'

export type FillDeps = {
  corpus: Corpus
  models: EmbeddingModels
  gate: WorkGate
  events: Events
  /** Chroma is to be compared with the generation that serves */
  densePending: () => void
  intervalMs: number
  log: Log
}
export type Filler = AsyncDisposable & {
  /** looks now, at all of them once; true when there is more to do */
  look(): Promise<boolean>
}

const BATCH = 16
const PAGE = 2_048 // reading a page looks at all that is missing; this much text is about a megabyte
const LIST_MS = 4_000
const RATE_MS = 15_000
const ACCOUNT_MS = 60_000
const LOOK_MS = 60_000 // without a change nothing is missing; looked at all the same
// what indexing writes has the vectors of the one that serves: only what was being written while it began to serve may lack them
const SERVING_LOOK_MS = 600_000
const BEGINS_MS = 60_000
const COMPARE_INTERVALS = 4 // a comparison lists every id: not at each look while documents come
const MOST_YIELD_MS = 5_000
const TURN_MS = 30_000 // of a build, until the others are looked at again

/**
 * Gives every searched text a vector of each generation that serves, is being built or stands by: what is missing is read anew at each
 * look, so a new document, a changed configuration and a killed process are one and the same case. Each batch is committed alone.
 */
export function fillGenerations(deps: FillDeps): Filler {
  const { corpus, models, events, gate, log } = deps
  const me = `${hostname()}/${randomUUID()}`
  const stop = new AbortController()
  const clean = new Map<number, { seq: number; at: number }>()
  const compared = new Map<number, { seq: number; at: number }>()
  const restUntil = new Map<number, number>()
  let serving: { id: number; since: number } | undefined
  let looking: Promise<boolean> | undefined

  /** True when there is more to do at once. */
  async function lookAtAll(): Promise<boolean> {
    if (gate.isWaiting()) return false
    let isMore = false
    const rows = (await corpus.listGenerations()).filter(({ state }) => state !== 'retired')
    const beside = rows.filter(({ state }) => state !== 'active')
    const seq = await corpus.lastChange()
    const due = rows.filter((row) => !isClean(row, seq) || (row.state !== 'active' && !row.isCompared))
    if (due.length > 0) {
      const offered = await models.list(AbortSignal.any([stop.signal, AbortSignal.timeout(LIST_MS)]))
      const first = (a: GenerationRow, b: GenerationRow) => Number(b.state === 'active') - Number(a.state === 'active')
      for (const row of due.toSorted(first)) {
        const offer = offered.find(({ model }) => model === row.model)
        if (!offer)
          await note(row, {
            code: 'not_offered',
            message: `The embedder does not serve "${row.model}": set EMBEDDINGS_NEXT_* (or EMBEDDINGS_*) to it, or delete this generation.`,
          })
        else if ((restUntil.get(row.id) ?? 0) < performance.now()) isMore = (await tend(row, models.of(row.model), seq)) || isMore
      }
    }
    if (due.length > 0 || beside.length === 0) events.generationCounted(beside[0] && (await corpus.countTexts(beside[0].model)))
    return isMore
  }

  function isClean({ id, state }: GenerationRow, seq: number): boolean {
    const last = clean.get(id)
    const now = performance.now()
    if (state !== 'active') {
      if (serving?.id === id) serving = undefined
      return last !== undefined && last.seq === seq && now - last.at < LOOK_MS
    }
    if (serving?.id !== id) serving = { id, since: now }
    const mayLack = now - serving.since < BEGINS_MS
    return last !== undefined && now - last.at < (mayLack ? LOOK_MS : SERVING_LOOK_MS) && (last.seq === seq || !mayLack)
  }

  async function tend(row: GenerationRow, embedder: Embedder, seq: number): Promise<boolean> {
    if (!(await corpus.holdGeneration(row.id, me))) return false // another process fills it
    try {
      const outcome = await fill(row, embedder)
      if (outcome === 'left' || outcome === 'more') return outcome === 'more'
      if (row.state !== 'active' && (outcome.embedded > 0 || !row.isCompared || isDueToCompare(row.id, seq))) {
        await compare(row)
        compared.set(row.id, { seq, at: performance.now() })
        await corpus.noteGeneration(row.id, { isCompared: true })
        log.info({ generation: row.id, model: row.model }, 'the dense index of the generation is compared')
      }
      if (outcome.refused === 0) {
        clean.set(row.id, { seq, at: performance.now() })
        if (row.problem) await corpus.noteGeneration(row.id, { problem: null })
      }
      return false
    } catch (error) {
      stop.signal.throwIfAborted()
      await rest(row, toAppError(error))
      return false
    } finally {
      await corpus.releaseGeneration(row.id, me).catch((err: unknown) => log.warn({ err }, 'a generation is held for some seconds more'))
    }
  }

  async function compare(row: GenerationRow): Promise<void> {
    let isHeld = true
    await corpus.reconcileDense(row, () => {
      faultPoint('G3')
      stop.signal.throwIfAborted()
      if (!isHeld) throw new AppError('conflict', 'This generation is filled by another process, or given up.')
      // a long comparison must not look like a process that is gone
      corpus.holdGeneration(row.id, me).then(
        (held) => {
          isHeld = held
        },
        () => undefined, // the database is away: the comparison meets that itself
      )
    })
  }

  function isDueToCompare(id: number, seq: number): boolean {
    const last = compared.get(id)
    return !last || (last.seq !== seq && performance.now() - last.at > COMPARE_INTERVALS * deps.intervalMs)
  }

  /** `left`: work has to wait, or the generation is somebody else's or nobody's by now. `more`: its turn is over. */
  async function fill(row: GenerationRow, embedder: Embedder): Promise<'left' | 'more' | { embedded: number; refused: number }> {
    const turn = performance.now()
    let embedded = 0
    let refused = 0
    for (let after = ''; ; ) {
      const page = await corpus.missingTexts(row.model, after, PAGE)
      if (page.length === 0) return { embedded, refused }
      for (let at = 0; at < page.length; at += BATCH) {
        stop.signal.throwIfAborted()
        if (gate.isWaiting()) return 'left'
        const started = performance.now()
        const batch = page.slice(at, at + BATCH)
        const { vectors, problem } = await embedAll(batch, row.dimension, embedder, stop.signal)
        faultPoint('G1')
        await corpus.saveVectors(row.model, vectors)
        const ms = performance.now() - started
        if (!(await corpus.holdGeneration(row.id, me, { embedded: vectors.size, ms }))) return 'left'
        embedded += vectors.size
        refused += batch.length - vectors.size
        events.generationFilled(vectors.size)
        if (problem) await note(row, problem)
        faultPoint('G2')
        if (row.state === 'active') continue
        await giveWay(ms)
        if (performance.now() - turn > TURN_MS) return 'more'
      }
      if (row.state === 'active') deps.densePending()
      after = page.at(-1)!.textHash
    }
  }

  /** While documents wait to be indexed a build takes at most every other turn. */
  async function giveWay(ms: number): Promise<void> {
    const { queued = 0, indexing = 0 } = await corpus.countDocuments()
    if (queued + indexing > 0) await pause(Math.min(ms, MOST_YIELD_MS), stop.signal)
  }

  /** The provider of a generation beside is no reason for the one that serves to wait. */
  async function rest(row: GenerationRow, error: AppError): Promise<void> {
    const isAccount = error.code === 'upstream_unauthorized' || error.code === 'budget_exhausted'
    const ms =
      error.retryAfterS !== undefined ? error.retryAfterS * 1000 : isAccount ? ACCOUNT_MS : error.code === 'rate_limited' ? RATE_MS : 0
    restUntil.set(row.id, performance.now() + ms)
    if (row.state === 'active') gate.waitFor(error)
    await note(row, error)
  }

  async function note(row: GenerationRow, { code, message }: { code: string; message: string }): Promise<void> {
    if (row.problem?.code === code && row.problem.message === message) return
    log.warn({ generation: row.id, model: row.model, code, why: message }, 'a generation is not being filled')
    await corpus.noteGeneration(row.id, { problem: { code, message, at: new Date().toISOString() } })
  }

  /** One look at a time; who asks meanwhile gets the next one. */
  async function look(): Promise<boolean> {
    const before = looking
    const mine = (async () => {
      await before?.catch(() => undefined)
      return lookAtAll()
    })()
    looking = mine
    return mine
  }

  async function follow(): Promise<void> {
    let failed = ''
    while (!stop.signal.aborted) {
      const isMore = await look().then(
        (more) => {
          failed = ''
          return more
        },
        (err: Error) => {
          if (!stop.signal.aborted && err.message !== failed) log.warn({ err }, 'filling the generations failed and is tried again')
          failed = err.message
          return false
        },
      )
      if (!isMore) await pause(deps.intervalMs, stop.signal)
    }
  }

  const following = follow()
  return {
    look,
    async [Symbol.asyncDispose]() {
      stop.abort()
      await following
    },
  }
}
