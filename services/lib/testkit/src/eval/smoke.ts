import { readdirSync, readFileSync } from 'node:fs'
import { askSet, type Line } from './ask-set.ts'
import { hashOf, hashOfFolder } from './facts.ts'
import type { Library } from './open-library.ts'

type Golden = { id: string; lang: 'zh' | 'en'; kind: string; q: string; previous?: string; doc: string | null }

const folder = new URL('../../../../../documents', import.meta.url).pathname
const isFile = ({ name }: { name: string }) => !name.startsWith('.')
export const sample = {
  folder,
  files: readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile() && isFile(entry)).length,
}
const golden = new URL('../../golden/sample.json', import.meta.url)

/** What was seen, less one question. Recall@5 of the document that answers; of what cannot be answered the share that is refused. */
export const smokeFloors: Record<string, number> = {
  'mono zh': 0.97,
  'mono en': 0.97,
  'cross zh': 0.87,
  'cross en': 0.85,
  'followup zh': 0.87,
  'followup en': 0.85,
  'unanswerable zh': 0.8,
  'unanswerable en': 0.6,
}

/** The 120 questions over the sample folder, each kind a line; what counts is whether the right document is among the first. */
export async function smoke(library: Library): Promise<Line[]> {
  const { questions } = JSON.parse(readFileSync(golden, 'utf8')) as { questions: Golden[] }
  const documents = hashOfFolder(folder)
  const lines: Line[] = []
  for (const [set, asked] of Map.groupBy(questions, ({ kind, lang }) => `${kind} ${lang}`)) {
    const list = asked.map(({ id, q, previous, doc }) => ({ id, q, previous, rel: doc ? [doc] : [] }))
    const line = await askSet(library, set, list, (found) => found.passages.map(({ path }) => path), 'default', { limit: 8 })
    lines.push({ ...line, dataHash: hashOf([documents, ...list]) })
  }
  return lines
}

export function figureOf(line: Line): number {
  return line.set.startsWith('unanswerable') ? 1 - line.answerable : line.recall5
}
