import { joinLines } from './pdf-blocks.ts'
import type { PdfPiece, PdfTable } from './pdf-lines.ts'

type Box = { top: number; bottom: number; left: number; right: number }

const MIN_SHARE = 0.98
const MIN_IN_COLUMNS = 0.6
// A title over the table, or a long cell, may lie over a gap.
const MAX_CROSSING = 0.1
// in sizes: between two columns, and from one line of a cell to the next
const MIN_GAP = 0.6
const WRAP_PITCH = 1.8

/**
 * A table is taken only if its cells hold just what is printed in its box: a guess that loses or doubles words is worse than lines.
 * What is printed in columns all the same becomes a table of its printed lines.
 */
export function trustedTables(found: readonly PdfTable[], pieces: readonly PdfPiece[], hasColumns: boolean): PdfTable[] {
  const trusted: PdfTable[] = []
  const doubtful: PdfTable[] = []
  for (const table of found) {
    const inside = pieces.filter((piece) => isInside(piece, table))
    const isWhole = sharedText(table.rows.flat().join(''), inside.map((piece) => piece.text).join('')) >= MIN_SHARE
    // What stands beside it on its lines belongs to it, unless the page has columns.
    const isPart = !hasColumns && pieces.some((piece) => isBeside(piece, table))
    // Liteparse takes stretched prose for a table; no gap runs down through prose.
    const hasColumnsOfItsOwn = gapsThrough(linesOf(inside)).length > 0
    if (isWhole && !isPart && hasColumnsOfItsOwn && !trusted.some((other) => overlaps(other, table))) trusted.push(table)
    else doubtful.push(table)
  }
  for (const table of doubtful.toSorted((a, b) => areaOf(a) - areaOf(b))) {
    if (trusted.some((other) => overlaps(other, table))) continue
    const printed = printedTable(table, pieces)
    if (printed && !trusted.some((other) => overlaps(other, printed))) trusted.push(printed)
  }
  return trusted
}

/** The pieces of each table give way to the table itself, where the first of them stood. */
export function placeTables(tables: readonly PdfTable[], pieces: readonly PdfPiece[]): PdfPiece[] {
  const placed = new Set<PdfTable>()
  return pieces.flatMap((piece) => {
    const table = tables.find((one) => isInside(piece, one))
    if (!table) return [piece]
    if (placed.has(table)) return []
    placed.add(table)
    const { top, left, right, rows } = table
    return [{ text: rows.map((row) => row.join(' ')).join(' '), left, right, top, size: piece.size, bold: false, table }]
  })
}

/**
 * Every printed line of the box, to the page's full width, if gaps run down through them: a cell for what stands between two of these. A line
 * that goes on in some columns only, close below the one before, is the rest of its cells.
 */
function printedTable(box: Box, pieces: readonly PdfPiece[]): PdfTable | undefined {
  const within = pieces.filter((piece) => piece.top + piece.size / 2 >= box.top - 1 && piece.top + piece.size / 2 <= box.bottom + 1)
  const lines = linesOf(within)
  if (lines.length < 2) return undefined
  const gaps = gapsThrough(lines)
  const apart = lines.map(cellsApart)
  if (gaps.length === 0 || apart.filter((cells) => cells.length > 1).length < lines.length * MIN_IN_COLUMNS) return undefined
  // where more stands apart than the gaps explain, what belongs together is not known: then each line stays a row
  const isExplained = apart.filter((cells) => cells.length > gaps.length + 1).length <= lines.length * MAX_CROSSING
  const rows = isExplained
    ? withWrapped(lines.map((line) => ({ top: line[0]!.top, size: line[0]!.size, cells: cellsOf(line, gaps) })))
    : apart
  const left = Math.min(...within.map((piece) => piece.left))
  const right = Math.max(...within.map((piece) => piece.right))
  return { top: box.top, bottom: box.bottom, left, right, rows }
}

function linesOf(pieces: readonly PdfPiece[]): PdfPiece[][] {
  const lines: PdfPiece[][] = []
  for (const piece of pieces.toSorted((a, b) => a.top - b.top)) {
    const line = lines.at(-1)
    if (line && piece.top - line[0]!.top < piece.size * 0.5) line.push(piece)
    else lines.push([piece])
  }
  return lines
}

