import { constants, type Stats } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import type { ControlFile } from '@docent/corpus/corpus'
import { isIgnoreFile, isSettingsFile, mayRestrict, parseFolderSettings, SETTINGS_FILE } from './folder-settings.ts'

/** A control file as it lies there now; a missing one is undefined. */
export type ControlSeen = { path: string } & ({ text: string } | { problem: string } | { unsettled: true })

const MAX_BYTES = 64 * 1024
const utf8 = new TextDecoder('utf-8', { fatal: true })

/** Reads `.docentignore` or a `_docent.yml` that has settled; never follows a link, never waits at a pipe, never throws. */
export async function readControl(
  folder: string,
  path: string,
  hasSettled: (stats: Stats) => boolean = () => true,
): Promise<ControlSeen | undefined> {
  try {
    await using handle = await open(join(folder, path), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
    const stats = await handle.stat()
    if (!stats.isFile()) return { path, problem: 'it is not a regular file' }
    if (stats.size > MAX_BYTES) return { path, problem: `it is larger than ${MAX_BYTES / 1024} KB` }
    if (!hasSettled(stats)) return { path, unsettled: true }
    return { path, text: utf8.decode(await handle.readFile()).replaceAll('\0', '') }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    if (code === 'ELOOP') return { path, problem: 'it is a link; put the file itself here' }
    if (error instanceof TypeError) return { path, problem: 'it is not UTF-8 text' }
    return { path, problem: `it cannot be read (${code ?? 'unknown'}); let its reader in: chmod a+r` }
  }
}

export type Controls = { files: ControlFile[]; changed: ControlFile[]; gone: string[] }

/**
 * What holds now: a text that is understood replaces the one before; one that is not leaves it in force and says why, and closes the
 * folder when it may name readers.
 * A control file in a folder that could not be opened stays as it is known.
 */
export function mergeControls(known: readonly ControlFile[], seen: readonly ControlSeen[], unknown: readonly string[]): Controls {
  const before = new Map(known.map((file) => [file.path, file]))
  const lies = new Set(seen.map(({ path }) => path))
  const closed = (path: string) => unknown.some((place) => path.startsWith(`${place}/`))
  const kept = known.filter(({ path }) => !lies.has(path) && closed(path))
  const files = [...kept, ...seen.flatMap((file) => judge(file, before.get(file.path)) ?? [])]
  return {
    files,
    changed: files.filter((file) => {
      const old = before.get(file.path)
      return old?.content !== file.content || old.problem !== file.problem || old.closed !== file.closed
    }),
    gone: known.filter(({ path }) => !lies.has(path) && !closed(path)).map(({ path }) => path),
  }
}

/**
 * Each `_docent.yml` that was there and is not now: an editor may take it away and put it back, and it may name readers, so for
 * `settleMs` it counts as being written. `since` remembers from when on (monotonic) each is missing.
 */
export function vanishing(
  known: readonly ControlFile[],
  { controls, unknown }: { controls: readonly ControlSeen[]; unknown: readonly string[] },
  since: Map<string, number>,
  settleMs: number,
  now = performance.now(),
): ControlSeen[] {
  const lies = new Set(controls.map(({ path }) => path))
  const gone = known.filter(({ path }) => isSettingsFile(path) && !lies.has(path) && !unknown.some((place) => path.startsWith(`${place}/`)))
  for (const path of since.keys()) if (!gone.some((file) => file.path === path)) since.delete(path)
  for (const { path } of gone) if (!since.has(path)) since.set(path, now)
  return gone.filter(({ path }) => now - since.get(path)! < settleMs).map(({ path }) => ({ path, unsettled: true }))
}

function judge(seen: ControlSeen, old: ControlFile | undefined): ControlFile | undefined {
  if ('unsettled' in seen) return old
  const problem = 'problem' in seen ? seen.problem : problemOf(seen.path, seen.text)
  if (problem === undefined && 'text' in seen) return { path: seen.path, content: seen.text, problem: null, closed: false }
  const content = old?.content ?? null
  const isUnread = !('text' in seen)
  const closed = !isIgnoreFile(seen.path) && (mayRestrict(isUnread ? undefined : seen.text, content) || (isUnread && old?.closed === true))
  const effect = closed ? '; until it is understood only the admin reads what lies below it' : ''
  return { path: seen.path, content, problem: `${seen.path}: ${problem}${effect}`, closed }
}

function problemOf(path: string, text: string): string | undefined {
  if (isIgnoreFile(path)) return undefined // every line of gitignore syntax means something
  const parsed = parseFolderSettings(text, path === SETTINGS_FILE)
  return 'problem' in parsed ? parsed.problem : undefined
}
