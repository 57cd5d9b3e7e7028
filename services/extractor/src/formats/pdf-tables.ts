import type { PdfPiece, PdfTable } from './pdf-lines.ts'

type Box = { top: number; bottom: number; left: number; right: number }

const MIN_SHARE = 0.98

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
    if (isWhole && !isPart && !trusted.some((other) => overlaps(other, table))) trusted.push(table)
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

/** Every printed line of the box, to the page's full width, a cell for each piece that stands apart. */
function printedTable(box: Box, pieces: readonly PdfPiece[]): PdfTable | undefined {
  const rows: { top: number; pieces: PdfPiece[] }[] = []
  const within = pieces.filter((piece) => piece.top + piece.size / 2 >= box.top - 1 && piece.top + piece.size / 2 <= box.bottom + 1)
  for (const piece of within.toSorted((a, b) => a.top - b.top)) {
    const row = rows.at(-1)
    if (row && piece.top - row.top < piece.size * 0.5) row.pieces.push(piece)
    else rows.push({ top: piece.top, pieces: [piece] })
  }
  const cells = rows.map((row) => cellsOf(row.pieces.toSorted((a, b) => a.left - b.left)))
  const inColumns = cells.filter((row) => row.length > 1).length
  if (rows.length < 2 || inColumns < rows.length * 0.6) return undefined
  const left = Math.min(...within.map((piece) => piece.left))
  const right = Math.max(...within.map((piece) => piece.right))
  return { top: box.top, bottom: box.bottom, left, right, rows: cells }
}

function cellsOf(pieces: readonly PdfPiece[]): string[] {
  const cells: string[] = []
  let end = Number.NEGATIVE_INFINITY
  for (const piece of pieces) {
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
