import type { PdfPiece } from './pdf-lines.ts'

const MIN_PIECES = 8
const MIN_SHARE = 0.7
const STACKED_SHARE = 0.6
const cjk = /^[\u3000-\u30ff\u3400-\u9fff\uf900-\ufaff\ufe30-\ufe4f\uff00-\uffef—…]{1,3}$/

/**
 * Chinese set from top to bottom comes as single characters below each other. Its columns, from right to left, are turned
 * into lines with the page laid on its side, so that what knows lines knows them too; undefined for a page that is not so set.
 */
export function verticalLines(pieces: readonly PdfPiece[]): PdfPiece[] | undefined {
  const visible = pieces.filter((piece) => piece.text.trim())
  const single = visible.filter((piece) => cjk.test(piece.text.trim()))
  if (single.length < MIN_PIECES || single.length < visible.length * MIN_SHARE) return undefined
  const columns: PdfPiece[][] = []
  for (const piece of single.toSorted((a, b) => b.left - a.left || a.top - b.top)) {
    const column = columns.at(-1)
    if (column && column[0]!.left - piece.left < piece.size * 0.5) column.push(piece)
    else columns.push([piece])
  }
  const stacked = columns.reduce((sum, column) => sum + stackedIn(column), 0)
  // A table of single characters, or spaced letters in a title, stands beside each other, not below.
  if (stacked < single.length * STACKED_SHARE) return undefined
  const rest = visible.filter((piece) => !single.includes(piece))
  return [...columns.map(turned), ...rest]
}

/** How many have the next one right below them. */
function stackedIn(column: PdfPiece[]): number {
  column.sort((a, b) => a.top - b.top)
  return column.filter((piece, i) => {
    const before = column[i - 1]
    return before !== undefined && piece.top - before.top < before.size * (before.text.trim().length + 0.6)
  }).length
}

function turned(column: readonly PdfPiece[]): PdfPiece {
  const [first, last] = [column[0]!, column.at(-1)!]
  return {
    text: column.map((piece) => piece.text.trim()).join(''),
    left: first.top,
    right: last.top + last.size,
    top: -first.left,
    size: first.size,
    bold: column.every((piece) => piece.bold),
  }
}
