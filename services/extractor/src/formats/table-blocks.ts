import { type DocumentBuilder, tableText } from '../document-builder.ts'
import type { Place } from '../types.ts'

/** `row` is the row's number in its sheet or file, as the program that shows it counts. */
export type TableRow = { row: number; cells: string[] }

// A block of this size stays one chunk at the default CHUNK_SIZE, so that every chunk of a table has its header.
const BLOCK_CHARS = 480

/**
 * Each block repeats the header line, so that a row never stands without its column names.
 * Its place is its own rows where `hasRowNumbers`: a table inside a text has none that its reader sees.
 */
export function addTable(builder: DocumentBuilder, rows: Iterable<TableRow>, place: Place = {}, hasRowNumbers = true): void {
  let header: TableRow | undefined
  let headerText = ''
  let open: TableRow[] = []
  let size = 0
  let added = false
  const flush = () => {
    if (!header || (open.length === 0 && added)) return
    const first = open[0] ?? header
    const last = open.at(-1) ?? header
    const own = !hasRowNumbers ? {} : last.row > first.row ? { row: first.row, lastRow: last.row } : { row: first.row }
    builder.add('table', tableText([header.cells, ...open.map((one) => one.cells)]), { ...place, ...own })
    added = true
    open = []
  }
  for (const row of rows) {
    if (!row.cells.some((cell) => cell.trim())) continue
    if (!header) {
      header = row
      headerText = tableText([row.cells])
      size = headerText.length
      continue
    }
    const more = tableText([row.cells]).length + 1
    if (open.length > 0 && size + more > BLOCK_CHARS) {
      flush()
      size = headerText.length
    }
    open.push(row)
    size += more
  }
  flush()
}

/** A table inside a text, as it is printed there. */
export function addTextTable(builder: DocumentBuilder, rows: readonly string[][], place: Place = {}): void {
  const numbered = rows.map((cells, i) => ({ row: i + 1, cells }))
  addTable(builder, numbered, place, false)
}

/** Lines above a sheet's table that fill one cell only are its title, not its header. */
export function* withoutTitleRows(rows: Iterable<TableRow>, onTitle: (text: string, row: number) => void): Generator<TableRow> {
  let waiting: TableRow[] = []
  let isTable = false
  for (const row of rows) {
    const filled = row.cells.filter((cell) => cell.trim()).length
    if (filled === 0) continue
    if (isTable) yield row
    else if (filled > 1) {
      for (const title of waiting) onTitle(title.cells.find((cell) => cell.trim())!, title.row)
      waiting = []
      isTable = true
      yield row
    } else waiting.push(row)
    // A list in one column has no header to wait for.
    if (!isTable && waiting.length > 20) isTable = true
    if (isTable && waiting.length > 0) {
      yield* waiting
      waiting = []
    }
  }
  yield* waiting
}
