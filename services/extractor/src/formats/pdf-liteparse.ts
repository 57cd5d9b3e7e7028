import type { ParsedPage } from '@llamaindex/liteparse'
import { ExtractFailure } from '../failure.ts'
import type { PdfCharacter, PdfCharacters } from './pdf-characters.ts'
import { isInside, MAX_PAGES, type PdfLine, type PdfPage, type PdfTable, type PdfText, piecesToLines } from './pdf-lines.ts'
import { printedLines } from './pdf-pdfium.ts'
import { isSame, lettersOf, type Region, rereader } from './pdf-reread.ts'

const BATCH_PAGES = 20

/** Layout by liteparse, characters by PDFium. A native binary: where it does not load, the import fails and the caller falls back. */
export async function readWithLiteparse(bytes: Buffer, characters: PdfCharacters, maxChars: number): Promise<PdfText> {
  const { LiteParse } = await import('@llamaindex/liteparse')
  const parser = new LiteParse({
    ocrEnabled: false,
    quiet: true,
    extractBlocks: true,
    maxPages: MAX_PAGES,
    numWorkers: 1,
    continueOnPageError: true,
    extractLinks: false,
  })
  const pages: PdfPage[] = []
  const notes: string[] = []
  let totalPages = 0
  let chars = 0
  for await (const { result } of parser.parseBatches(bytes, { batchSize: BATCH_PAGES })) {
    totalPages = result.totalPages
    for (const page of result.pages) {
      chars += page.text.length
      if (chars > maxChars * 2) throw new ExtractFailure('bomb')
      pages.push(toPage(page, characters.linesOf(page.pageNum, maxChars * 2)))
    }
    if (result.pageErrors.length > 0) notes.push(`${result.pageErrors.length} pages could not be read`)
  }
  if (totalPages > MAX_PAGES) notes.push(`only the first ${MAX_PAGES} of ${totalPages} pages were read`)
  return { totalPages, pages, notes }
}

/** Lines that liteparse lost come back; a page on which the two readers still see different letters is PDFium's alone. */
function toPage(page: ParsedPage, read: PdfCharacter[][] | undefined): PdfPage {
  const reading = rereader(read ?? [])
  const asRead = (text: string, region: Region) => (read ? (reading.reread(text, region) ?? text) : text)
  const pieces = page.textItems.map((item) => ({
    text: asRead(item.text, { left: item.x, right: item.x + item.width, top: item.y, bottom: item.y + item.height }),
    left: item.x,
    right: item.x + item.width,
    top: item.y,
    size: item.fontSize ?? item.height,
    bold: /bold|black|heavy|semibold|demi/i.test(item.fontName ?? ''),
  }))
  const lines = withMissing(piecesToLines(pieces), read ? printedLines(reading.missed()) : [])
  const tables = (page.blocks ?? []).flatMap((block) => toTable(block, asRead)).filter((table) => isWhole(table, lines))
  const own = { number: page.pageNum, lines, tables }
  if (!read) return own
  const plain = read.map((line) => line.map(({ char }) => char).join('')).join('\n')
  if (!isSame(lettersOf(textOf(lines)), lettersOf(plain))) return { number: page.pageNum, lines: printedLines(read), tables: [] }
  const squeezed = squeeze(plain)
  return { ...own, tables: tables.filter(({ rows }) => rows.every((row) => row.every((cell) => squeezed.includes(squeeze(cell))))) }
}

function withMissing(lines: PdfLine[], missing: readonly PdfLine[]): PdfLine[] {
  for (const line of missing) {
    const after = lines.findIndex((other) => other.top > line.top + line.size / 2)
    lines.splice(after < 0 ? lines.length : after, 0, line)
  }
  return lines
}

/** A table whose cells lack some of what is printed in its place would lose it: its lines are kept instead. */
function isWhole(table: PdfTable, lines: readonly PdfLine[]): boolean {
  const printed = lettersOf(textOf(lines.filter((line) => isInside(line, table))))
  return isSame(lettersOf(table.rows.flat().join('\n')), printed)
}

function textOf(lines: readonly PdfLine[]): string {
  return lines.map((line) => line.text).join('\n')
}

function squeeze(text: string): string {
  return text.normalize('NFKC').replace(/\s+/g, '')
}

/** A line break inside a Chinese cell is no space. */
function joined(cell: string): string {
  return cell.replace(/(?<=[\u2e80-\u9fff\uff00-\uffef])\s+(?=[\u2e80-\u9fff\uff00-\uffef])/g, '')
}

function toTable(block: NonNullable<ParsedPage['blocks']>[number], asRead: (text: string, region: Region) => string): PdfTable[] {
  const rows = [block.header ?? [], ...(block.rows ?? [])]
    .map((row) =>
      row.map(({ text, bbox }) => {
        return joined(bbox ? asRead(text, { left: bbox.x, right: bbox.x + bbox.width, top: bbox.y, bottom: bbox.y + bbox.height }) : text)
      }),
    )
    .filter((row) => row.length > 1)
  if (block.kind !== 'table' || !block.bbox || rows.length < 2) return []
  const { x, y, width, height } = block.bbox
  return [{ top: y, bottom: y + height, left: x, right: x + width, rows }]
}
