/** One printed line; `top` grows downwards, all in points. */
export type PdfLine = { text: string; left: number; right: number; top: number; size: number; bold: boolean }

export type PdfTable = { top: number; bottom: number; left: number; right: number; rows: string[][] }

export type PdfPage = { number: number; lines: PdfLine[]; tables: PdfTable[] }

export type PdfText = { title?: string; totalPages: number; pages: PdfPage[]; notes: string[] }

export const MAX_PAGES = 5_000

export type PdfPiece = PdfLine

/** Joins pieces that stand on one line; a gap wider than a space becomes one. */
export function piecesToLines(pieces: readonly PdfPiece[]): PdfLine[] {
  const lines: PdfLine[] = []
  for (const piece of pieces) {
    const last = lines.at(-1)
    const isSameLine =
      last && Math.abs(piece.top - last.top) < Math.max(last.size, piece.size) * 0.5 && piece.left >= last.right - last.size * 0.6
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

/** Whether a line is printed in a table's place. */
export function isInside(line: PdfLine, box: PdfTable): boolean {
  const middle = line.top + line.size / 2
  return middle >= box.top - 1 && middle <= box.bottom + 1 && line.left >= box.left - 5 && line.left <= box.right
}
