import { existsSync, realpathSync } from 'node:fs'
import { dirname, join, relative, sep } from 'node:path'
import { ConfigError } from '@docent/kit/config'

/**
 * What is kept must not be among the documents: it would be indexed, and the admin key be shown to anyone who may read. Hidden folders
 * are never indexed. Errors: ConfigError.
 */
export function requireDataOutside(folder: string, dataDir: string): void {
  const within = relative(realpathSync(folder), realOf(dataDir))
  const parts = within.split(sep)
  if (parts[0] === '..' || parts.some((part) => part.startsWith('.') && part !== '..')) return
  throw new ConfigError(
    `--data: ${dataDir} lies in the folder of documents, so that its keys and databases would be indexed: name a place outside ${folder}`,
  )
}

/** Also of what is not there yet: links above it are followed. */
function realOf(path: string): string {
  if (existsSync(path)) return realpathSync(path)
  const above = dirname(path)
  return above === path ? path : join(realOf(above), path.slice(above.length))
}