type Row = { top: number; size: number; cells: string[] }

function withWrapped(rows: readonly Row[]): string[][] {
  const whole: string[][] = []
  for (const [i, { top, size, cells }] of rows.entries()) {
    const above = rows[i - 1]
    const last = whole.at(-1)
    const goesOn = cells.every((cell, n) => !cell || last?.[n]) && cells.filter(Boolean).length <= cells.length / 2
    // its cell is centred beside the next line's first one
    const below = rows[i + 1]?.cells
    const isBelow = below?.[0] && cells.some((cell, n) => cell && !below[n])
    if (!last || cells[0] || !goesOn || isBelow || !above || top - above.top > size * WRAP_PITCH) whole.push([...cells])
    else cells.forEach((cell, n) => void (last[n] = joinLines([last[n]!, cell].filter(Boolean))))
  }
  return whole
}

/** The middles of the gaps between columns: what hardly any line prints over, as wide as a space between columns at least. */
function gapsThrough(lines: readonly PdfPiece[][]): number[] {
  const all = lines.flat()
  if (all.length === 0) return []
  const size = all.map((piece) => piece.size).toSorted((a, b) => a - b)[Math.floor(all.length / 2)]!
  const right = Math.max(...all.map((piece) => piece.right))
  const gaps: number[] = []
  let from: number | undefined
  for (let x = Math.min(...all.map((piece) => piece.left)); x < right; x++) {
    const covering = lines.filter((line) => line.some((piece) => piece.left <= x && piece.right > x)).length
    if (covering <= lines.length * MAX_CROSSING) from ??= x
    else {
      if (from !== undefined && x - from >= size * MIN_GAP) gaps.push((from + x) / 2)
      from = undefined
    }
  }
  return gaps
}

function cellsOf(line: readonly PdfPiece[], gaps: readonly number[]): string[] {
  const cells: string[] = Array.from({ length: gaps.length + 1 }, () => '')
  let end = Number.NEGATIVE_INFINITY
  for (const piece of line.toSorted((a, b) => a.left - b.left)) {
    // one that crosses a gap begins where it begins
    const column = gaps.filter((gap) => gap < piece.left + piece.size / 2).length
    const isApart = cells[column] && piece.left - end > piece.size * 0.12
    cells[column] += (isApart ? ' ' : '') + piece.text
    end = piece.right
  }
  return cells
}

function cellsApart(line: readonly PdfPiece[]): string[] {
  const cells: string[] = []
  let end = Number.NEGATIVE_INFINITY
  for (const piece of line.toSorted((a, b) => a.left - b.left)) {
    const gap = piece.left - end
    if (cells.length === 0 || gap > piece.size * 0.9) cells.push(piece.text)
    else cells[cells.length - 1] += (gap > piece.size * 0.12 ? ' ' : '') + piece.text
    end = piece.right
  }
  return cells
}

/** How much of both texts the other holds too, by characters. */
function sharedText(a: string, b: string): number {
  const counts = new Map<string, number>()
  let total = 0
  for (const char of a.replace(/\s+/g, '')) {
    counts.set(char, (counts.get(char) ?? 0) + 1)
    total++
  }
  let shared = 0
  for (const char of b.replace(/\s+/g, '')) {
    total++
    const left = counts.get(char) ?? 0
    if (left > 0) shared++
    counts.set(char, left - 1)
  }
  return total === 0 ? 0 : (2 * shared) / total
}

function isInside(piece: PdfPiece, box: Box): boolean {
  const middle = piece.top + piece.size / 2
  return middle >= box.top - 1 && middle <= box.bottom + 1 && piece.left >= box.left - 5 && piece.left <= box.right
}

function isBeside(piece: PdfPiece, box: Box): boolean {
  const middle = piece.top + piece.size / 2
  return middle > box.top && middle < box.bottom && (piece.right < box.left || piece.left > box.right)
}

function overlaps(a: Box, b: Box): boolean {
  return a.top < b.bottom - 1 && b.top < a.bottom - 1 && a.left < b.right && b.left < a.right
}

function areaOf(box: Box): number {
  return (box.bottom - box.top) * (box.right - box.left)
}
