import { inColumnOrder } from './pdf-columns.ts'
import { type PdfPage, type PdfPiece, type PdfTable, piecesToLines, plainLetters } from './pdf-lines.ts'
import { placeTables, trustedTables } from './pdf-tables.ts'
import { verticalLines } from './pdf-vertical.ts'

/** What a reader got from a page: pieces in the reader's own order, and where it guesses tables. */
export type RawPage = { number: number; height: number; pieces: PdfPiece[]; found: PdfTable[] }

/** A page's pieces as lines in reading order. */
export function layPage({ number, height, ...raw }: RawPage): PdfPage {
  // What is printed past the edge of the page, nobody sees.
  const seen = raw.pieces.filter(({ top, size }) => top + size / 2 >= 0 && top + size / 2 <= height)
  const pieces = seen.map((piece) => ({ ...piece, text: plainLetters(piece.text) }))
  const found = raw.found.map((table) => ({ ...table, rows: table.rows.map((row) => row.map(plainLetters)) }))
  const vertical = verticalLines(pieces)
  if (vertical) return { number, height, lines: piecesToLines(vertical) }
  const hasColumns = inColumnOrder(pieces, found).some((piece, i) => piece !== pieces[i])
  const withTables = placeTables(trustedTables(found, pieces, hasColumns), pieces)
  return { number, height, lines: piecesToLines(hasColumns ? inColumnOrder(withTables, found) : withTables) }
}
