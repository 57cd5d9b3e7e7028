import { createHash } from 'node:crypto'
import { type Chunk, embedText } from '@docent/core/chunk'
import type { Chunking } from '@docent/core/chunking'
import type { Extracted } from '@docent/core/document'
import { isSamePlace, spanPlace } from '@docent/core/place'
import { type Piece, piecesOf } from './blocks.ts'

/** Changes when the same document would be read or cut in another way: then it is indexed anew. */
export const CHUNKER_VERSION = 3

const PARENT_MAX = 2_000
const HEADER_MAX = 300

/** Cuts a document at its structure and at sentence ends. Every chunk's text is the document's text at its place. */
export function chunkDocument(document: Pick<Extracted, 'title' | 'text' | 'blocks'>, settings: Chunking): Chunk[] {
  const chunks: Chunk[] = []
  for (const section of groupBy(piecesOf(document, settings.size), sameSection)) {
    const places = new Map(section.map((piece, place) => [piece, place]))
    for (const part of groupBy(section, samePlace)) {
      for (const run of pack(part, settings)) {
        const [first, last] = [run[0]!, run.at(-1)!]
        const text = document.text.slice(first.start, last.end)
        const header = headerOf(document.title, first.heading)
        chunks.push({
          ordinal: chunks.length,
          text,
          header,
          locator: { ...spanPlace(run.map((piece) => piece.place)), heading: first.heading, start: first.start, end: last.end },
          textHash: createHash('sha256').update(embedText({ header, text })).digest('hex'),
          parent: parentOf(document.text, section, places.get(first)!, places.get(last)!),
        })
      }
    }
  }
  return chunks
}

function groupBy(pieces: readonly Piece[], same: (a: Piece, b: Piece) => boolean): Piece[][] {
  const groups: Piece[][] = []
  for (const piece of pieces) {
    const group = groups.at(-1)
    if (group && same(group.at(-1)!, piece)) group.push(piece)
    else groups.push([piece])
  }
  return groups
}

function sameSection(a: Piece, b: Piece): boolean {
  return a.heading.length === b.heading.length && a.heading.every((heading, i) => heading === b.heading[i])
}

/** A citation names one page, slide or sheet, so a chunk stands on one. */
function samePlace(a: Piece, b: Piece): boolean {
  return isSamePlace(a.place, b.place)
}

/** Fills chunks with whole pieces; prefers to end with a block; repeats a sentence or two as overlap. */
function pack(pieces: readonly Piece[], { size, overlap }: Chunking): Piece[][] {
  const runs: Piece[][] = []
  let run: Piece[] = []
  for (const [i, piece] of pieces.entries()) {
    if (run.length > 0 && mustEnd(run, pieces, i, size)) {
      runs.push(run)
      run = overlapOf(run, piece, overlap, size)
    }
    run.push(piece)
  }
  if (run.length > 0) runs.push(run)
  return joinTail(runs, size)
}

function mustEnd(run: readonly Piece[], pieces: readonly Piece[], next: number, size: number): boolean {
  const piece = pieces[next]!
  const start = run[0]!.start
  if (piece.end - start > size) return run.some((inside) => inside.kind !== 'heading') || piece.end - start > 2 * size
  if (piece.block === run.at(-1)!.block || run.at(-1)!.end - start < size / 2) return false
  // a block that fits a chunk of its own is not torn to fill this one
  let last = next
  while (pieces[last + 1]?.block === piece.block && pieces[last + 1]!.end - piece.start <= size) last++
  const fits = pieces[last + 1]?.block !== piece.block
  return fits && pieces[last]!.end - start > size
}

function overlapOf(run: readonly Piece[], next: Piece, overlap: number, size: number): Piece[] {
  const kept: Piece[] = []
  for (const piece of run.slice(1).toReversed()) {
    const isProse = (piece.kind === 'paragraph' || piece.kind === 'list') && piece.block === next.block
    if (!isProse || run.at(-1)!.end - piece.start > overlap || next.end - piece.start > size) break
    kept.unshift(piece)
  }
  return kept
}

/** A last chunk of a few words joins the one before it. */
function joinTail(runs: Piece[][], size: number): Piece[][] {
  const [before, last] = [runs.at(-2), runs.at(-1)]
  if (!before || !last) return runs
  const isShort = last.at(-1)!.end - last[0]!.start < size / 5 && last.at(-1)!.end - before[0]!.start <= size * 1.25
  if (!isShort) return runs
  const seen = new Set(before)
  return [...runs.slice(0, -2), [...before, ...last.filter((piece) => !seen.has(piece))]]
}

function headerOf(title: string | undefined, heading: readonly string[]): string {
  const parts = title && heading[0] !== title ? [title, ...heading] : [...heading]
  let header = parts.join(' › ')
  while (header.length > HEADER_MAX && parts.length > 1) {
    parts.shift()
    header = parts.join(' › ')
  }
  return header.slice(0, HEADER_MAX).toWellFormed()
}

/** The section around a chunk, by whole pieces, at most 2,000 characters; never less than the chunk. */
function parentOf(text: string, section: readonly Piece[], first: number, last: number): Chunk['parent'] {
  let [from, to] = [first, last]
  for (let grew = true; grew; ) {
    grew = false
    if (from > 0 && section[to]!.end - section[from - 1]!.start <= PARENT_MAX) [from, grew] = [from - 1, true]
    if (to + 1 < section.length && section[to + 1]!.end - section[from]!.start <= PARENT_MAX) [to, grew] = [to + 1, true]
  }
  const [start, end] = [section[from]!.start, section[to]!.end]
  return { start, end, text: text.slice(start, end) }
}
