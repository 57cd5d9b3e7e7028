import type { ControlFile, Corpus, DocumentRow, DocumentSettings, IndexSettings } from '@docent/corpus/corpus'
import { faultPoint } from '@docent/kit/fault-point'
import type { Log } from '@docent/kit/logger'
import type { Events } from '../events.ts'
import type { Push } from '../queue.ts'
import { type Controls, mergeControls, vanishing } from './control-files.ts'
import { collectionDefaults, isIgnoreFile, sameSettings, settingsLookup } from './folder-settings.ts'
import { createHashCache, type HashCache, rememberIdentities } from './hash-cache.ts'
import { type FileSeen, planScan, type ScanPlan, waitForOriginals } from './plan-scan.ts'
import { decideRemovals } from './removals.ts'
import { createRestless, type RestlessFile, restlessProblem } from './restless.ts'
import { emptyReport, endOf, reportOf, type ScanReport } from './scan-report.ts'
import { isLeftOut, snapshotFolder } from './snapshot-folder.ts'

export type ScanDeps = {
  corpus: Corpus
  events: Events
  log: Log
  folder: string
  settleMs: number
  maxFileBytes: number
  /** puts documents into the job queue; never throws, for the ledger brings back what it could not place */
  push: Push
}

export type Scanner = AsyncDisposable & {
  /** one scan at a time; a call during a scan asks for one more after it */
  scan(): Promise<ScanReport>
  /** what a scan would do now, without doing it */
  dryRun(): Promise<ScanReport>
  /** the yes to a removal of more than a fifth of the folder; tells how many went */
  confirmRemoval(): Promise<number>
  /** runs while no scan does: for changes to the folder that come through the API */
  exclusively<T>(work: () => Promise<T>): Promise<T>
  /** these files were written whole, by us */
  trust(paths: readonly string[]): void
  /** whether `.docentignore` keeps a file of this path out of the index */
  leavesOut(path: string): Promise<boolean>
  status(): ScanStatus
  /** the settings that hold for a path, as of the last scan */
  settingsOf(path: string): Promise<DocumentSettings>
  /** what the root's control file says of collections, by name */
  collectionDefaults(): Map<string, IndexSettings>
}
export type ScanStatus = {
  lastScanAt: string | null
  lastScan: ScanReport | null
  pendingRemoval: number
  missing: boolean
  problems: Problem[]
  /** files that keep changing and so are not read */
  restless: RestlessFile[]
}
/** A control file that cannot be followed (what it said before still holds), or a file that never rests. */
export type Problem = { path: string; message: string; since?: string }

