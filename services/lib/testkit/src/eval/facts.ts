import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Library } from './open-library.ts'

/** What it took to make a folder searchable; the process holds all services, its threads of the model included. */
export type Ingested = {
  set: string
  files: number
  chunks: number
  seconds: number
  /** summed over all documents, two of which are worked on at a time */
  stageMs: Record<string, number>
  /** the corpus in Postgres; Chroma's copy of the vectors comes on top */
  indexBytes: number
  rssMb: number
}

export async function ingestOf(set: string, library: Library): Promise<Ingested> {
  const { chunks, stageMs, indexBytes } = await library.figures()
  const rssMb = Math.round(process.memoryUsage().rss / 1024 / 1024)
  return { set, files: library.files, chunks, seconds: library.ingestS, stageMs, indexBytes, rssMb }
}

export function hashOf(values: readonly unknown[]): string {
  const hash = createHash('sha256')
  for (const value of values) hash.update(`${JSON.stringify(value)}\n`)
  return hash.digest('hex').slice(0, 16)
}

/** One hash of all files below, by path and content. */
export function hashOfFolder(folder: string, isOf: (path: string) => boolean = () => true): string {
  const paths = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter(isOf)
    .sort()
  return hashOf(paths.map((path) => [path.slice(folder.length), createHash('sha256').update(readFileSync(path)).digest('hex')]))
}
