import type { Corpus } from '@docent/corpus/corpus'
import { principalOf } from '@docent/kit/internal'
import { parse } from '@docent/kit/parse'
import { type Request, Router } from 'express'
import { z } from 'zod'
import type { CurrentChunking } from '../chunk/current-chunking.ts'
import type { Events } from '../events.ts'
import { chunkingFor } from '../jobs/index-document.ts'
import type { Measure } from '../measure.ts'
import { isPausing } from '../pauses.ts'
import type { Reconciler } from '../reconcile.ts'
import { defaultCollection } from '../scan/folder-settings.ts'
import type { Scanner } from '../scan/scan-folder.ts'
import { STATUS_FILE, type StatusFile } from '../status-file.ts'
import { timeLeft } from '../time-left.ts'
import { requireIngest, sightOf } from './access.ts'
import { viewOf } from './generations.ts'

type Deps = {
  corpus: Corpus
  events: Events
  scanner: Scanner
  reconciler: Reconciler
  measure: Measure
  chunking: CurrentChunking
  statusFile: StatusFile | undefined
}

const PACE_S = 60
// where each document takes minutes, as by OCR
const SLOW_PACE_S = 900
// it is asked more often than its figures change
const LEFT_KEPT_MS = 2_000
const noDocuments = { queued: 0, indexing: 0, ready: 0, failed: 0, skipped: 0 }
const flag = z
  .enum(['true', 'false', '1', '0'])
  .default('false')
  .transform((value) => value === 'true' || value === '1')
const Scans = {
  query: z.strictObject({
    dryRun: flag,
    limit: z.coerce.number().int().min(1).max(200).default(20),
    cursor: z.coerce.number().int().min(1).max(Number.MAX_SAFE_INTEGER).optional(),
  }),
}

/** How ingest is doing, and the owner's hand on it. */
export function ingestRouter({ corpus, events, scanner, reconciler, measure, chunking, statusFile }: Deps): Router {
  const router = Router()

  async function pace(): Promise<number> {
    return (await corpus.indexingPace(PACE_S)) || (await corpus.indexingPace(SLOW_PACE_S))
  }

  const findTimeLeft = keptFor(LEFT_KEPT_MS, async () => {
    const seconds = timeLeft(await corpus.indexingLoad(PACE_S)) ?? timeLeft(await corpus.indexingLoad(SLOW_PACE_S))
    return seconds === null ? null : Math.max(1, seconds) // what has its vectors is still to be written
  })

  async function status() {
    const [documents, perSecond, queue, room, cut] = await Promise.all([
      corpus.countDocuments(),
      pace(),
      reconciler.depth().catch(() => null), // queue_down stands among the reasons then
      measure(),
      chunking.state(),
    ])
    const reasons = events.pauses()
    const unkept = statusFile?.problem()
    const generations = await Promise.all(
      (await corpus.listGenerations())
        .filter(({ state }) => state === 'building' || state === 'standby')
        .map((row) => viewOf(row, { corpus, events })),
    )
    const left = (documents.queued ?? 0) + (documents.indexing ?? 0)
    const isPaused = reasons.some(({ reason }) => isPausing(reason))
    const { lastScan, pendingRemoval, problems } = scanner.status()
    return {
      state: isPaused ? 'paused' : 'running',
      reasons,
      documents,
      queue,
      filesPerSecond: Math.round(perSecond * 100) / 100,
      secondsLeft: left === 0 ? 0 : isPaused ? null : await findTimeLeft(),
      lastScan,
      pendingRemoval,
      problems: [...problems, ...(unkept ? [{ path: STATUS_FILE, message: `${STATUS_FILE}: ${unkept}` }] : [])],
      generations,
      chunking: cut,
      room: { memoryBytes: room.memoryBytes ?? null, diskBytes: room.diskBytes ?? null },
    }
  }

  async function flip(req: Request, isOn: boolean) {
    const principal = principalOf(req)
    requireIngest(principal)
    await corpus.setSwitch('paused', isOn, principal.id)
    await reconciler.followSwitch()
    return status()
  }

  router.get('/collections', async (req, res) => {
    const principal = principalOf(req)
    const { collections } = principal
    const counted = await corpus.countCollections(sightOf(principal))
    const own = scanner.collectionDefaults()
    const byDefault = await chunking.find()
    // one that only has defaults so far is a collection, too
    const named = new Set([defaultCollection, ...own.keys(), ...counted.map(({ name }) => name)])
    const items = [...named]
      .filter((name) => !collections || collections.includes(name))
      .sort()
      .map((name) => {
        const { documents, chunks } = counted.find((one) => one.name === name) ?? { documents: noDocuments, chunks: 0 }
        const settings = own.get(name) ?? { language: null, chunkSize: null, chunkOverlap: null }
        const { size, overlap } = chunkingFor(settings, byDefault)
        return { name, documents, chunks, defaults: { language: settings.language, chunkSize: size, chunkOverlap: overlap } }
      })
    res.json({ items })
  })

  router.get('/ingest', async (req, res) => {
    requireIngest(principalOf(req))
    res.json(await status())
  })
  router.post('/ingest/pause', async (req, res) => void res.json(await flip(req, true)))
  router.post('/ingest/resume', async (req, res) => void res.json(await flip(req, false)))

  router.get('/ingest/scans', async (req, res) => {
    requireIngest(principalOf(req))
    const { dryRun, limit, cursor } = parse(Scans, req).query
    const { restless } = scanner.status()
    if (dryRun) return void res.json({ dryRun: true, restless, ...(await scanner.dryRun()) })
    const items = await corpus.listScans(limit, cursor)
    const last = items.at(-1)
    res.json({ items, restless, ...(items.length === limit && last ? { next: String(last.id) } : {}) })
  })
  router.post('/ingest/scan', async (req, res) => {
    requireIngest(principalOf(req))
    const { dryRun } = parse({ query: z.strictObject({ dryRun: flag }) }, req).query
    res.json({ dryRun, ...(dryRun ? await scanner.dryRun() : await scanner.scan()) })
  })
  return router
}

function keptFor<T>(ms: number, find: () => Promise<T>): () => Promise<T> {
  let kept: { value: Promise<T>; at: number } | undefined
  return () => {
    if (kept && performance.now() - kept.at < ms) return kept.value
    const value = find()
    const mine = { value, at: performance.now() }
    kept = mine
    value.catch(() => {
      if (kept === mine) kept = undefined
    })
    return value
  }
}
