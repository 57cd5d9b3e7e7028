import type { DocumentBuilder } from '../document-builder.ts'
import type { Place } from '../types.ts'
import { addTable, type TableRow } from './table-blocks.ts'
import { descendants, elements, type XmlNode } from './xml.ts'

/** Footnotes and endnotes in their order. */
export type OdfNotes = string[]

const blocks = new Set(['h', 'p', 'list', 'table'])
// Deleted text, remarks, and what repeats the document's own headings.
const unseen = new Set(['tracked-changes', 'annotation', 'table-of-content', 'alphabetical-index', 'forms', 'sequence-decls', 'ruby-text'])

export function isOdfBlock(name: string): boolean {
  return blocks.has(name) || unseen.has(name)
}

/** One block of a text; text boxes that hang in it follow it. */
export function addOdfBlock(node: XmlNode, builder: DocumentBuilder, place: Place, notes: OdfNotes): void {
  if (unseen.has(node.name)) return
  if (node.name === 'table') {
    addTable(builder, tableRows(node, notes), place, false)
    return
  }
  const boxes: XmlNode[] = []
  if (node.name === 'list') builder.add('list', listLines(node, 0, notes, boxes).join('\n'), place)
  else {
    const text = inlineOf(node, notes, boxes)
    const level =
      node.name === 'h' ? Number(node.attributes['text:outline-level']) || 1 : node.attributes['text:style-name'] === 'Title' ? 1 : 0
    if (level > 0) builder.heading(Math.min(level, 6), text, place)
    else builder.add('paragraph', text, place)
  }
  for (const box of boxes) for (const one of elements(box)) if (isOdfBlock(one.name)) addOdfBlock(one, builder, place, notes)
}

/** The text of a paragraph as its reader sees it; footnotes become a number, text boxes are handed out. */
export function inlineOf(node: XmlNode, notes: OdfNotes, boxes: XmlNode[] = []): string {
  return node.children
    .map((one) => {
      if (typeof one === 'string') return one.replace(/\s+/g, ' ')
      if (one.name === 's') return ' '.repeat(Math.min(Number(one.attributes['text:c']) || 1, 100))
      if (one.name === 'tab') return ' '
      if (one.name === 'line-break') return '\n'
      if (unseen.has(one.name)) return ''
      if (one.name === 'note') return `[${notes.push(noteText(one))}]`
      if (one.name === 'text-box') {
        boxes.push(one)
        return ''
      }
      return inlineOf(one, notes, boxes)
    })
    .join('')
}

function noteText(note: XmlNode): string {
  return descendants(note, 'note-body')
    .flatMap((body) => descendants(body, 'p'))
    .map((one) => inlineOf(one, []).trim())
    .join(' ')
}

function listLines(list: XmlNode, depth: number, notes: OdfNotes, boxes: XmlNode[]): string[] {
  return elements(list)
    .filter((item) => item.name === 'list-item' || item.name === 'list-header')
    .flatMap((item) =>
      elements(item).flatMap((one) => {
        if (one.name === 'list') return listLines(one, depth + 1, notes, boxes)
        const text = inlineOf(one, notes, boxes).replace(/\s+/g, ' ').trim()
        return text ? [`${'  '.repeat(depth)}- ${text}`] : []
      }),
    )
}

function tableRows(table: XmlNode, notes: OdfNotes): TableRow[] {
  return descendants(table, 'table-row').map((row, i) => ({
    row: i + 1,
    cells: elements(row)
      .filter((cell) => cell.name === 'table-cell' || cell.name === 'covered-table-cell')
      .map((cell) => inlineText(cell, notes)),
  }))
}

function inlineText(cell: XmlNode, notes: OdfNotes): string {
  return elements(cell)
    .map((one) => (one.name === 'p' || one.name === 'h' ? inlineOf(one, notes) : inlineText(one, notes)))
    .join(' ')
}
