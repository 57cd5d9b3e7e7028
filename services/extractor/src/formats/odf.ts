import { createBuilder, type DocumentBuilder } from '../document-builder.ts'
import { ExtractFailure } from '../failure.ts'
import type { Extracted, Place } from '../types.ts'
import { addOdfBlock, inlineOf, isOdfBlock, type OdfNotes } from './odf-blocks.ts'
import { openPackage, type Package } from './package.ts'
import { inReadingOrder, type Shape } from './pptx-shapes.ts'
import type { TableRow } from './table-blocks.ts'
import { addSheet } from './xlsx.ts'
import { child, descendants, elements, readXml, textOf, type XmlNode } from './xml.ts'

export type OdfKind = 'odt' | 'ods' | 'odp'

const kinds = { odt: 'text', ods: 'spreadsheet', odp: 'presentation' } as const
// Empty rows and columns to the sheet's end are written as one with a count.
const MAX_REPEATED_CELLS = 1_000
const MAX_REPEATED_ROWS = 1_000

export function extractOdf(bytes: Buffer, kind: OdfKind, maxChars: number): Extracted {
  const file = openPackage(bytes, 'content.xml')
  const mediaType = `application/vnd.oasis.opendocument.${kinds[kind]}`
  const said = file.read('mimetype')?.toString('latin1').trim()
  if (said && !said.startsWith(mediaType)) throw new ExtractFailure('type_mismatch')
  if (file.read('META-INF/manifest.xml')?.includes('encryption-data')) throw new ExtractFailure('encrypted')
  const content = file.read('content.xml')!
  const builder = createBuilder(maxChars)
  const firstHeading = { odt: addText, ods: addSheets, odp: addSlides }[kind](content, builder)
  return builder.build(mediaType, { title: metaTitle(file) ?? firstHeading })
}

function addText(content: Buffer, builder: DocumentBuilder): string | undefined {
  const notes: OdfNotes = []
  let firstHeading: string | undefined
  const trees = { has: isOdfBlock } as unknown as ReadonlySet<string>
  readXml(content, trees, (node) => {
    if (node.name === 'h') firstHeading ??= inlineOf(node, []).trim()
    addOdfBlock(node, builder, {}, notes)
  })
  builder.add('list', notes.map((note, i) => `[${i + 1}] ${note}`).join('\n'))
  return firstHeading
}

function addSheets(content: Buffer, builder: DocumentBuilder): undefined {
  let sheet: { name: string; rows: TableRow[] } | undefined
  let at = 0
  let chars = 0
  const hiddenStyles = new Set<string>()
  const flush = () => sheet && addSheet(builder, sheet.name, sheet.rows)
  readXml(
    content,
    new Set(['table-row', 'tracked-changes', 'style']),
    (row) => {
      if (row.name === 'style' && descendants(row, 'table-properties')[0]?.attributes['table:display'] === 'false')
        hiddenStyles.add(row.attributes['style:name'] ?? '')
      if (row.name !== 'table-row' || !sheet) return
      const cells = cellsOf(row)
      const times = Math.max(1, Number(row.attributes['table:number-rows-repeated']) || 1)
      const isHidden = ['collapse', 'filter'].includes(row.attributes['table:visibility'] ?? '')
      if (isHidden && cells.length > 0) builder.note('hidden rows were left out')
      else if (cells.length > 0)
        for (let n = 0; n < Math.min(times, MAX_REPEATED_ROWS); n++) {
          sheet.rows.push({ row: at + n + 1, cells })
          chars += cells.join('').length
        }
      at += times
      if (chars > builder.room())
        throw new ExtractFailure('too_large', 'The workbook holds more text than one document may: split it into parts.')
    },
    (name, attributes) => {
      if (name !== 'table') return
      flush()
      const isHidden = hiddenStyles.has(attributes['table:style-name'] ?? '')
      if (isHidden) builder.note('hidden sheets were left out')
      sheet = isHidden ? undefined : { name: attributes['table:name'] ?? '', rows: [] }
      at = 0
      chars = 0
    },
  )
  flush()
  return undefined
}

/** What the cells show; a covered cell of a merge is empty. */
function cellsOf(row: XmlNode): string[] {
  const cells: string[] = []
  for (const cell of elements(row)) {
    if (cell.name !== 'table-cell' && cell.name !== 'covered-table-cell') continue
    const text = elements(cell)
      .filter((one) => one.name === 'p')
      .map((one) => inlineOf(one, []))
      .join(' ')
      .trim()
    const times = Math.min(Number(cell.attributes['table:number-columns-repeated']) || 1, MAX_REPEATED_CELLS)
    for (let n = 0; n < times; n++) cells.push(text)
  }
  while (cells.length > 0 && !cells.at(-1)) cells.pop()
  return cells
}

const decoration = new Set(['page-number', 'date-time', 'footer', 'header', 'page'])

function addSlides(content: Buffer, builder: DocumentBuilder): string | undefined {
  let number = 0
  let firstTitle: string | undefined
  readXml(content, new Set(['page']), (page) => {
    const place = { slide: ++number }
    builder.leaveHeadings()
    const shapes = inReadingOrder(elements(page).flatMap(toShape))
    const titles = shapes.filter((shape) => shape.role === 'title')
    const title = titles
      .flatMap((shape) => descendants(shape.node, 'p').map((one) => inlineOf(one, [])))
      .join(' ')
      .trim()
    firstTitle ??= title || undefined
    if (title) builder.heading(1, title, place)
    for (const shape of shapes) if (!titles.includes(shape)) addFrame(shape.node, builder, place)
    for (const frame of descendants(page, 'notes').flatMap(elements))
      if (frame.attributes['presentation:class'] === 'notes') addFrame(frame, builder, place)
  })
  return firstTitle
}

function toShape(node: XmlNode): Shape[] {
  if (node.name === 'g') return elements(node).flatMap(toShape)
  const role = node.attributes['presentation:class'] ?? ''
  if (node.name === 'notes' || decoration.has(role)) return []
  const [left, top] = [points(node.attributes['svg:x']), points(node.attributes['svg:y'])]
  const [width, height] = [points(node.attributes['svg:width']), points(node.attributes['svg:height'])]
  if ([left, top, width, height].some(Number.isNaN)) return [{ node, role }]
  return [{ node, role, box: { left, top, right: left + width, bottom: top + height } }]
}

const units: Record<string, number> = { cm: 28.346, mm: 2.8346, in: 72, pt: 1, pc: 12, px: 0.75 }

function points(length: string | undefined): number {
  const [, value, unit] = /^(-?[\d.]+)(cm|mm|in|pt|pc|px)$/.exec(length ?? '') ?? []
  return Number(value) * (units[unit ?? ''] ?? Number.NaN)
}

function addFrame(node: XmlNode, builder: DocumentBuilder, place: Place): void {
  const notes: OdfNotes = []
  for (const one of elements(node))
    if (isOdfBlock(one.name)) addOdfBlock(one, builder, place, notes)
    else if (one.name !== 'image') addFrame(one, builder, place)
}

function metaTitle(file: Package): string | undefined {
  const title = child(file.tree('meta.xml'), 'meta', 'title')
  return (title && textOf(title).trim()) || undefined
}
