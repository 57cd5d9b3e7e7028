import { createHash } from 'node:crypto'
import { constants, type Stats } from 'node:fs'
import { open } from 'node:fs/promises'
import { fileParts } from '@docent/kit/file-parts'

/** Changes whenever the file is written, replaced or renamed. */
export function fingerprintOf(stats: Stats): string {
  return `${stats.ino}:${stats.size}:${stats.mtimeMs}:${stats.ctimeMs}`
}

/**
 * Stays the same while a file is renamed and written to. A number of a deleted file is given to a new one, but that is born later; where
 * the file system tells no time of birth, nothing is known (undefined).
 */
export function identityOf({ dev, ino, birthtimeMs }: Pick<Stats, 'dev' | 'ino' | 'birthtimeMs'>): string | undefined {
  return birthtimeMs > 0 ? `${dev}:${ino}:${birthtimeMs}` : undefined
}

/** sha256 in hex; undefined when the file changed while it was read. Never blocks on a pipe, never follows a link. */
export async function hashFile(full: string, before: Stats): Promise<string | undefined> {
  const handle = await open(full, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  try {
    const hash = createHash('sha256')
    for await (const part of fileParts(handle, before.size)) hash.update(part)
    return fingerprintOf(await handle.stat()) === fingerprintOf(before) ? hash.digest('hex') : undefined
  } finally {
    await handle.close()
  }
}
