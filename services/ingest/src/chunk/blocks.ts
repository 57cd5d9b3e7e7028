import type { Block, Extracted, Place } from '@docent/core/document'
import { placeOf } from '@docent/core/place'
import { sentencesOf } from '@docent/core/text/sentences'
import { safeCut } from './safe-cut.ts'

/** The smallest text that is kept whole: a sentence, a row, a piece of code. Offsets are into the document's text. */
export type Piece = { start: number; end: number; kind: Block['kind']; block: number; place: Place; heading: string[] }

// sentences are looked for in windows: a line of 5 MB costs no more than its length
const WINDOW = 4_000

/** Blocks, in order and without overlap, cut into pieces of at most `size` characters (code: twice that). */
export function piecesOf({ text, blocks }: Pick<Extracted, 'text' | 'blocks'>, size: number): Piece[] {
  const pieces: Piece[] = []
  let covered = 0
  for (const [index, block] of wholeBlocks(text, blocks).entries()) {
    const start = Math.max(block.start, covered)
    const end = Math.min(block.end, text.length)
    if (end <= start) continue
    covered = end
    const place = placeOf(block)
    for (const span of spansOf(text, start, end, block.kind, size))
      pieces.push({ ...span, kind: block.kind, block: index, place, heading: block.heading })
  }
  return pieces
}

function wholeBlocks(text: string, blocks: readonly Block[]): readonly Block[] {
  if (blocks.length > 0) return blocks.toSorted((a, b) => a.start - b.start)
  return [{ kind: 'paragraph', text, heading: [], start: 0, end: text.length }]
}

type Span = { start: number; end: number }

function spansOf(text: string, start: number, end: number, kind: Block['kind'], size: number): Span[] {
  if (kind === 'code')
    return trimmed(text, start, end).flatMap((span) => (span.end - span.start <= 2 * size ? [span] : packLines(text, span, 2 * size)))
  if (kind === 'table') return linesOf(text, start, end).flatMap((line) => bounded(text, line, size))
  return windowsOf(text, start, end).flatMap((window) =>
    sentencesOf(text.slice(window.start, window.end)).flatMap((sentence) =>
      bounded(text, { start: window.start + sentence.start, end: window.start + sentence.end }, size),
    ),
  )
}

/** A sentence or row longer than a chunk is cut where it pauses. */
function bounded(text: string, span: Span, size: number): Span[] {
  const parts: Span[] = []
  let at = span.start
  while (span.end - at > size) {
    const cut = safeCut(text, at, at + size, span.end)
    parts.push(...trimmed(text, at, cut))
    at = cut
  }
  parts.push(...trimmed(text, at, span.end))
  return parts
}

function packLines(text: string, span: Span, size: number): Span[] {
  const packed: Span[] = []
  for (const line of linesOf(text, span.start, span.end).flatMap((whole) => bounded(text, whole, size))) {
    const last = packed.at(-1)
    if (last && line.end - last.start <= size) last.end = line.end
    else packed.push({ ...line })
  }
  return packed
}

function linesOf(text: string, start: number, end: number): Span[] {
  const lines: Span[] = []
  for (let at = start; at < end; ) {
    const newline = text.indexOf('\n', at)
    const to = newline < 0 || newline > end ? end : newline
    lines.push(...trimmed(text, at, to))
    at = to + 1
  }
  return lines
}

function windowsOf(text: string, start: number, end: number): Span[] {
  const windows: Span[] = []
  let at = start
  while (end - at > WINDOW) {
    const cut = windowEnd(text, at)
    windows.push({ start: at, end: cut })
    at = cut
  }
  windows.push({ start: at, end })
  return windows
}

function windowEnd(text: string, from: number): number {
  const newline = text.slice(from, from + WINDOW).lastIndexOf('\n')
  if (newline > 0) return from + newline + 1
  for (let at = from + WINDOW; at > from + WINDOW / 2; at--)
    if (/[。！？!?]|\.\s/.test(text.slice(at - 1, at + 1)) && '。！？!?.'.includes(text[at - 1]!)) return at
  return safeCut(text, from, from + WINDOW, text.length)
}

function trimmed(text: string, from: number, to: number): Span[] {
  let [start, end] = [from, to]
  while (start < end && /\s/.test(text[start]!)) start++
  while (end > start && /\s/.test(text[end - 1]!)) end--
  return end > start ? [{ start, end }] : []
}
