import { lstat, readdir } from 'node:fs/promises'
import { join } from 'node:path'

/**
 * Where a document lies. The ledger keeps names in NFC; a file from macOS may be named in NFD on disk.
 * Undefined when there is no such file.
 */
export async function diskPath(folder: string, path: string): Promise<string | undefined> {
  if (await exists(join(folder, path))) return path
  let found = ''
  for (const part of path.split('/')) {
    const names = await readdir(join(folder, found)).catch(() => [])
    const name = names.find((candidate) => candidate.normalize('NFC') === part)
    if (name === undefined) return undefined
    found = found ? `${found}/${name}` : name
  }
  return found
}

async function exists(full: string): Promise<boolean> {
  return lstat(full).then(
    () => true,
    () => false,
  )
}
