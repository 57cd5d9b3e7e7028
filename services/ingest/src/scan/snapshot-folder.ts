import type { Stats } from 'node:fs'
import { lstat, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import ignore, { type Ignore } from 'ignore'
import { type ControlSeen, readControl } from './control-files.ts'
import { chosenNames } from './disk-path.ts'
import { IGNORE_FILE, isSettingsFile, SETTINGS_FILE } from './folder-settings.ts'
import { forgetVanished, type HashCache, hasSettled } from './hash-cache.ts'
import { fingerprintOf, hashFile, identityOf } from './hash-file.ts'
import { adviceFor, mediaTypeOf, supportedFormats } from './media-type.ts'
import type { FileSeen } from './plan-scan.ts'

export type Snapshot = {
  /** settled files, by NFC path */
  files: FileSeen[]
  /** written to a moment ago: looked at again soon */
  unsettled: string[]
  /** could not be looked at: what is known of these paths, and below them, stays as it is */
  unknown: string[]
  /** each `.docentignore` and each `_docent.yml` */
  controls: ControlSeen[]
  /** device and inode of the folder itself; undefined when it is missing */
  root: string | undefined
}

export type SnapshotOptions = {
  folder: string
  settleMs: number
  maxFileBytes: number
  hashes: HashCache
  /** by path, the rules of each `.docentignore` that hold while it cannot be read */
  lastRules?: ReadonlyMap<string, string>
  now?: number
  hash?: typeof hashFile
}

const temporary = /^(\.|~\$)|(~|\.(tmp|temp|swp|swx|part|crdownload|partial))$/i
const statusFile = /^_status\.json$/i // on some disks names that differ in case are one file
const MAX_DEPTH = 100
/** Before those of `.docentignore`, which may take them back: `!node_modules/`. */
const builtInRules = 'node_modules/\n'

/** Whether a name is one that editors, browsers and we ourselves use for files that are not documents. */
export function isTemporaryName(name: string): boolean {
  return temporary.test(name) || isSettingsFile(name) || statusFile.test(name)
}

export async function snapshotFolder(options: SnapshotOptions): Promise<Snapshot> {
  const snapshot: Snapshot = { files: [], unsettled: [], unknown: [], controls: [], root: undefined }
  const root = await lstat(options.folder).catch(() => undefined)
  if (!root?.isDirectory()) return snapshot
  snapshot.root = `${root.dev}:${root.ino}`
  await walk('', { depth: 0, rules: ignore().add(builtInRules), isUnsettled: false }, options, snapshot)
  snapshot.files = oncePerPath(snapshot.files)
  forgetVanished(options.hashes, new Set([...[...snapshot.files, ...snapshot.controls].map(({ path }) => path), ...snapshot.unsettled]))
  return snapshot
}

/** What the folders above say of this one; `isUnsettled`: one of their `_docent.yml` is being written. */
type Above = { depth: number; rules: Ignore; isUnsettled: boolean }

async function walk(dir: string, above: Above, options: SnapshotOptions, snapshot: Snapshot): Promise<void> {
  if (above.depth > MAX_DEPTH) return
  const entries = await readdir(join(options.folder, dir), { withFileTypes: true })
  const named = (name: string) => entries.some((entry) => entry.name === name)
  const rules = named(IGNORE_FILE) ? await rulesBelow(dir, above.rules, options, snapshot) : above.rules
  const isUnsettled = (named(SETTINGS_FILE) && (await lookAtSettings(dir, options, snapshot))) || above.isUnsettled
  const chosen = chosenNames(entries.map(({ name }) => name))
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const onDisk = dir ? `${dir}/${entry.name}` : entry.name
    if (isSettingsFile(entry.name) && entry.name !== SETTINGS_FILE)
      snapshot.controls.push({ path: onDisk.normalize('NFC'), problem: `it is not read: name it ${SETTINGS_FILE}` })
    if (isTemporaryName(entry.name)) continue
    if (!ignore.isPathValid(onDisk) || rules.ignores(entry.isDirectory() ? `${onDisk}/` : onDisk)) continue
    if (chosen.get(entry.name.normalize('NFC')) !== entry.name) snapshot.files.push(twinOf(dir, entry.name))
    else if (entry.isDirectory())
      await walk(onDisk, { depth: above.depth + 1, rules, isUnsettled }, options, snapshot).catch((error) =>
        closedFolder(error, onDisk.normalize('NFC'), snapshot),
      )
    // who may read it is not known yet
    else if (isUnsettled) snapshot.unsettled.push(onDisk.normalize('NFC'))
    else await look(onDisk, options, snapshot)
  }
}