/** Disk → plan → ledger → queue. Repeating it is the repair of everything the watch missed. */
export function createScanner(deps: ScanDeps): Scanner {
  const { corpus, events, log } = deps
  const hashes = createHashCache()
  const missingSince = new Map<string, number>()
  const controlsMissingSince = new Map<string, number>()
  const restless = createRestless(deps.settleMs)
  let status: Omit<ScanStatus, 'restless'> = { lastScanAt: null, lastScan: null, pendingRemoval: 0, missing: false, problems: [] }
  let controls: ControlFile[] | undefined
  let root: string | undefined
  let turn: Promise<unknown> = Promise.resolve()
  let waiting: Promise<ScanReport> | undefined
  let later: NodeJS.Timeout | undefined
  let closed = false

  /** Reads disk and ledger and says what follows; changes nothing. */
  async function look(
    cache: HashCache,
    since: Map<string, number>,
    controlsSince: Map<string, number>,
    { confirmed = false, settleMs = deps.settleMs },
  ) {
    const began = performance.now()
    controls ??= await corpus.listControlFiles()
    const known = await corpus.listKnown()
    if (cache.hashes.size === 0)
      for (const document of known) if (isHash(document.contentHash)) cache.ledger.set(document.path, recordOf(document))
    const snapshot = await snapshotFolder({ ...deps, settleMs, hashes: cache, lastRules: rulesOf(controls) })
    if (snapshot.root === undefined) return undefined

    snapshot.controls.push(...vanishing(controls, snapshot, controlsSince, settleMs))

    const unsettled = new Set(snapshot.unsettled)
    const judged = known.filter(
      ({ path }) => !unsettled.has(path) && !snapshot.unknown.some((place) => path === place || path.startsWith(`${place}/`)),
    )
    const planned = planScan(
      judged.map(({ id, path, contentHash }) => ({ documentId: id, path, contentHash, identity: cache.identities.get(path) })),
      snapshot.files,
    )
    const { plan, waiting } = settleMs > 0 ? waitForOriginals(planned, cache.copies) : { plan: planned, waiting: [] }
    snapshot.unsettled.push(...waiting)
    const knownPaths = new Set(known.map(({ path }) => path))
    rememberIdentities(cache, snapshot.files, knownPaths)
    const missing = plan.remove.map(({ documentId }) => documentId)
    const removals = decideRemovals(since, {
      missing,
      known: known.length,
      seen: snapshot.files.length + snapshot.unsettled.length,
      arriving: snapshot.unsettled.filter((path) => !knownPaths.has(path)).length,
      sameRoot: root === snapshot.root,
      confirmed,
      settleMs,
      began,
      now: performance.now(),
    })
    const merged = mergeControls(controls, snapshot.controls, snapshot.unknown)
    const settingsOf = settingsLookup(merged.files)
    const paths = new Map(plan.move.map(({ documentId, to }) => [documentId, to]))
    // a file that is missing keeps what held for it: with its folder the `_docent.yml` that closed it is gone, too
    const lies = new Set([...snapshot.files.map(({ path }) => path), ...snapshot.unsettled])
    const placed = known
      .map((document) => ({ document, path: paths.get(document.id) ?? document.path }))
      .filter(({ path }) => lies.has(path))
      .map(({ document, path }) => ({ document, settings: settingsOf(path) }))
      .filter(({ document, settings }) => !sameSettings(document, settings))
      .map(({ document, settings }) => ({ id: document.id, ...settings }))
    const byId = new Map(known.map((document) => [document.id, document]))
    const found = {
      ...reportOf(plan, removals.remove, byId, removals.held > 0 ? missing : []),
      files: snapshot.files.length,
      skipped: snapshot.files.filter(({ problem }) => problem).length,
      unsettled: snapshot.unsettled.length,
      resettled: placed.length,
      held: removals.held,
    }
    return { snapshot, root: snapshot.root, plan, removals, missing, merged, settingsOf, placed, known: byId, found }
  }

  async function once(confirmed: boolean): Promise<ScanReport> {
    const started = new Date()
    const seen = await look(hashes, missingSince, controlsMissingSince, { confirmed })
    status = { ...status, missing: seen === undefined }
    events.paused('folder_missing', status.missing)
    if (!seen) {
      const known = await corpus.listKnown()
      await markMissing(known, new Set(known.map(({ id }) => id)))
      return conclude(emptyReport(started, 'folder_missing'), false) // an unmounted folder deletes nothing
    }

    const { snapshot, plan, removals, merged, placed } = seen
    await markMissing(seen.known.values(), new Set(seen.missing))
    if (removals.held === 0) root = seen.root
    status = { ...status, pendingRemoval: removals.held }
    events.paused('mass_removal', removals.held > 0)
    await follow(merged)
    if (placed.length > 0) await corpus.placeDocuments(placed)
    if (plan.add.length + plan.change.length > 0) faultPoint('K1')
    await apply(plan, removals.remove, seen.known, seen.settingsOf)

    const unsettled = [...snapshot.unsettled, ...snapshot.controls.flatMap((control) => ('unsettled' in control ? [control.path] : []))]
    for (const { path, since } of restless.follow(unsettled))
      log.warn({ path, since }, 'a file keeps changing and is not read before it rests')
    const isUnsettled = unsettled.length > 0
    const settleMs = isUnsettled ? deps.settleMs : undefined
    const nextMs = Math.min(settleMs ?? Number.POSITIVE_INFINITY, removals.waitMs ?? Number.POSITIVE_INFINITY)
    if (Number.isFinite(nextMs)) scanAfter(nextMs + 50)
    const report = { startedAt: started.toISOString(), ...endOf(started), ...seen.found }
    // the first scan counts as done only when what it found has settled, but for what never does
    return conclude(report, status.lastScanAt !== null || snapshot.unsettled.every((path) => restless.isRestless(path)))
  }

  /** Before anything is queued: what has no file is nobody's work. The ledger says what was marked, for another replica may have done it. */
  async function markMissing(known: Iterable<DocumentRow>, missing: ReadonlySet<string>): Promise<void> {
    const wrong = [...known].filter(({ id, isMissing }) => isMissing !== missing.has(id))
    for (const isMissing of [true, false]) {
      const ids = wrong.filter(({ id }) => missing.has(id) === isMissing).map(({ id }) => id)
      if (ids.length > 0) await corpus.markMissing(ids, isMissing)
    }
  }

  async function conclude(report: ScanReport, isDone: boolean): Promise<ScanReport> {
    status = { ...status, lastScan: report, ...(isDone ? { lastScanAt: report.endedAt } : {}) }
    events.scanned(report)
    const { unsettled: _, ...record } = report
    await corpus.recordScan(record)
    return report
  }

  /** The same look with copies of what a scan remembers, as if nothing had to settle. */
  async function dryRun(): Promise<ScanReport> {
    const started = new Date()
    const copy = {
      hashes: new Map(hashes.hashes),
      ledger: new Map(hashes.ledger),
      watched: new Map(hashes.watched),
      trusted: new Set(hashes.trusted),
      identities: new Map(hashes.identities),
      copies: new Set(hashes.copies),
    }
    const seen = await look(copy, new Map(missingSince), new Map(controlsMissingSince), { settleMs: 0 })
    return seen ? { startedAt: started.toISOString(), ...endOf(started), ...seen.found } : emptyReport(started, 'folder_missing')
  }

  /** The control files as they are now; what cannot be followed is said once, and the settings before it stay. */
  async function follow({ files, changed, gone }: Controls): Promise<void> {
    await corpus.saveControlFiles(changed, gone)
    controls = files
    status = { ...status, problems: files.flatMap(({ path, problem }) => (problem === null ? [] : [{ path, message: problem }])) }
    events.controlFiles(changed, gone, status.problems.length)
  }

  async function apply(
    plan: ScanPlan,
    remove: readonly string[],
    known: ReadonlyMap<string, DocumentRow>,
    settingsOf: (path: string) => DocumentSettings,
  ): Promise<void> {
    for (const { documentId, to, file } of plan.move) {
      await corpus.moveDocument(documentId, to)
      const document = known.get(documentId)!
      // another extension is read by another parser; and it may have been edited on its way
      const isOther = document.mediaType !== file.mediaType || document.contentHash !== file.contentHash
      if (isOther && !file.problem) plan.change.push({ documentId, file })
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
      ...plan.change
        .filter(({ file }) => !file.problem)
        .map(({ documentId, file: { contentHash, size } }) => ({ id: documentId, contentHash, size })),
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

  function scan(): Promise<ScanReport> {
    waiting ??= exclusively(async () => {
      waiting = undefined
      return closed ? emptyReport(new Date(), 'stopping') : await once(false)
    })
    return waiting
  }

  return {
    scan,
    dryRun: () => exclusively(dryRun),
    exclusively,
    confirmRemoval: () => exclusively(async () => (await once(true)).removed),
    trust: (paths) => paths.forEach((path) => void hashes.trusted.add(path)),
    leavesOut: (path) => isLeftOut(path, { folder: deps.folder, lastRules: rulesOf(controls ?? []) }),
    status() {
      const files = restless.list()
      return { ...status, restless: files, problems: [...status.problems, ...files.map((file) => restlessProblem(file, deps.settleMs))] }
    },
    async settingsOf(path) {
      controls ??= await corpus.listControlFiles()
      return settingsLookup(controls)(path)
    },
    collectionDefaults: () => collectionDefaults(controls ?? []),
    async [Symbol.asyncDispose]() {
      closed = true
      clearTimeout(later)
      await turn
    },
  }
}

/** By path, what each `.docentignore` said when it could last be read. */
function rulesOf(controls: readonly ControlFile[]): Map<string, string> {
  return new Map(controls.filter(({ path }) => isIgnoreFile(path)).map(({ path, content }) => [path, content ?? '']))
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
