import { isDeepStrictEqual } from 'node:util'
import { chunkOverlap, chunkSize } from '@docent/core/chunking'
import type { ControlFile, DocumentSettings, IndexSettings } from '@docent/corpus/corpus'
import { parseDocument } from 'yaml'
import { z } from 'zod'

export const SETTINGS_FILE = '_docent.yml'
export const IGNORE_FILE = '.docentignore'
// `_docent.yaml` and `_Docent.yml` are not followed, but they are meant to be
const settingsName = /(?:^|\/)_docent\.ya?ml$/i
export const defaultCollection = 'default'

const collection = z
  .string('must be text: put it into quotes')
  .regex(/^[\p{L}\p{N}][\p{L}\p{N} ._-]{0,99}$/u, 'must be letters, digits, spaces and . _ - , at most 100')
const language = z.enum(['zh', 'en'], 'must be zh or en')
const group = z
  .string('must be text: put it into quotes')
  .regex(/^[^\p{Cc}\p{Z}](?:[^\p{Cc}]{0,98}[^\p{Cc}\p{Z}])?$/u, 'must be the name of a group, at most 100 characters')
const readers = z.union(
  [z.literal('everyone'), z.array(group).min(1, 'must be a list of groups, or everyone').max(100, 'at most 100 groups')],
  'must be a list of groups, or everyone',
)
const own = { collection: collection.optional(), readers: readers.optional() }
const defaults = { language: language.optional(), chunk_size: chunkSize.optional(), chunk_overlap: chunkOverlap.optional() }
const unknownKey = {
  error: (issue: { code?: string | undefined; keys?: string[] }) =>
    issue.code === 'unrecognized_keys' ? `unknown key ${issue.keys?.join(', ')}` : 'must be lines of the form key: value',
}
const Folder = z.strictObject({ ...own, ...defaults }, unknownKey)
const Root = z.strictObject(
  { ...own, ...defaults, collections: z.record(collection, z.strictObject(defaults, unknownKey)).optional() },
  unknownKey,
)
type Parsed = z.infer<typeof Root>
const knownKeys = new Set(Object.keys(Root.shape))

/** What a `_docent.yml` says, or the one sentence that says why it cannot be followed. */
export function parseFolderSettings(text: string, isRoot: boolean): Parsed | { problem: string } {
  const document = parseDocument(text, { prettyErrors: true, uniqueKeys: true })
  const [broken] = document.errors
  if (broken) return { problem: `not YAML: ${broken.message.split('\n')[0]?.replace(/:$/, '')}` }
  let value: unknown
  try {
    value = document.toJS({ maxAliasCount: 20 }) ?? {}
  } catch (error) {
    return { problem: `not YAML: ${(error as Error).message.split('\n')[0]}` }
  }
  const parsed = (isRoot ? Root : Folder).safeParse(value)
  if (parsed.success) return parsed.data
  const known = `known are collection, readers, language, chunk_size, chunk_overlap${isRoot ? ', collections' : ''}`
  const sentences = parsed.error.issues.map(({ path, message }) => (path.length > 0 ? `${path.join('.')}: ${message}` : message))
  return { problem: `${sentences.join('; ')} (${known})`.slice(0, 500) }
}

/**
 * Whether a file that cannot be followed may name readers whom the text last understood (null: there is none) does not: a misspelt key
 * or broken YAML must not open what its owner wanted to close. `text` undefined: it cannot even be read.
 */
export function mayRestrict(text: string | undefined, before: string | null): boolean {
  if (text === undefined) return before === null
  const document = parseDocument(text, { uniqueKeys: true })
  const value: unknown = document.errors.length > 0 ? undefined : mappingOf(() => document.toJS({ maxAliasCount: 20 }))
  const keys = z.record(z.string(), z.unknown()).safeParse(value).data
  if (!keys) return before === null || /reader/i.test(text)
  if (Object.keys(keys).some((key) => !knownKeys.has(key))) return true
  if (!('readers' in keys)) return false
  const named = readers.safeParse(keys.readers)
  if (!named.success) return true
  const last = before === null ? {} : parseFolderSettings(before, true)
  return named.data !== 'everyone' && !isDeepStrictEqual(named.data, 'readers' in last ? last.readers : undefined)
}