/** As git does it: the nearest `.docentignore` that says anything decides; what a folder leaves out, nothing below it brings back. */
async function rulesBelow(
  dir: string,
  above: Ignore,
  { folder, lastRules }: Pick<SnapshotOptions, 'folder' | 'lastRules'>,
  snapshot: Pick<Snapshot, 'controls'>,
): Promise<Ignore> {
  const onDisk = dir ? `${dir}/${IGNORE_FILE}` : IGNORE_FILE
  const seen = await readControl(folder, onDisk)
  if (!seen) return above
  const path = onDisk.normalize('NFC')
  snapshot.controls.push({ ...seen, path })
  const lines = ('text' in seen ? seen.text : (lastRules?.get(path) ?? '')).split(/\r?\n/)
  return ignore()
    .add(above)
    .add(dir === '' ? lines : lines.flatMap((line) => rootedAt(dir, line)))
}

/** Whether a scan leaves out a file of this path. */
export async function isLeftOut(path: string, options: Pick<SnapshotOptions, 'folder' | 'lastRules'>): Promise<boolean> {
  let rules = ignore().add(builtInRules)
  const names = path.split('/')
  for (const [depth] of names.entries()) {
    rules = await rulesBelow(names.slice(0, depth).join('/'), rules, options, { controls: [] })
    const here = names.slice(0, depth + 1).join('/')
    if (rules.ignores(here === path ? here : `${here}/`)) return true
  }
  return false
}

/** A line of a `.docentignore` in `dir` as the root's would say it: one with a slash before its end counts from there, another from anywhere below. */
function rootedAt(dir: string, line: string): string[] {
  if (line.trim() === '' || line.startsWith('#')) return []
  const [mark, pattern] = line.startsWith('!') ? ['!', line.slice(1)] : ['', line]
  const isAnchored = /\/.*[^/\s]/.test(pattern)
  return [`${mark}/${dir.replace(/[\\*?[\]!# ]/g, '\\$&')}/${isAnchored ? pattern.replace(/^\//, '') : `**/${pattern}`}`]
}

/** Tells whether the file is being written. */
async function lookAtSettings(
  dir: string,
  { folder, settleMs, hashes, now = Date.now() }: SnapshotOptions,
  snapshot: Snapshot,
): Promise<boolean> {
  const onDisk = dir ? `${dir}/${SETTINGS_FILE}` : SETTINGS_FILE
  const path = onDisk.normalize('NFC')
  const seen = await readControl(folder, onDisk, (stats) => hasSettled(path, fingerprintOf(stats), ageOf(stats, now), settleMs, hashes))
  if (seen) snapshot.controls.push({ ...seen, path })
  return seen !== undefined && 'unsettled' in seen
}

function closedFolder(error: NodeJS.ErrnoException, path: string, snapshot: Snapshot): void {
  if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return // gone while we walked
  snapshot.unknown.push(path)
  if (error.code !== 'EACCES' && error.code !== 'EPERM') return
  snapshot.files.push(
    problemFile(path, 'failed', 'unreadable', `The folder cannot be opened; let its reader in: chmod -R a+rX ${quote(path)}`),
  )
}

async function look(onDisk: string, options: SnapshotOptions, snapshot: Snapshot): Promise<void> {
  const path = onDisk.normalize('NFC')
  const full = join(options.folder, onDisk)
  let stats: Stats
  try {
    stats = await lstat(full)
  } catch (error) {
    // a name that is not UTF-8 comes back changed and then does not exist
    if (path.includes('\ufffd'))
      snapshot.files.push(problemFile(path, 'skipped', 'unreadable', 'The name is not valid UTF-8; rename the file.'))
    else if ((error as NodeJS.ErrnoException).code !== 'ENOENT') snapshot.unknown.push(path)
    return
  }
  const seen = await judge(path, full, stats, options)
  if (seen === 'unsettled') snapshot.unsettled.push(path)
  else if (seen) snapshot.files.push(seen)
}

