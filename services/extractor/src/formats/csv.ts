import { createBuilder } from '../document-builder.ts'
import type { Extracted } from '../types.ts'
import { addTable } from './table-blocks.ts'

export function extractCsv(text: string, maxChars: number): Extracted {
  const builder = createBuilder(maxChars)
  addTable(
    builder,
    parseCsv(text, delimiterOf(text)).map((cells, i) => ({ row: i + 1, cells })),
  )
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
