import type { DocumentBuilder } from '../document-builder.ts'
import { isRepeated, type Layout, measureLayout } from './pdf-layout.ts'
import type { PdfLine, PdfPage } from './pdf-lines.ts'
import { addTextTable } from './table-blocks.ts'

const cjk = /[\u2e80-\u9fff\uac00-\ud7a3\uf900-\ufaff\uff00-\uffef\u3040-\u30ff\u3000-\u303f]|[\ud840-\ud87f][\udc00-\udfff]/
const bullet = /^(?:[•●○■□◆◇▪‣–*-]\s*|\d{1,3}[.)、]\s*|[（(]\d{1,2}[）)]\s*)(?=\D)\S/
const admonition = /^\s*(?:提示|注意|警告|小心|重要|说明|Tip|Note|Warning|Caution|Important)[:：]?\s*$/
const sentenceEnd = /[。！？.!?：:；;”」』）)]$/

/** Turns printed lines into headings, paragraphs, lists and tables; returns the first heading. */
export function addPages(pages: readonly PdfPage[], builder: DocumentBuilder): string | undefined {
  const layout = measureLayout(pages)
  if (layout.repeated.size > 0) builder.note('repeated page headers and footers were left out')
  let firstHeading: string | undefined
  for (const page of pages) {
    const first = addPage(page, layout, builder)
    firstHeading ??= first
  }
  return firstHeading
}

function addPage(page: PdfPage, layout: Layout, builder: DocumentBuilder): string | undefined {
  const place = page.place ?? { page: page.number }
  const lines = page.lines.filter((line) => !isRepeated(page, line, layout))
  const margin = lines.reduce((right, line) => Math.max(right, line.right), 0)
  let firstHeading: string | undefined
  let items: string[] = []
  let open: PdfLine[] = []
  const endItem = () => {
    if (open.length === 0) return
    const [label, ...told] = open.map((line) => line.text)
    // “注意” over its note is no part of the sentence below it
    const text = told.length > 0 && admonition.test(label!) ? `${label!.trim()}\n${joinLines(told)}` : joinLines([label!, ...told])
    const isItem = bullet.test(open[0]!.text.trim())
    open = []
    if (isItem) items.push(text)
    else {
      endList()
      builder.add('paragraph', text, place)
    }
  }
  const endList = () => {
    if (items.length > 0) builder.add('list', items.join('\n'), place)
    items = []
  }
  const end = () => {
    endItem()
    endList()
  }

  for (let i = 0; i < lines.length; i++) {
    const line = lines[i]!
    const { table } = line
    const level = table ? undefined : layout.levelOf(line)
    if (table) {
      end()
      addTextTable(builder, table.rows, place)
    } else if (level) {
      end()
      const parts = [line.text]
      while (lines[i + 1] && isSameHeading(lines[i]!, lines[i + 1]!)) parts.push(lines[++i]!.text)
      const text = joinLines(parts)
      firstHeading ??= text
      builder.heading(level, text, place)
    } else {
      if (open.length > 0 && startsParagraph(open, line, margin, layout)) endItem()
      open.push(line)
    }
  }
  end()
  return firstHeading
}

/** Chinese lines join without a space, a hyphen at the end of an English line goes, everything else gets one space. */
export function joinLines(lines: readonly string[]): string {
  let text = ''
  for (const line of lines.map((one) => one.trim())) {
    const isChinese = cjk.test(text.slice(-1)) || cjk.test(line.slice(0, 1))
    if (/[a-z]-$/.test(text.slice(-2)) && /^[a-z]/.test(line)) text = text.slice(0, -1) + line
    else text += (text && !isChinese ? ' ' : '') + line
  }
  return text
}

function startsParagraph(open: readonly PdfLine[], line: PdfLine, margin: number, layout: Layout): boolean {
  const last = open.at(-1)!
  const first = open[0]!
  const pitch = line.top - last.top
  const size = Math.max(last.size, line.size)
  if (pitch < -size || pitch > size * layout.pitch * 1.25 + 1) return true
  if (Math.abs(line.size - last.size) > size * 0.15 || bullet.test(line.text.trim())) return true
  const isIndented = line.left > last.left + size * 1.2 && line.left > first.left + size * 1.2
  const isHanging = bullet.test(first.text.trim()) && line.left > first.left
  const isShort = last.right < margin - size * 4 && sentenceEnd.test(last.text.trim())
  const isOutdented = bullet.test(first.text.trim()) && line.left < first.left - 1
  return (isIndented && !isHanging) || isOutdented || isShort
}

function isSameHeading(line: PdfLine, next: PdfLine): boolean {
  const pitch = next.top - line.top
  return Math.abs(line.size - next.size) < 0.5 && line.bold === next.bold && pitch > 0 && pitch < line.size * 1.6
}
