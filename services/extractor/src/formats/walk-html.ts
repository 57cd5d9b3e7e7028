import type { DocumentBuilder } from '../document-builder.ts'
import { addTextTable } from './table-blocks.ts'

const blockNames = new Set(
  'address article aside blockquote body center dd details div dl dt fieldset figcaption figure footer form header hgroup hr html legend li main nav ol p pre section summary table tbody td tfoot th thead tr ul h1 h2 h3 h4 h5 h6'.split(
    ' ',
  ),
)

const ELEMENT = 1
const TEXT = 3

/** Turns a tree into blocks, in order; returns the first heading. */
export function walkBlocks(root: Element, builder: DocumentBuilder): string | undefined {
  let inline = ''
  let firstHeading: string | undefined
  const flush = () => {
    builder.add('paragraph', tidy(inline))
    inline = ''
  }

  function visit(node: Node): void {
    if (node.nodeType === TEXT) inline += (node.textContent ?? '').replace(/\s+/g, ' ')
    if (node.nodeType !== ELEMENT) return
    const element = node as Element
    const name = element.localName.toLowerCase()
    if (name === 'br') inline += '\n'
    else if (name === 'img') inline += altOf(element)
    else if (!blockNames.has(name)) for (const child of node.childNodes) visit(child)
    else {
      flush()
      block(element, name)
      flush()
    }
  }

  function block(element: Element, name: string): void {
    const level = /^h([1-6])$/.exec(name)?.[1]
    if (level) {
      const text = tidy(inlineOf(element)).replace(/\s+/g, ' ')
      if (text) firstHeading ??= text
      builder.heading(Number(level), text)
    } else if (name === 'pre') builder.add('code', element.textContent ?? '')
    else if (name === 'ul' || name === 'ol') {
      const hasTables = element.querySelector('table, pre') !== null
      if (hasTables) for (const child of element.childNodes) visit(child)
      else builder.add('list', listLines(element, 0).join('\n'))
    } else if (name === 'table' && !isLayout(element)) {
      const caption = element.querySelector('caption')?.textContent
      if (caption) builder.add('paragraph', tidy(caption))
      addTextTable(builder, rowsOf(element))
    } else for (const child of element.childNodes) visit(child)
  }

  for (const child of root.childNodes) visit(child)
  flush()
  return firstHeading
}

function listLines(list: Element, depth: number): string[] {
  const lines: string[] = []
  let n = Number(list.getAttribute('start') ?? 1) || 1
  for (const item of list.children) {
    const name = item.localName.toLowerCase()
    if (name === 'ul' || name === 'ol') lines.push(...listLines(item, depth + 1))
    if (name !== 'li') continue
    const nested = [...item.children].filter((child) => /^[uo]l$/i.test(child.localName))
    const text = tidy(
      [...item.childNodes]
        .filter((child) => !nested.includes(child as Element))
        .map(inlineOf)
        .join(''),
    ).replace(/\s+/g, ' ')
    const marker = list.localName.toLowerCase() === 'ol' ? `${n++}.` : '-'
    if (text) lines.push(`${'  '.repeat(depth)}${marker} ${text}`)
    for (const child of nested) lines.push(...listLines(child, depth + 1))
  }
  return lines
}

/** A table that holds blocks of its own is a page grid, not data. */
function isLayout(table: Element): boolean {
  return table.getAttribute('role') === 'presentation' || table.querySelector('table, h1, h2, h3, pre') !== null
}

function rowsOf(table: Element): string[][] {
  return [...table.querySelectorAll('tr')].map((row) =>
    [...row.children].filter((cell) => /^t[dh]$/i.test(cell.localName)).map((cell) => tidy(inlineOf(cell))),
  )
}

function inlineOf(node: Node): string {
  if (node.nodeType === TEXT) return (node.textContent ?? '').replace(/\s+/g, ' ')
  if (node.nodeType !== ELEMENT) return ''
  const element = node as Element
  const name = element.localName.toLowerCase()
  if (name === 'br') return '\n'
  if (name === 'img') return altOf(element)
  const inside = [...element.childNodes].map(inlineOf).join('')
  return blockNames.has(name) ? ` ${inside} ` : inside
}

function altOf(image: Element): string {
  const alt = (image.getAttribute('alt') ?? '').trim()
  return alt ? ` ${alt.slice(0, 300)} ` : ''
}

function tidy(text: string): string {
  return text
    .split('\n')
    .map((line) => line.replace(/\s+/g, ' ').trim())
    .filter(Boolean)
    .join('\n')
}
