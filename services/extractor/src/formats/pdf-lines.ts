import type { Place } from '../types.ts'

/** One printed line; `top` grows downwards, all in points. A table stands as one line of its whole text. */
export type PdfLine = { text: string; left: number; right: number; top: number; size: number; bold: boolean; table?: PdfTable }

export type PdfTable = { top: number; bottom: number; left: number; right: number; rows: string[][] }

/** `place`: where its text is said to stand, when that is not just the page. */
export type PdfPage = { number: number; height: number; lines: PdfLine[]; place?: Place }

export type PdfText = { title?: string; totalPages: number; pages: PdfPage[]; notes: string[] }

export const MAX_PAGES = 5_000

export type PdfPiece = PdfLine

/** Ligatures (ﬁ) as letters, and Kangxi radicals, which many Chinese PDFs name instead of the character, as that character. */
export function plainLetters(text: string): string {
  return text.replace(/[\u2e80-\u2fdf\ufb00-\ufb06]/g, (char) => char.normalize('NFKC'))
}

/** Joins pieces that stand on one line; a gap wider than a space becomes one. */
export function piecesToLines(pieces: readonly PdfPiece[]): PdfLine[] {
  const lines: PdfLine[] = []
  for (const piece of pieces) {
    const last = lines.at(-1)
    const isSameLine =
      last &&
      !last.table &&
      !piece.table &&
      Math.abs(piece.top - last.top) < Math.max(last.size, piece.size) * 0.5 &&
      piece.left >= last.right - last.size * 0.6
    if (last && isSameLine) {
      const gap = piece.left - last.right
      const needsSpace = gap > last.size * 0.12 && !/\s$/.test(last.text) && !/^\s/.test(piece.text)
      last.text += (needsSpace ? ' ' : '') + piece.text
      last.right = piece.right
      last.size = Math.max(last.size, piece.size)
      last.bold &&= piece.bold || !piece.text.trim()
    } else lines.push({ ...piece })
  }
  return lines.filter((line) => line.text.trim())
}
