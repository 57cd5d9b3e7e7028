import type { ControlFile, Corpus, DocumentRow, DocumentSettings } from '@docent/corpus/corpus'
import { faultPoint } from '@docent/kit/fault-point'
import type { Log } from '@docent/kit/logger'
import type { Events } from '../events.ts'
import { mergeControls } from './control-files.ts'
import { IGNORE_FILE, sameSettings, settingsLookup } from './folder-settings.ts'
import { createHashCache } from './hash-cache.ts'
import { type FileSeen, planScan, type ScanPlan } from './plan-scan.ts'
import { decideRemovals } from './removals.ts'
import { type Snapshot, snapshotFolder } from './snapshot-folder.ts'

export type ScanDeps = {
  corpus: Corpus
  events: Events
  log: Log
  folder: string
  settleMs: number
  maxFileBytes: number
  /** puts documents into the job queue; never throws, for the ledger brings back what it could not place */
  push: (documents: readonly { id: string; contentHash: string }[]) => Promise<void>
}

export type Scanner = AsyncDisposable & {
  /** one scan at a time; a call during a scan asks for one more after it */
  scan(): Promise<void>
  /** the yes to a removal of more than a fifth of the folder; tells how many went */
  confirmRemoval(): Promise<number>
  /** runs while no scan does: for changes to the folder that come through the API */
  exclusively<T>(work: () => Promise<T>): Promise<T>
  /** these files were written whole, by us */
  trust(paths: readonly string[]): void
  status(): ScanStatus
}
export type ScanStatus = { lastScanAt: string | null; pendingRemoval: number; missing: boolean; problems: Problem[] }
/** A control file that cannot be followed; what it said before still holds. */
export type Problem = { path: string; message: string }

