import type { ParsedPage } from '@llamaindex/liteparse'
import { ExtractFailure } from '../failure.ts'
import type { Tell } from '../types.ts'
import type { PdfCharacter, PdfCharacters } from './pdf-characters.ts'
import { MAX_PAGES, type PdfPage, type PdfPiece, type PdfTable, type PdfText } from './pdf-lines.ts'
import { layPage, type RawPage } from './pdf-page.ts'
import { printedPieces } from './pdf-pdfium.ts'
import { isSame, lettersOf, type Region, rereader } from './pdf-reread.ts'

const BATCH_PAGES = 20
const MIN_KEPT = 0.9

/** Layout by liteparse, characters by PDFium. A native binary: where it does not load, the import fails and the caller falls back. */
export async function readWithLiteparse(bytes: Buffer, characters: PdfCharacters, maxChars: number, tell: Tell): Promise<PdfText> {
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
  let guessed = 0
  for await (const { result } of parser.parseBatches(bytes, { batchSize: BATCH_PAGES })) {
    totalPages = result.totalPages
    for (const page of result.pages) {
      chars += page.text.length
      if (chars > maxChars * 2) throw new ExtractFailure('bomb')
      const raw = toPage(page, characters.linesOf(page.pageNum, maxChars * 2))
      if (raw.isGuessed) guessed++
      pages.push(layPage(raw))
      tell('extract', 'page', pages.length, Math.min(totalPages, MAX_PAGES))
    }
    if (result.pageErrors.length > 0) notes.push(`${result.pageErrors.length} pages could not be read`)
  }
  if (totalPages > MAX_PAGES) notes.push(`only the first ${MAX_PAGES} of ${totalPages} pages were read`)
  if (guessed > 0) notes.push(`on ${guessed} pages single characters may be wrong: their fonts are not in the file`)
  return { totalPages, pages, notes }
}

/** Pieces that liteparse lost come back; a page on which the two readers still see different letters is PDFium's alone. */
function toPage(page: ParsedPage, read: PdfCharacter[][] | undefined): RawPage & { isGuessed: boolean } {
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
  const found = (page.blocks ?? []).flatMap((block) => toTable(block, asRead))
  const about = { number: page.pageNum, height: page.height, found }
  const printed = lettersOf(textOf(pieces)).length
  const own = withMissing(pieces, read ? printedPieces(reading.missed()) : [])
  if (!read) return { ...about, pieces: own, isGuessed: true }
  const [guessed, plain] = [lettersOf(textOf(own)), lettersOf(read.map((line) => line.map(({ char }) => char).join('')).join('\n'))]
  if (isSame(guessed, plain)) return { ...about, pieces: own, isGuessed: false }
  // PDFium gives no places for vertical text: half the text is worse than a wrong letter.
  if (plain.length < printed * MIN_KEPT) return { ...about, pieces: own, isGuessed: true }
  return { ...about, pieces: printedPieces(read), isGuessed: false }
}

function withMissing(pieces: PdfPiece[], missing: readonly PdfPiece[]): PdfPiece[] {
  for (const piece of missing) {
    const after = pieces.findIndex((other) => other.top > piece.top + piece.size / 2)
    pieces.splice(after < 0 ? pieces.length : after, 0, piece)
  }
  return pieces
}

function textOf(pieces: readonly PdfPiece[]): string {
  return pieces.map((piece) => piece.text).join('\n')
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
