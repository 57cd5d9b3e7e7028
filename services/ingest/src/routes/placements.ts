import type { Stats } from 'node:fs'
import { lstat } from 'node:fs/promises'
import { join } from 'node:path'
import { AppError } from '@docent/core/errors'
import { diskPath } from '../scan/disk-path.ts'
import { hashFile } from '../scan/hash-file.ts'

export const conflictChoices = ['refuse', 'replace', 'rename'] as const
/** What an upload does whose name is taken by another content: nothing at all, its next version, or a file beside it. */
export type OnConflict = (typeof conflictChoices)[number]

/** Where a received file goes; `unchanged`: the same content lies there already, and nothing is written. `asked`: the name that was taken. */
export type Placement = { from: string; path: string; outcome: 'created' | 'replaced' | 'unchanged' | 'renamed'; asked?: string }

const MOST_BESIDE = 100

/**
 * Decides for all files of a request before one is written. Errors: already_exists names every path that is taken, conflict that a folder,
 * a link or a pipe stands there, validation that two files of the request have one path.
 */
export async function planPlacements(
  wanted: readonly { from: string; path: string }[],
  folder: string,
  onConflict: OnConflict,
): Promise<Placement[]> {
  const placements: Placement[] = []
  const taken: string[] = []
  const isFree = async (path: string) => !placements.some((other) => other.path === path) && (await diskPath(folder, path)) === undefined
  for (const { from, path } of wanted) {
    // a name of another Unicode form on the disk is the same document
    const there = await diskPath(folder, path)
    const isTwice = placements.some((other) => other.path === path)
    if (isTwice && onConflict !== 'rename')
      throw new AppError('validation', `Two files of the request have the path ${path}: name them apart.`)
    if (there !== undefined) refuseOddity(await lstat(join(folder, there)), path, onConflict)
    if (!isTwice && there === undefined) placements.push({ from, path, outcome: 'created' })
    else if (!isTwice && (await isSame(from, join(folder, there!)))) placements.push({ from, path, outcome: 'unchanged' })
    else if (onConflict === 'rename') placements.push({ from, path: await nameBeside(path, isFree), outcome: 'renamed', asked: path })
    else if (onConflict === 'replace') placements.push({ from, path: there!, outcome: 'replaced' })
    else taken.push(path)
  }
  if (taken.length > 0)
    throw new AppError(
      'already_exists',
      `There already: ${taken.join(', ')}. Nothing was written; send onConflict=replace for the next version, or onConflict=rename to keep both.`,
    )
  return placements
}

/** Whoever put a link, a pipe or a device there did not mean a document: it is not replaced unasked, and cannot be its former version. */
function refuseOddity(found: Stats, path: string, onConflict: OnConflict): void {
  if (found.isDirectory()) throw new AppError('conflict', 'A folder stands in the way of that file.')
  if (!found.isFile() && onConflict !== 'rename')
    throw new AppError(
      'conflict',
      `At ${path} lies no regular file but a link, a pipe or a device, which is not replaced: take it away, or send onConflict=rename.`,
    )
}

async function isSame(from: string, there: string): Promise<boolean> {
  const [received, found] = await Promise.all([lstat(from), lstat(there)])
  if (!found.isFile() || found.size !== received.size) return false
  const [own, its] = await Promise.all([hashFile(from, received), hashFile(there, found)])
  return own !== undefined && own === its
}

/** `report (2).pdf`, or the first number that is free. */
async function nameBeside(path: string, isFree: (path: string) => Promise<boolean>): Promise<string> {
  const [, stem, extension] = /^(.*?)(\.[^./]*)?$/s.exec(path)!
  for (let n = 2; n <= MOST_BESIDE; n++) {
    const beside = `${stem} (${n})${extension ?? ''}`
    if (await isFree(beside)) return beside
  }
  throw new AppError('already_exists', `There are ${MOST_BESIDE} files beside ${path} already: give it another name.`)
}
