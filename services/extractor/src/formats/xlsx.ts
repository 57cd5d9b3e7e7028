import { createBuilder, type DocumentBuilder } from '../document-builder.ts'
import { ExtractFailure } from '../failure.ts'
import type { Extracted, Tell } from '../types.ts'
import { officeTitle, openPackage, type Package, relationsOf } from './package.ts'
import { addTable, type TableRow, withoutTitleRows } from './table-blocks.ts'
import { type CellFormat, readCellFormats } from './xlsx-formats.ts'
import { elements, readXml, textOf, type XmlNode } from './xml.ts'

export const xlsxType = 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet'

const MAIN = 'xl/workbook.xml'
// Beyond them stand forgotten cells; each would lengthen every row.
const MAX_COLUMNS = 1_000
const usualName = /^(?:sheet|工作表|表)\s?\d+$/i

/** Sheets in their order, cells as shown; a formula is its last result. Hidden sheets and rows are what no reader sees. */
export function extractXlsx(bytes: Buffer, maxChars: number, tell: Tell): Extracted {
  const file = openPackage(bytes, MAIN)
  const builder = createBuilder(maxChars)
  const { sheets, has1904Dates } = readWorkbook(file)
  const show = readCellFormats(file, has1904Dates)
  const strings = readSharedStrings(file)
  const shown = sheets.filter((sheet) => !sheet.isHidden)
  if (shown.length < sheets.length) builder.note('hidden sheets were left out')
  for (const [i, { name, part }] of shown.entries()) {
    tell('extract', 'sheet', i, shown.length)
    const content = file.read(part)
    if (content) addSheet(builder, name, readRows(content, strings, show, builder))
  }
  return builder.build(xlsxType, { title: officeTitle(file) })
}

/** A sheet named by its author is a heading; "Sheet1" says nothing. */
export function addSheet(builder: DocumentBuilder, sheet: string, rows: Iterable<TableRow>): void {
  builder.leaveHeadings()
  let isNamed = usualName.test(sheet)
  const name = () => {
    if (!isNamed) builder.heading(1, sheet, { sheet })
    isNamed = true
  }
  const filled = (function* () {
    for (const row of withoutTitleRows(rows, (text, at) => {
      name()
      builder.add('paragraph', text, { sheet, row: at })
    })) {
      name()
      yield row
    }
  })()
  addTable(builder, filled, { sheet })
}

function readWorkbook(file: Package): { sheets: { name: string; part: string; isHidden: boolean }[]; has1904Dates: boolean } {
  const relations = relationsOf(file, MAIN)
  const sheets: { name: string; part: string; isHidden: boolean }[] = []
  let has1904Dates = false
  readXml(
    file.read(MAIN)!,
    new Set(),
    () => undefined,
    (name, attributes) => {
      if (name === 'workbookPr') has1904Dates = /^(?:1|true)$/.test(attributes.date1904 ?? '')
      const relation = name === 'sheet' ? relations.get(attributes['r:id'] ?? '') : undefined
      if (relation?.type === 'worksheet')
        sheets.push({ name: attributes.name ?? '', part: relation.target, isHidden: /idden/.test(attributes.state ?? '') })
    },
  )
  if (sheets.length === 0) throw new ExtractFailure('empty', 'The workbook holds no sheet with cells: put content into it, or remove it.')
  return { sheets, has1904Dates }
}

function readSharedStrings(file: Package): string[] {
  const strings: string[] = []
  const content = file.read('xl/sharedStrings.xml')
  if (content) readXml(content, new Set(['si']), (item) => strings.push(richText(item)))
  return strings
}

/** Runs joined; the reading aid above Chinese and Japanese characters is no text of the cell. */
function richText(node: XmlNode): string {
  return elements(node)
    .map((one) => (one.name === 't' ? textOf(one) : one.name === 'r' ? richText(one) : ''))
    .join('')
}

function readRows(content: Buffer, strings: readonly string[], show: CellFormat, builder: DocumentBuilder): TableRow[] {
  const rows: TableRow[] = []
  let last = 0
  let chars = 0
  readXml(content, new Set(['row']), (node) => {
    last = Number(node.attributes.r) || last + 1
    if (node.attributes.hidden === '1' || node.attributes.hidden === 'true') {
      builder.note('hidden rows were left out')
      return
    }
    const cells: string[] = []
    for (const cell of elements(node)) {
      const column = columnOf(cell.attributes.r) ?? cells.length
      const text = cellText(cell, strings, show)
      if (text && column >= MAX_COLUMNS) builder.note(`cells beyond column ${MAX_COLUMNS} were left out`)
      if (!text || column >= MAX_COLUMNS) continue
      chars += text.length + 3 * (column - cells.length + 1)
      while (cells.length < column) cells.push('')
      cells[column] = text
    }
    // The builder refuses what is too much; this only stops the gathering in time.
    if (chars > builder.room())
      throw new ExtractFailure('too_large', 'The workbook holds more text than one document may: split it into parts.')
    if (cells.length > 0) rows.push({ row: last, cells })
  })
  return rows
}

function cellText(cell: XmlNode, strings: readonly string[], show: CellFormat): string {
  const type = cell.attributes.t ?? 'n'
  if (type === 'inlineStr')
    return elements(cell)
      .filter((one) => one.name === 'is')
      .map(richText)
      .join('')
      .trim()
  const value = elements(cell).find((one) => one.name === 'v')
  if (!value) return ''
  const raw = textOf(value)
  if (type === 's') return (strings[Number(raw)] ?? '').trim()
  if (type === 'b') return raw === '1' ? 'TRUE' : 'FALSE'
  if (type === 'n') return show(raw, Number(cell.attributes.s ?? 0))
  return raw.trim()
}

/** `BC12` → 54. */
function columnOf(reference: string | undefined): number | undefined {
  const letters = /^[A-Z]{1,3}/.exec(reference ?? '')?.[0]
  return letters ? [...letters].reduce((n, letter) => n * 26 + letter.charCodeAt(0) - 64, 0) - 1 : undefined
}
