import { constants } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import type { ControlFile } from '@docent/corpus/corpus'
import { isIgnoreFile, parseFolderSettings, SETTINGS_FILE } from './folder-settings.ts'

/** A control file as it lies there now; a missing one is undefined. */
export type ControlSeen = { path: string } & ({ text: string } | { problem: string } | { unsettled: true })

const MAX_BYTES = 64 * 1024
const utf8 = new TextDecoder('utf-8', { fatal: true })

/** Reads `.docentignore` or a `_docent.yml`; never follows a link, never waits at a pipe, never throws. */
export async function readControl(folder: string, path: string, settledBefore: number): Promise<ControlSeen | undefined> {
  try {
    await using handle = await open(join(folder, path), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
    const stats = await handle.stat()
    if (!stats.isFile()) return { path, problem: 'it is not a regular file' }
    if (stats.size > MAX_BYTES) return { path, problem: `it is larger than ${MAX_BYTES / 1024} KB` }
    if (Math.max(stats.mtimeMs, stats.ctimeMs) > settledBefore) return { path, unsettled: true }
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
 * What holds now: a text that is understood replaces the one before; one that is not leaves it in force and says why.
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
      return old?.content !== file.content || old.problem !== file.problem
    }),
    gone: known.filter(({ path }) => !lies.has(path) && !closed(path)).map(({ path }) => path),
  }
}

function judge(seen: ControlSeen, old: ControlFile | undefined): ControlFile | undefined {
  if ('unsettled' in seen) return old
  const problem = 'problem' in seen ? seen.problem : problemOf(seen.path, seen.text)
  if (problem === undefined && 'text' in seen) return { path: seen.path, content: seen.text, problem: null }
  return { path: seen.path, content: old?.content ?? null, problem: `${seen.path}: ${problem}` }
}

function problemOf(path: string, text: string): string | undefined {
  if (isIgnoreFile(path)) return undefined // every line of gitignore syntax means something
  const parsed = parseFolderSettings(text, path === SETTINGS_FILE)
  return 'problem' in parsed ? parsed.problem : undefined
}
