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
  return lines.filter((line) => line.text.trim()).map((line) => (line.table ? line : { ...line, text: unjustified(line.text) }))
}

const cjk = '\\u2e80-\\u9fff\\uf900-\\ufaff\\uff00-\\uffef\\u3000-\\u303f'
const betweenCjk = new RegExp(`(?<=[${cjk}])[ \\t]+(?=[${cjk}])`, 'g')
const stretched = /(?:\p{sc=Han}[ \t]+){2,}\p{sc=Han}/u

/** Chinese is printed without spaces. */
export function closeUp(text: string): string {
  return text.replace(betweenCjk, '')
}

/** A line whose characters stand one by one was stretched to the margin: 软 件 包. Single spaces, as between two names, stay. */
function unjustified(text: string): string {
  return stretched.test(text) ? closeUp(text) : text
}
