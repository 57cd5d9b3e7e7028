import type { Passage } from '@docent/core/passage'
import { sentencesOf } from '@docent/core/text/sentences'

export type CandidateKind = 'sentence' | 'row' | 'question' | 'heading'

export type Cell = { column: string; cell: string }
/** A sentence that may be quoted. `quote` is what is shown, `from` the very text in the passage, `scored` what is scored under `context`. */
export type Candidate = {
  passage: number
  order: number
  start: number
  kind: CandidateKind
  quote: string
  from: string
  scored: string
  /** the headings over it, document title first */
  context: string
  /** a row's filled cells, under the names of their columns */
  cells?: Cell[]
  next?: Candidate
}

const bullet = /^(?:[-*•·‣]\s+|\(?\d{1,2}[.)、](?!\d)\s*(?=\S))/
const MAX_SENTENCE = 600

/** Sentences of the passages; table rows are read with their header, question lines and headings only lead to what follows. */
export function candidatesOf(passages: readonly Passage[]): Candidate[] {
  const all: Candidate[] = []
  const seen = new Set<string>()
  for (const [index, passage] of passages.entries()) {
    const { text, from, to, offset } = within(passage)
    const header = headerOf(text)
    const headings = new Set([passage.title, ...(passage.heading ?? '').split(' › ')])
    const context = contextOf(passage)
    let before: Candidate | undefined
    for (const span of sentencesOf(text)) {
      // sentences cut by the chunk's border count when most of them lies inside
      const inside = Math.min(span.end, to) - Math.max(span.start, from)
      if (inside * 2 < span.end - span.start) continue
      const raw = text.slice(span.start, span.end)
      const candidate = headings.has(raw.trim())
        ? { kind: 'heading' as const, quote: raw, from: raw, scored: raw }
        : candidateOf(raw, header)
      const place = `${passage.documentId}:${offset + span.start}`
      if (!candidate || seen.has(place)) continue
      seen.add(place)
      const full: Candidate = { ...candidate, context, passage: index, order: all.length, start: offset + span.start }
      if (before) before.next = full
      before = full
      all.push(full)
    }
  }
  return all
}

export function contextOf({ title, heading }: Passage): string {
  const path = heading ?? ''
  return path.startsWith(title) || !title ? path : path ? `${title} › ${path}` : title
}

/** The passage inside its section when that is at hand, so that no sentence is cut. */
function within(passage: Passage): { text: string; from: number; to: number; offset: number } {
  const { parent } = passage
  const from = passage.start - parent.start
  const to = passage.end - parent.start
  if (parent.text.slice(from, to) === passage.text) return { text: parent.text, from, to, offset: parent.start }
  return { text: passage.text, from: 0, to: passage.text.length, offset: passage.start }
}

function candidateOf(raw: string, header: string[] | undefined): Omit<Candidate, 'passage' | 'order' | 'start' | 'context'> | undefined {
  if (raw.length > MAX_SENTENCE || !/[\p{L}\p{N}]/u.test(raw)) return undefined
  const cells = cellsOf(raw)
  if (cells) {
    if (cells.every((cell) => /^:?-+:?$/.test(cell) || cell === '') || (header && cells.join() === header.join())) return undefined
    const filled = cells.map((cell, i) => ({ column: header?.[i] ?? '', cell })).filter(({ cell }) => cell !== '')
    const quote = filled
      .map(({ column, cell }) => (column && column !== cell ? `${column}: ${cell}` : cell))
      .join(/\p{Script=Han}/u.test(raw) ? '；' : '; ')
    return { kind: 'row', quote, from: raw, scored: quote, cells: filled }
  }
  if (/^#{1,6}\s/.test(raw)) return { kind: 'heading', quote: raw.replace(/^#+\s*/, ''), from: raw, scored: raw }
  const quote = raw.replace(bullet, '').replace(/^>\s*/, '')
  if (/[?？]$/.test(quote)) return { kind: 'question', quote, from: raw, scored: quote }
  const isTitle = quote.length <= 60 && !/[.。!！;；:：,，、"”」)）]$/.test(quote) && (isShort(quote, raw) || isCapitals(quote))
  return { kind: isTitle ? 'heading' : 'sentence', quote, from: raw, scored: quote }
}

function isShort(quote: string, raw: string): boolean {
  return quote === raw && quote.length <= 24 && !/[.。!！;；:：,，、"”」)）\d]/.test(quote)
}

/** A line in capitals is how plain texts write a heading. */
function isCapitals(quote: string): boolean {
  return /\p{Lu}{2}/u.test(quote) && !/\p{Ll}/u.test(quote) && !/\p{Script=Han}/u.test(quote) && !/\d{2}/.test(quote)
}

function headerOf(text: string): string[] | undefined {
  for (const line of text.split('\n')) {
    const cells = cellsOf(line.trim())
    if (cells && cells.length > 1) return cells
  }
  return undefined
}

/** Cells of a table row written with pipes or tabs. */
export function cellsOf(line: string): string[] | undefined {
  if (line.includes('\t')) return line.split('\t').map((cell) => cell.trim())
  if (!/^\|.*\|$/.test(line) && line.split(' | ').length < 2) return undefined
  return line
    .replace(/^\||\|$/g, '')
    .split('|')
    .map((cell) => cell.trim())
}
