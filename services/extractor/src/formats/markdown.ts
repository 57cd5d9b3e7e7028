import { createBuilder, type DocumentBuilder } from '../document-builder.ts'
import type { Extracted } from '../types.ts'
import { inlineText } from './inline-markdown.ts'
import { stripRawHtml, takeFrontMatter } from './markdown-preamble.ts'
import { addTextTable } from './table-blocks.ts'

const listItem = /^\s{0,12}(?:[-*+]|\d{1,9}[.)])\s+\S/
const delimiterRow = /^[\s|:-]{3,}$/

/** A line parser: one pass, no backtracking, every rule decided from the line and the one after it. */
export function extractMarkdown(source: string, maxChars: number): Extracted {
  const { title, body, isFrontMatter } = takeFrontMatter(source.replace(/\r\n?/g, '\n').replace(/^\ufeff/, ''))
  const builder = createBuilder(maxChars)
  const lines = stripRawHtml(body.split('\n'))
  let firstHeading: string | undefined
  let i = 0
  while (i < lines.length) {
    const line = unquote(lines[i]!)
    const heading = atxHeading(line)
    if (!line.trim()) i++
    else if (fenceOf(line)) i = fencedCode(lines, i, builder)
    else if (heading) {
      firstHeading ??= heading.text
      builder.heading(heading.level, heading.text)
      i++
    } else if (isTableStart(lines, i)) i = table(lines, i, builder)
    else if (isRule(line) || isDefinition(line)) i++
    else if (/^(?: {4}|\t)/.test(line)) i = indentedCode(lines, i, builder)
    else if (listItem.test(line)) i = list(lines, i, builder)
    else i = paragraph(lines, i, builder, (text) => (firstHeading ??= text))
  }
  if (isFrontMatter) builder.note('the front matter was read for its title and left out')
  return builder.build('text/markdown', { title: title ?? firstHeading })
}

function atxHeading(line: string): { level: number; text: string } | undefined {
  const marks = /^ {0,3}(#{1,6})(?:[ \t]+|$)/.exec(line)
  if (!marks) return undefined
  let end = line.trimEnd().length
  while (line[end - 1] === '#') end--
  const isClosed = end < line.trimEnd().length && /\s/.test(line[end - 1] ?? ' ')
  return { level: marks[1]!.length, text: inlineText(line.slice(marks[0].length, isClosed ? end : undefined)).trim() }
}

function setextLevel(line: string | undefined): number | undefined {
  const bare = line?.trim() ?? ''
  if (bare.length < 2 || /^ {4}/.test(line ?? '')) return undefined
  if (!bare.replaceAll('=', '')) return 1
  return bare.replaceAll('-', '') ? undefined : 2
}

function fenceOf(line: string): string | undefined {
  return /^\s{0,12}(`{3,}|~{3,})/.exec(line)?.[1]
}

function fencedCode(lines: readonly string[], at: number, builder: DocumentBuilder): number {
  const fence = fenceOf(unquote(lines[at]!))!
  const code: string[] = []
  let i = at + 1
  for (; i < lines.length; i++) {
    const bare = unquote(lines[i]!).trim()
    if (bare.startsWith(fence) && !bare.replaceAll(fence[0]!, '')) break
    code.push(lines[i]!.trimEnd())
  }
  builder.add('code', code.join('\n'))
  return i + 1
}

function indentedCode(lines: readonly string[], at: number, builder: DocumentBuilder): number {
  const code: string[] = []
  let i = at
  for (; i < lines.length; i++) {
    const line = unquote(lines[i]!)
    if (line.trim() && !/^(?: {4}|\t)/.test(line)) break
    code.push(line.replace(/^(?: {4}|\t)/, '').trimEnd())
  }
  builder.add('code', code.join('\n'))
  return i
}

function isTableStart(lines: readonly string[], at: number): boolean {
  const below = unquote(lines[at + 1] ?? '')
  return lines[at]!.includes('|') && below.includes('-') && below.includes('|') && delimiterRow.test(below)
}

function table(lines: readonly string[], at: number, builder: DocumentBuilder): number {
  const rows = [cells(lines[at]!)]
  let i = at + 2
  for (; i < lines.length && lines[i]!.includes('|'); i++) rows.push(cells(lines[i]!))
  addTextTable(builder, rows)
  return i
}

function cells(line: string): string[] {
  const parts = unquote(line).trim().replaceAll('\\|', '/').split('|')
  if (parts[0]?.trim() === '') parts.shift()
  if (parts.at(-1)?.trim() === '') parts.pop()
  return parts.map((part) => inlineText(part))
}

function list(lines: readonly string[], at: number, builder: DocumentBuilder): number {
  const items: string[] = []
  let i = at
  for (; i < lines.length; i++) {
    const line = unquote(lines[i]!)
    const isGap = !line.trim()
    const after = unquote(lines[i + 1] ?? '')
    if (isGap && !(listItem.test(after) || /^\s{2,}\S/.test(after))) break
    if (!isGap && (fenceOf(line) || atxHeading(line) || isTableStart(lines, i))) break
    if (!isGap) items.push(listItem.test(line) || items.length === 0 ? line.trimEnd() : `  ${line.trim()}`)
  }
  builder.add('list', inlineList(items))
  return i
}

/** A star that marks an item is no emphasis: the marker is set aside before the marks are taken away. */
function inlineList(items: readonly string[]): string {
  return items
    .map((item) => {
      const marker = /^\s{0,12}(?:[-*+]|\d{1,9}[.)])?\s+|^/.exec(item)![0]
      return marker + inlineText(item.slice(marker.length).replace(/^\[[ xX]\] /, ''))
    })
    .join('\n')
}

function paragraph(lines: readonly string[], at: number, builder: DocumentBuilder, onHeading: (text: string) => void): number {
  const parts: string[] = []
  let i = at
  for (; i < lines.length; i++) {
    const line = unquote(lines[i]!)
    const level = parts.length > 0 ? setextLevel(line) : undefined
    if (level) {
      const text = inlineText(parts.join(' ')).trim()
      onHeading(text)
      builder.heading(level, text)
      return i + 1
    }
    if (!line.trim() || (parts.length > 0 && (atxHeading(line) || fenceOf(line) || listItem.test(line) || isTableStart(lines, i)))) break
    parts.push(line.trim())
  }
  builder.add('paragraph', inlineText(parts.join('\n')))
  return i
}

function isRule(line: string): boolean {
  const bare = line.replace(/\s/g, '')
  return bare.length >= 3 && ['-', '*', '_'].some((mark) => !bare.replaceAll(mark, ''))
}

function isDefinition(line: string): boolean {
  return /^ {0,3}\[[^\]\n]{1,200}\]:\s{1,4}\S/.test(line)
}

function unquote(line: string): string {
  let i = 0
  let end = 0
  while (i < line.length && (line[i] === '>' || line[i] === ' ')) if (line[i++] === '>') end = i
  if (end === 0) return line
  return line.slice(line[end] === ' ' ? end + 1 : end)
}
