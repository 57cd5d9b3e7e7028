import { createBuilder, tableText } from '../document-builder.ts'
import type { Extracted } from '../types.ts'

const ROWS_PER_BLOCK = 40

/** Each table block repeats the header line, so that a row never stands without its column names. */
export function extractCsv(text: string, maxChars: number): Extracted {
  const builder = createBuilder(maxChars)
  const [header, ...rows] = parseCsv(text, delimiterOf(text)).filter((row) => row.some((cell) => cell.trim()))
  if (header) {
    for (let i = 0; i === 0 || i < rows.length; i += ROWS_PER_BLOCK)
      builder.add('table', tableText([header, ...rows.slice(i, i + ROWS_PER_BLOCK)]))
  }
  return builder.build('text/csv')
}

function delimiterOf(text: string): string {
  const newline = text.indexOf('\n')
  const first = newline < 0 ? text : text.slice(0, newline)
  const counts = [',', ';', '\t'].map((mark) => ({ mark, count: first.split(mark).length }))
  return counts.reduce((best, next) => (next.count > best.count ? next : best)).mark
}

function parseCsv(text: string, delimiter: string): string[][] {
  const rows: string[][] = []
  let row: string[] = []
  let cell = ''
  let quoted = false
  const endRow = () => {
    row.push(cell)
    rows.push(row)
    row = []
    cell = ''
  }
  for (let i = 0; i < text.length; i++) {
    const char = text[i]!
    if (quoted) {
      if (char !== '"') cell += char
      else if (text[i + 1] === '"') {
        cell += '"'
        i++
      } else quoted = false
    } else if (char === '"' && cell.trim() === '') {
      cell = ''
      quoted = true
    } else if (char === delimiter) {
      row.push(cell)
      cell = ''
    } else if (char === '\n') endRow()
    else if (char !== '\r') cell += char
  }
  if (cell || row.length > 0) endRow()
  return rows
}
