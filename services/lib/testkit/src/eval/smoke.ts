import { readdirSync, readFileSync } from 'node:fs'
import { askSet, type Line } from './ask-set.ts'
import { hashOf, hashOfFolder } from './facts.ts'
import type { Library } from './open-library.ts'

type Golden = { id: string; lang: 'zh' | 'en'; kind: string; q: string; previous?: string; doc: string | null }
type Natural = { id: string; lang: 'zh' | 'en'; kind: string; q: string; docs: string[] }

const folder = new URL('../../../../../documents', import.meta.url).pathname
const isFile = ({ name }: { name: string }) => !name.startsWith('.')
export const sample = {
  folder,
  files: readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile() && isFile(entry)).length,
}
const golden = (name: string) =>
  JSON.parse(readFileSync(new URL(`../../golden/${name}.json`, import.meta.url), 'utf8')) as { questions: unknown[] }

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
  'natural mono zh': 0.97,
  'natural mono en': 0.95,
  'natural cross zh': 0.95,
  'natural cross en': 0.87,
  // most ask for what such a folder might well say, and does not
  'natural unanswerable zh': 0.4,
  'natural unanswerable en': 0.9,
}

/**
 * The 120 questions over the sample folder, and 160 that were written as a newcomer asks, in words that the documents do not use; each
 * kind a line. What counts is whether the right document is among the first.
 */
export async function smoke(library: Library): Promise<Line[]> {
  const documents = hashOfFolder(folder)
  const lines: Line[] = []
  const asked = [
    ...(golden('sample').questions as Golden[]).map(({ kind, doc, ...one }) => ({ ...one, kind, docs: doc ? [doc] : [] })),
    ...(golden('natural').questions as Natural[]).map((one) => ({ ...one, kind: `natural ${one.kind}`, previous: undefined })),
  ]
  for (const [set, questions] of Map.groupBy(asked, ({ kind, lang }) => `${kind} ${lang}`)) {
    const list = questions.map(({ id, q, previous, docs }) => ({ id, q, previous, rel: docs }))
    const line = await askSet(library, set, list, (found) => found.passages.map(({ path }) => path), 'default', { limit: 8 })
    lines.push({ ...line, dataHash: hashOf([documents, ...list]) })
  }
  return lines
}

export function figureOf(line: Line): number {
  return line.set.includes('unanswerable') ? 1 - line.answerable : line.recall5
}
