import type { PdfPiece } from './pdf-lines.ts'

type Segment = { pieces: PdfPiece[]; left: number; right: number; top: number; size: number; chars: number }
type Row = { segments: Segment[]; top: number; bottom: number }
/** Where a table is, or may be: what stands in it is not cut into columns. */
export type Box = { top: number; bottom: number; left: number; right: number }

const MIN_ROWS = 4
// Prose fills its column; the cells of a table seldom do.
const MIN_FILL = 0.6
const MIN_CHARS = 14
const MAX_DEPTH = 3
const wide = /[\u2e80-\u9fff\uac00-\ud7a3\uf900-\ufaff\uff00-\uffef\u3040-\u30ff]/g

/** Columns one after the other where the page has them; what runs across them ends them. Otherwise the order stays. */
export function inColumnOrder(pieces: readonly PdfPiece[], tables: readonly Box[], depth = 0): PdfPiece[] {
  if (depth === MAX_DEPTH) return [...pieces]
  const rows = rowsOf(pieces)
  const isTable = (row: Row) => tables.some((band) => row.top < band.bottom && row.bottom > band.top)
  const gutter = gutterOf(rows.filter((row) => !isTable(row)))
  // A table across it has lost some of its rows to what looks like columns: they stay rows.
  if (gutter === undefined || tables.some((box) => box.left < gutter && box.right > gutter)) return [...pieces]
  const ordered: PdfPiece[] = []
  let left: PdfPiece[] = []
  let right: PdfPiece[] = []
  const endColumns = () => {
    ordered.push(...inColumnOrder(left, tables, depth + 1), ...inColumnOrder(right, tables, depth + 1))
    left = []
    right = []
  }
  for (const row of rows) {
    const runsAcross = row.segments.some((segment) => segment.left < gutter && segment.right > gutter)
    if (runsAcross || isTable(row)) {
      endColumns()
      ordered.push(...row.segments.flatMap((segment) => segment.pieces))
    } else for (const segment of row.segments) (segment.left < gutter ? left : right).push(...segment.pieces)
  }
  endColumns()
  return ordered
}

/** Pieces on one base line, joined where less than a column gap is between them. */
function rowsOf(pieces: readonly PdfPiece[]): Row[] {
  const rows: Row[] = []
  for (const piece of pieces.toSorted((a, b) => a.top - b.top || a.left - b.left)) {
    const row = rows.at(-1)
    if (row && piece.top - row.top < piece.size * 0.5) {
      row.segments.push(toSegment(piece))
      row.bottom = Math.max(row.bottom, piece.top + piece.size)
    } else rows.push({ segments: [toSegment(piece)], top: piece.top, bottom: piece.top + piece.size })
  }
  for (const row of rows) row.segments = joined(row.segments.toSorted((a, b) => a.left - b.left))
  return rows
}

function toSegment(piece: PdfPiece): Segment {
  const { left, right, top, size } = piece
  return { pieces: [piece], left, right, top, size, chars: piece.text.length + (piece.text.match(wide)?.length ?? 0) }
}

function joined(segments: readonly Segment[]): Segment[] {
  const out: Segment[] = []
  for (const segment of segments) {
    const last = out.at(-1)
    if (last && segment.left - last.right < Math.max(last.size, segment.size) * 0.9) {
      last.pieces.push(...segment.pieces)
      last.right = Math.max(last.right, segment.right)
      last.chars += segment.chars
    } else out.push(segment)
  }
  return out
}

/** The x that the gaps of most rows share, if prose stands on both sides of it. */
function gutterOf(rows: readonly Row[]): number | undefined {
  const gaps = rows.flatMap(({ segments }) => segments.slice(1).map((segment, i) => ({ from: segments[i]!.right, to: segment.left })))
  if (gaps.length < MIN_ROWS) return undefined
  const candidates = [...new Set(gaps.flatMap(({ from, to }) => [(from + to) / 2, to - 2]))]
  let best: { x: number; count: number } | undefined
  for (const x of candidates) {
    const count = gaps.filter((gap) => gap.from < x && gap.to > x).length
    if (!best || count > best.count) best = { x, count }
  }
  if (!best || best.count < MIN_ROWS) return undefined
  const { x } = best
  const split = rows.filter((row) => row.segments.some((one) => one.right <= x) && row.segments.some((one) => one.left >= x))
  const sides = [
    split.map((row) => row.segments.findLast((one) => one.right <= x)!),
    split.map((row) => row.segments.find((one) => one.left >= x)!),
  ]
  return sides.every(isProse) ? x : undefined
}

function isProse(segments: readonly Segment[]): boolean {
  const left = Math.min(...segments.map((one) => one.left))
  const width = Math.max(...segments.map((one) => one.right)) - left
  const mean = (value: (one: Segment) => number) => segments.reduce((sum, one) => sum + value(one), 0) / segments.length
  return mean((one) => (one.right - one.left) / width) >= MIN_FILL && mean((one) => one.chars) >= MIN_CHARS
}
