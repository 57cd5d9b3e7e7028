import { lstat, readdir } from 'node:fs/promises'
import { join } from 'node:path'

/**
 * Of names in one folder that differ in their Unicode form only, the one that is read, by its NFC form: the NFC one, else the first.
 * The scan and whoever opens a document choose by it.
 */
export function chosenNames(names: readonly string[]): Map<string, string> {
  const chosen = new Map<string, string>()
  for (const name of names) {
    const form = name.normalize('NFC')
    const other = chosen.get(form)
    if (other === undefined || name === form || (other !== form && name < other)) chosen.set(form, name)
  }
  return chosen
}

/**
 * Where a document lies. The ledger keeps names in NFC; a file from macOS may be named in NFD on disk.
 * Undefined when there is no such file.
 */
export async function diskPath(folder: string, path: string): Promise<string | undefined> {
  if (await exists(join(folder, path))) return path
  let found = ''
  for (const part of path.split('/')) {
    const names = await readdir(join(folder, found)).catch((): string[] => [])
    // a name that is listed as not read is kept as it is
    const name = names.includes(part) ? part : chosenNames(names).get(part)
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