function ageOf(stats: Stats, now: number): number {
  return now - Math.max(stats.ctimeMs, stats.mtimeMs)
}

async function judge(
  path: string,
  full: string,
  stats: Stats,
  { settleMs, maxFileBytes, hashes: cache, now = Date.now(), hash: hashOf = hashFile }: SnapshotOptions,
): Promise<FileSeen | 'unsettled' | undefined> {
  if (!stats.isFile())
    return problemFile(path, 'skipped', 'unsupported', 'Only regular files are read; links, pipes, sockets and devices are not followed.')
  const mediaType = mediaTypeOf(path)
  const about = { size: stats.size, modifiedAt: stats.mtime }
  if (!mediaType)
    return {
      ...problemFile(
        path,
        // A document that somebody wants found is a failure to tell; a film or a font in the folder is not.
        adviceFor(path) ? 'failed' : 'skipped',
        'unsupported',
        adviceFor(path) ?? `This format is not read; these are: ${supportedFormats}. Convert the file, or leave it.`,
      ),
      ...about,
    }
  if (stats.size > maxFileBytes) {
    const problem = problemFile(
      path,
      'failed',
      'too_large',
      `The file is larger than ${Math.round(maxFileBytes / 1024 / 1024)} MB; split it, or raise MAX_FILE_MB.`,
    )
    return { ...problem, ...about, contentHash: `${problem.contentHash}:${stats.size}`, mediaType }
  }
  const fingerprint = fingerprintOf(stats)
  const file = identityOf(stats)
  const read = { path, ...about, mediaType, ...(file ? { identity: `${file} ${mediaType}` } : {}) }
  const remembered = cache.hashes.get(path)
  if (remembered?.fingerprint === fingerprint) return { ...read, contentHash: remembered.hash }
  if (!hasSettled(path, fingerprint, ageOf(stats, now), settleMs, cache)) return 'unsettled'
  const recorded = cache.ledger.get(path)
  try {
    const same = recorded?.size === stats.size && recorded.modifiedAt === stats.mtime.getTime()
    const hash = same ? recorded.hash : await hashOf(full, stats)
    if (hash === undefined) return 'unsettled'
    cache.hashes.set(path, { fingerprint, hash })
    return { ...read, contentHash: hash }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') return undefined
    if (code !== 'EACCES' && code !== 'EPERM')
      return {
        ...problemFile(path, 'failed', 'unreadable', `The file cannot be read (${code ?? 'unknown'}); look at the disk it lies on.`),
        ...about,
        mediaType,
      }
    return {
      ...problemFile(path, 'failed', 'unreadable', `The file cannot be opened; let its reader in: chmod a+r ${quote(path)}`),
      ...about,
      mediaType,
    }
  }
}

/** One path for a document: a name that differs from another's in its Unicode form only is listed as it is, and not read. */
function twinOf(dir: string, name: string): FileSeen {
  const message = 'Another name here is the same in another Unicode form, and that one is read; rename one of them.'
  return problemFile(join(dir.normalize('NFC'), name), 'skipped', 'unreadable', message)
}

/** Names that are not UTF-8 may come back alike. */
function oncePerPath(files: readonly FileSeen[]): FileSeen[] {
  return [...new Map(files.toReversed().map((file) => [file.path, file])).values()].reverse()
}

function problemFile(path: string, state: 'failed' | 'skipped', code: string, message: string): FileSeen {
  return {
    path,
    contentHash: `${code}:${path}`,
    size: 0,
    modifiedAt: new Date(0),
    mediaType: 'application/octet-stream',
    problem: { state, code, message },
  }
}

function quote(path: string): string {
  return `'${path.replaceAll("'", `'\\''`)}'`
}