/** Disk → plan → ledger → queue. Repeating it is the repair of everything the watch missed. */
export function createScanner(deps: ScanDeps): Scanner {
  const { corpus, events, log } = deps
  const hashes = createHashCache()
  const missingSince = new Map<string, number>()
  let status: ScanStatus = { lastScanAt: null, pendingRemoval: 0, missing: false, problems: [] }
  let controls: ControlFile[] | undefined
  let root: string | undefined
  let turn: Promise<unknown> = Promise.resolve()
  let waiting: Promise<void> | undefined
  let later: NodeJS.Timeout | undefined
  let closed = false

  async function once(confirmed: boolean): Promise<number> {
    const known = await corpus.listKnown()
    if (hashes.hashes.size === 0)
      for (const document of known) if (isHash(document.contentHash)) hashes.ledger.set(document.path, recordOf(document))
    controls ??= await corpus.listControlFiles()
    const lastRules = controls.find(({ path }) => path === IGNORE_FILE)?.content ?? ''
    const snapshot = await snapshotFolder({ ...deps, hashes, lastRules })
    status = { ...status, missing: snapshot.root === undefined }
    events.paused('folder_missing', status.missing)
    if (snapshot.root === undefined) return 0 // an unmounted folder deletes nothing

    const settingsOf = await follow(snapshot)
    const open = new Set(snapshot.unsettled)
    const judged = known.filter(
      ({ path }) => !open.has(path) && !snapshot.unknown.some((place) => path === place || path.startsWith(`${place}/`)),
    )
    const plan = planScan(
      judged.map(({ id, path, contentHash }) => ({ documentId: id, path, contentHash })),
      snapshot.files,
    )
    const knownPaths = new Set(known.map(({ path }) => path))
    const removals = decideRemovals(missingSince, {
      missing: plan.remove.map(({ documentId }) => documentId),
      known: known.length,
      seen: snapshot.files.length + snapshot.unsettled.length,
      arriving: snapshot.unsettled.filter((path) => !knownPaths.has(path)).length,
      sameRoot: root === snapshot.root,
      confirmed,
      settleMs: deps.settleMs,
      now: performance.now(),
    })
    if (removals.held === 0) root = snapshot.root
    status = { ...status, pendingRemoval: removals.held }
    events.paused('mass_removal', removals.held > 0)

    if (plan.add.length + plan.change.length > 0) faultPoint('K1')
    await apply(plan, removals.remove, new Map(known.map((document) => [document.id, document])), settingsOf)
    events.scanned({
      add: plan.add.length,
      change: plan.change.length,
      move: plan.move.length,
      remove: removals.remove.length,
      files: snapshot.files.length,
    })
    const isUnsettled = snapshot.unsettled.length > 0 || snapshot.controls.some((control) => 'unsettled' in control)
    const settleMs = isUnsettled ? deps.settleMs : undefined
    const nextMs = Math.min(settleMs ?? Number.POSITIVE_INFINITY, removals.waitMs ?? Number.POSITIVE_INFINITY)
    if (Number.isFinite(nextMs)) scanAfter(nextMs + 50)
    // the first scan counts as done only when what it found has settled
    if (status.lastScanAt !== null || snapshot.unsettled.length === 0) status = { ...status, lastScanAt: new Date().toISOString() }
    return removals.remove.length
  }

  /** The control files as they are now; what cannot be followed is said once, and the settings before it stay. */
  async function follow(snapshot: Snapshot): Promise<(path: string) => DocumentSettings> {
    const { files, changed, gone } = mergeControls(controls ?? [], snapshot.controls, snapshot.unknown)
    await corpus.saveControlFiles(changed, gone)
    controls = files
    status = { ...status, problems: files.flatMap(({ path, problem }) => (problem === null ? [] : [{ path, message: problem }])) }
    events.controlFiles(changed, gone, status.problems.length)
    return settingsLookup(files)
  }

  async function apply(
    plan: ScanPlan,
    remove: readonly string[],
    known: ReadonlyMap<string, DocumentRow>,
    settingsOf: (path: string) => DocumentSettings,
  ): Promise<void> {
    const paths = new Map(plan.move.map(({ documentId, to }) => [documentId, to]))
    const placed = [...known.values()]
      .map((document) => ({ document, settings: settingsOf(paths.get(document.id) ?? document.path) }))
      .filter(({ document, settings }) => !sameSettings(document, settings))
      .map(({ document, settings }) => ({ id: document.id, ...settings }))
    if (placed.length > 0) await corpus.placeDocuments(placed)
    for (const { documentId, to, file } of plan.move) {
      await corpus.moveDocument(documentId, to)
      const document = known.get(documentId)!
      // another extension is read by another parser
      if (document.mediaType !== file.mediaType && !file.problem) plan.change.push({ documentId, file })
      else events.documentChanged({ documentId, path: to, state: document.state })
    }
    for (const documentId of remove) {
      await corpus.removeDocument(documentId)
      missingSince.delete(documentId)
      events.documentChanged({ documentId, path: known.get(documentId)!.path, state: 'removed' })
    }
    for (const { documentId, file } of plan.change) {
      await corpus.changeDocument(documentId, fieldsOf(file))
      events.documentChanged({
        documentId,
        path: file.path,
        state: file.problem?.state ?? 'queued',
        ...(file.problem ? { code: file.problem.code } : {}),
      })
    }
    const added = await corpus.addDocuments(plan.add.map((file) => ({ path: file.path, ...settingsOf(file.path), ...fieldsOf(file) })))
    for (const { id, path, state, errorCode } of added)
      events.documentChanged({ documentId: id, path, state, ...(errorCode ? { code: errorCode } : {}) })
    const hasWork = added.length + plan.change.length > 0
    if (hasWork) faultPoint('K2')
    await deps.push([
      ...added.filter(({ state }) => state === 'queued'),
      ...plan.change.filter(({ file }) => !file.problem).map(({ documentId, file }) => ({ id: documentId, contentHash: file.contentHash })),
    ])
    if (hasWork) faultPoint('K3')
  }

  function scanAfter(ms: number): void {
    if (closed) return
    clearTimeout(later)
    later = setTimeout(() => scan().catch((err: unknown) => log.warn({ err }, 'a scan failed; the next one follows')), ms)
  }

  function exclusively<T>(work: () => Promise<T>): Promise<T> {
    const result = turn.then(work)
    turn = result.catch(() => undefined)
    return result
  }

  function scan(): Promise<void> {
    waiting ??= exclusively(async () => {
      waiting = undefined
      if (!closed) await once(false)
    })
    return waiting
  }

  return {
    scan,
    exclusively,
    confirmRemoval: () => exclusively(() => once(true)),
    trust: (paths) => paths.forEach((path) => void hashes.trusted.add(path)),
    status: () => status,
    async [Symbol.asyncDispose]() {
      closed = true
      clearTimeout(later)
      await turn
    },
  }
}

function isHash(contentHash: string): boolean {
  return /^[0-9a-f]{64}$/.test(contentHash)
}

function recordOf({ size, modifiedAt, contentHash }: DocumentRow) {
  return { size, modifiedAt: modifiedAt.getTime(), hash: contentHash }
}

function fieldsOf({ contentHash, mediaType, size, modifiedAt, problem }: FileSeen) {
  return {
    contentHash,
    mediaType,
    size,
    modifiedAt,
    ...(problem ? { state: problem.state, error: { code: problem.code, message: problem.message } } : {}),
  }
}
