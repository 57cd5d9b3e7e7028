import type { ParsedPage } from '@llamaindex/liteparse'
import { ExtractFailure } from '../failure.ts'
import { MAX_PAGES, type PdfPage, type PdfTable, type PdfText, piecesToLines } from './pdf-lines.ts'

const BATCH_PAGES = 20

/** A native binary: where it does not load, the import fails and the caller falls back. */
export async function readWithLiteparse(bytes: Buffer, maxChars: number): Promise<PdfText> {
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
      pages.push(toPage(page))
    }
    if (result.pageErrors.length > 0) notes.push(`${result.pageErrors.length} pages could not be read`)
  }
  if (totalPages > MAX_PAGES) notes.push(`only the first ${MAX_PAGES} of ${totalPages} pages were read`)
  return { totalPages, pages, notes }
}

function toPage(page: ParsedPage): PdfPage {
  const pieces = page.textItems.map((item) => ({
    text: item.text,
    left: item.x,
    right: item.x + item.width,
    top: item.y,
    size: item.fontSize ?? item.height,
    bold: /bold|black|heavy|semibold|demi/i.test(item.fontName ?? ''),
  }))
  return { number: page.pageNum, lines: piecesToLines(pieces), tables: (page.blocks ?? []).flatMap(toTable) }
}

function toTable(block: NonNullable<ParsedPage['blocks']>[number]): PdfTable[] {
  const rows = [block.header ?? [], ...(block.rows ?? [])].map((row) => row.map((cell) => cell.text)).filter((row) => row.length > 1)
  if (block.kind !== 'table' || !block.bbox || rows.length < 2) return []
  const { x, y, width, height } = block.bbox
  return [{ top: y, bottom: y + height, left: x, right: x + width, rows }]
}
