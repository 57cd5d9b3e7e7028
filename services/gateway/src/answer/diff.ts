import { diffWordsWithSpace } from 'diff'
import type { SourceNote } from '../store/records.ts'

export type TextChange = { op: 'same' | 'gone' | 'new'; text: string }
export type SourcesDiff = {
  kept: SourceNote[]
  gone: SourceNote[]
  new: SourceNote[]
  moved: (SourceNote & { from: number })[]
}

const LIMIT_MS = 2_000

/** Two lists of sources. The same passage at another number is moved; a passage is its document and its range. */
export function diffSources(before: readonly SourceNote[], after: readonly SourceNote[]): SourcesDiff {
  const key = ({ documentId, start, end }: SourceNote) => `${documentId}:${start}-${end}`
  const old = new Map(before.map((source) => [key(source), source]))
  const kept = new Set(after.map(key))
  const out: SourcesDiff = { kept: [], gone: before.filter((source) => !kept.has(key(source))), new: [], moved: [] }
  for (const source of after) {
    const was = old.get(key(source))
    if (!was) out.new.push(source)
    else if (was.n === source.n) out.kept.push(source)
    else out.moved.push({ ...source, from: was.n })
  }
  return out
}

/** `same` and `gone` in order give the text before, `same` and `new` the text after. */
export function diffText(before: string, after: string): TextChange[] {
  // texts too far apart to compare in time are told apart as a whole
  const parts = diffWordsWithSpace(before, after, { timeout: LIMIT_MS }) ?? [
    { removed: true, added: false, value: before },
    { removed: false, added: true, value: after },
  ]
  return parts
    .filter(({ value }) => value !== '')
    .map(({ removed, added, value }) => ({ op: removed ? 'gone' : added ? 'new' : 'same', text: value }))
}