function mappingOf(read: () => unknown): unknown {
  try {
    return read()
  } catch {
    return undefined // too many aliases: nothing is known of it
  }
}

/**
 * The settings that hold for a path: each folder from the root down to the document's own overrides those above it;
 * what none of them says comes from the collection's defaults in the root's file, else it is null. Below a closed one nobody but the
 * admin reads, unless a deeper folder names its own readers.
 */
export function settingsLookup(files: readonly ControlFile[]): (path: string) => DocumentSettings {
  const byFolder = new Map<string, Parsed>()
  for (const { path, content, closed } of files.toSorted((a, b) => Number(a.closed) - Number(b.closed))) {
    if (!isSettingsFile(path)) continue
    const folder = folderOf(path)
    const parsed = content === null ? {} : parseFolderSettings(content, folder === '')
    const known = 'problem' in parsed ? {} : parsed
    byFolder.set(folder, { ...byFolder.get(folder), ...known, ...(closed ? { readers: [] } : {}) })
  }
  const known = new Map<string, DocumentSettings>()
  const collections = byFolder.get('')?.collections ?? {}

  function ofFolder(folder: string): DocumentSettings {
    const found = known.get(folder)
    if (found) return found
    const chain = chainOf(folder).flatMap((above) => byFolder.get(above) ?? [])
    const own: Omit<Parsed, 'collections'> = Object.assign({}, ...chain)
    const name = own.collection ?? defaultCollection
    const byDefault = Object.hasOwn(collections, name) ? collections[name] : undefined
    const settings = {
      collection: name,
      readers: own.readers === undefined || own.readers === 'everyone' ? null : [...new Set(own.readers)].sort(),
      language: own.language ?? byDefault?.language ?? null,
      chunkSize: own.chunk_size ?? byDefault?.chunk_size ?? null,
      chunkOverlap: own.chunk_overlap ?? byDefault?.chunk_overlap ?? null,
    }
    known.set(folder, settings)
    return settings
  }
  return (path) => ofFolder(folderOf(path))
}

/** The defaults that the root's file gives to collections by name. */
export function collectionDefaults(files: readonly ControlFile[]): Map<string, IndexSettings> {
  const root = files.find(({ path }) => path === SETTINGS_FILE)?.content
  const parsed = root ? parseFolderSettings(root, true) : {}
  const collections = 'collections' in parsed ? (parsed.collections ?? {}) : {}
  return new Map(
    Object.entries(collections).map(([name, given]) => [
      name,
      { language: given.language ?? null, chunkSize: given.chunk_size ?? null, chunkOverlap: given.chunk_overlap ?? null },
    ]),
  )
}

export function sameSettings(a: DocumentSettings, b: DocumentSettings): boolean {
  return (
    a.collection === b.collection &&
    isDeepStrictEqual(a.readers, b.readers) &&
    a.language === b.language &&
    a.chunkSize === b.chunkSize &&
    a.chunkOverlap === b.chunkOverlap
  )
}

export function isIgnoreFile(path: string): boolean {
  return path === IGNORE_FILE || path.endsWith(`/${IGNORE_FILE}`)
}

export function isSettingsFile(path: string): boolean {
  return settingsName.test(path)
}

function folderOf(path: string): string {
  return path.slice(0, Math.max(path.lastIndexOf('/'), 0))
}

function chainOf(folder: string): string[] {
  const parts = folder === '' ? [] : folder.split('/')
  return ['', ...parts.map((_part, i) => parts.slice(0, i + 1).join('/'))]
}
