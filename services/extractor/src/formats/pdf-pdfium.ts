import { ExtractFailure } from '../failure.ts'
import type { Tell } from '../types.ts'
import type { PdfCharacter, PdfCharacters } from './pdf-characters.ts'
import { MAX_PAGES, type PdfPage, type PdfPiece, type PdfText } from './pdf-lines.ts'
import { layPage } from './pdf-page.ts'

const MAX_FAILED_PAGES = 20
// Wider than any space between words, in sizes.
const COLUMN_GAP = 1.2

/** Pages from PDFium's characters alone: no tables. */
export function readWithPdfium(characters: PdfCharacters, maxChars: number, tell: Tell = () => {}): PdfText {
  const { totalPages } = characters
  const pages: PdfPage[] = []
  const notes: string[] = []
  let failed = 0
  let chars = 0
  for (let number = 1; number <= Math.min(totalPages, MAX_PAGES) && failed < MAX_FAILED_PAGES; number++) {
    tell('extract', 'page', number - 1, Math.min(totalPages, MAX_PAGES))
    const lines = characters.linesOf(number, maxChars * 2 - chars)
    if (!lines) failed++
    else {
      const { height } = characters.about(number)
      pages.push(layPage({ number, height, pieces: printedPieces(lines), found: [] }))
    }
    for (const line of lines ?? []) chars += line.length
  }
  if (pages.length === 0) throw new ExtractFailure('corrupt')
  if (failed > 0) notes.push(`${failed} pages could not be read`)
  if (pages.length + failed < totalPages) notes.push(`only the first ${pages.length + failed} of ${totalPages} declared pages were read`)
  return { totalPages: Math.min(totalPages, pages.length + failed), pages, notes }
}

export function printedPieces(lines: readonly PdfCharacter[][]): PdfPiece[] {
  return lines.flatMap(piecesOf)
}

/** What stands between two line breaks is one piece; so is what goes up, down, back or over a column's gap, for PDFium does not break everywhere. */
function piecesOf(line: readonly PdfCharacter[]): PdfPiece[] {
  const pieces: PdfPiece[] = []
  let piece: PdfPiece | undefined
  for (const { char, left, right, top, bottom, bold, generated } of line) {
    const size = bottom - top
    if (piece && !generated && char.trim() && isElsewhere(piece, left, top, size)) piece = undefined
    if (piece && (generated || !char.trim())) piece.text += char
    else if (piece) {
      piece.text += char
      piece.right = Math.max(piece.right, right)
      piece.size = Math.max(piece.size, size)
    } else if (char.trim()) {
      piece = { text: char, left, right, top, size, bold }
      pieces.push(piece)
    }
  }
  return pieces
}

function isElsewhere(piece: PdfPiece, left: number, top: number, size: number): boolean {
  const tall = Math.max(piece.size, size)
  return (
    Math.abs(top + size / 2 - (piece.top + piece.size / 2)) > tall * 0.75 ||
    left < piece.right - tall * 2 ||
    left > piece.right + tall * COLUMN_GAP
  )
}
