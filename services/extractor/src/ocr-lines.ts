import { closeUp, type PdfLine } from './formats/pdf-lines.ts'

/** A word or a few as Tesseract found them; places in points, `top` down. Text that was in the file itself has no confidence. */
export type OcrItem = { text: string; x: number; y: number; width: number; height: number; confidence?: number }

const wide = /[\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef\u3000-\u303f]/
// a full stop's box is that of its dot: it says nothing of the size of the letters
const letters = /[\p{L}\p{N}]/u
const closing = /^[。，、；：！？”’）】》〉」』…,.;:!?)\]]+$/
// “值班工程师 : 林晓峰”: Tesseract reads the wide colon as a narrow one between blanks
const spacedMark = /(?<=[\u2e80-\u9fff\uf900-\ufaff])[ \t]*([:;,!?])[ \t]*(?=[\u2e80-\u9fff\uf900-\ufaff])/g
const MIN_CONFIDENCE = 0.3
const MIN_MEAN_CONFIDENCE = 0.55
const COLUMN_GAP = 3
// A short line of letters so much wider than the usual ones is a heading's.
const TALL = 1.4
const MAX_HEADING = 60

/** Words as printed lines from top to bottom; nothing where Tesseract itself hardly believes what it saw. */
export function ocrLines(items: readonly OcrItem[]): PdfLine[] {
  const words = items.filter(({ text, confidence }) => text.trim() && (confidence ?? 1) >= MIN_CONFIDENCE)
  const chars = words.reduce((sum, { text }) => sum + text.length, 0)
  const trust = words.reduce((sum, { text, confidence }) => sum + text.length * (confidence ?? 1), 0) / Math.max(1, chars)
  if (trust < MIN_MEAN_CONFIDENCE) return []
  const rows = rowsOf(words)
  const usual = median(lettersOf(rows.flat()).map((word) => sizeOf([word])))
  const lines = rows.flatMap((row) => splitAtGaps(row, Math.max(usual, sizeOf(row)))).map((row) => lineOf(row, usual))
  return withMarks(lines)
}

/** A full stop read as a line of its own ends the line before it. */
function withMarks(lines: readonly PdfLine[]): PdfLine[] {
  const out: PdfLine[] = []
  for (const line of lines) {
    const last = out.at(-1)
    if (last && closing.test(line.text) && line.top - last.top < last.size * 2) {
      last.text += line.text
      last.right = Math.max(last.right, line.right)
    } else out.push({ ...line })
  }
  return out
}

/** The items that hold letters or digits; all where none does. */
function lettersOf(items: readonly OcrItem[]): readonly OcrItem[] {
  const found = items.filter(({ text }) => letters.test(text))
  return found.length > 0 ? found : items
}

/** What stands beside each other: a word belongs to the row whose middle it covers. */
function rowsOf(words: readonly OcrItem[]): OcrItem[][] {
  const rows: { top: number; bottom: number; words: OcrItem[] }[] = []
  for (const word of [...words].sort((a, b) => b.height - a.height)) {
    const middle = word.y + word.height / 2
    const row = rows.find(({ top, bottom }) => middle > top && middle < bottom)
    if (row) row.words.push(word)
    else rows.push({ top: word.y, bottom: word.y + word.height, words: [word] })
  }
  return rows.sort((a, b) => a.top - b.top).map(({ words }) => inReadingOrder(words.sort((a, b) => a.x - b.x)))
}

/**
 * Liteparse joins words of one height although others stand between them: “日 单” around “内 提交 报销”. Where an item begins inside another
 * one, those words of the other that do not fit before it come after it.
 */
function inReadingOrder(row: readonly OcrItem[]): OcrItem[] {
  const unit = unitOf(row)
  const waiting = [...row]
  const ordered: OcrItem[] = []
  const place = (item: OcrItem) => {
    const right = item.x + item.width
    let at = item.x
    for (const text of item.text.trim().split(/\s+/)) {
      const width = unitsOf(text) * unit
      while (waiting[0] && waiting[0].x < right && at + width / 2 > waiting[0].x) {
        const inner = waiting.shift()!
        place(inner)
        at = Math.max(at, inner.x + inner.width)
      }
      ordered.push({ ...item, text, x: at, width })
      at += width
    }
  }
  for (let item = waiting.shift(); item; item = waiting.shift()) place(item)
  return ordered
}

/** Half the width of a Chinese character, from items in which nothing else begins. */
function unitOf(row: readonly OcrItem[]): number {
  const whole = lettersOf(row).filter((item, i, all) => !all.some((other, j) => j > i && other.x < item.x + item.width * 0.9))
  // each as often as it is long: the box of a single character is that of its ink
  const units = whole.flatMap(({ text, width }) => {
    const count = Math.max(1, unitsOf(closeUp(text.trim())))
    return Array<number>(count).fill(width / count)
  })
  return median(units)
}

/** A Chinese character is twice as wide as a Latin one. */
function unitsOf(text: string): number {
  return [...text].reduce((sum, char) => sum + (wide.test(char) ? 2 : 1), 0)
}

/** Columns: what is far apart are two pieces, which the layout of the page puts in order. */
function splitAtGaps(row: readonly OcrItem[], size: number): OcrItem[][] {
  const parts: OcrItem[][] = []
  let right = Number.NEGATIVE_INFINITY
  for (const word of row) {
    if (word.x - right > size * COLUMN_GAP) parts.push([])
    parts.at(-1)!.push(word)
    right = Math.max(right, word.x + word.width)
  }
  return parts
}

function lineOf(row: readonly OcrItem[], usual: number): PdfLine {
  const text = closeUp(row.map((word) => word.text).join(' ')).replace(spacedMark, '$1')
  const size = sizeOf(row)
  return {
    text,
    left: Math.min(...row.map(({ x }) => x)),
    right: Math.max(...row.map(({ x, width }) => x + width)),
    top: Math.min(...row.map(({ y }) => y)),
    size: size >= usual * TALL && text.length <= MAX_HEADING ? size : usual,
    bold: false,
  }
}

/** The width of a Chinese character, or of two Latin ones: the boxes' heights are those of single letters, from 一 to 〔. */
function sizeOf(row: readonly OcrItem[]): number {
  return median(lettersOf(row).map(({ text, width }) => (2 * width) / Math.max(1, unitsOf(text))))
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0
}
