import { createBuilder } from '../document-builder.ts'
import { ExtractFailure } from '../failure.ts'
import { type Ocr, readByOcr } from '../ocr.ts'
import type { Extracted, Tell } from '../types.ts'
import { addPages } from './pdf-blocks.ts'
import { openCharacters, type PdfCharacters } from './pdf-characters.ts'
import type { PdfLine, PdfPage, PdfText } from './pdf-lines.ts'
import { readWithLiteparse } from './pdf-liteparse.ts'
import { layPage } from './pdf-page.ts'
import { readWithPdfium } from './pdf-pdfium.ts'

const MAX_BAD_SHARE = 0.3
const MIN_CHARS_PER_PAGE = 20

/**
 * Layout by liteparse over PDFium's characters; PDFium's text alone where liteparse does not load, fails, or yields rubbish or hardly any text;
 * OCR for each page that shows something and says hardly anything. What is still hardly any text over pictures is no_text, never a document
 * that seems to be read.
 */
export async function extractPdf(bytes: Buffer, maxChars: number, ocr: Ocr, tell: Tell = () => {}): Promise<Extracted> {
  const characters = await openCharacters(bytes)
  const printed = await readPrinted(bytes, characters, maxChars, tell)
  const isRubbish = badShare(printed) > MAX_BAD_SHARE
  const scans = isRubbish ? printed.pages : printed.pages.filter((page) => isScan(page, characters))
  const pdf = scans.length > 0 ? await readScans(printed, scans, isRubbish, { bytes, characters, ocr, tell }) : printed
  const unread = scans.filter((scan) => charsOf(pdf.pages.find(({ number }) => number === scan.number)) < MIN_CHARS_PER_PAGE).length
  if (isRubbish && unread === scans.length)
    throw new ExtractFailure('no_text', `The fonts of this PDF do not say which characters they show, and ${whyNot(ocr)}.`)
  if (charsPerPage(pdf) < MIN_CHARS_PER_PAGE && unread >= pdf.pages.length / 2)
    throw new ExtractFailure('no_text', `The pages are pictures with hardly any text, and ${whyNot(ocr)}.`)
  if (lengthOf(pdf) === 0) throw new ExtractFailure('no_text', 'The pages are empty: put text on them, or remove the file.')
  return build(pdf, maxChars)
}

async function readPrinted(bytes: Buffer, characters: PdfCharacters, maxChars: number, tell: Tell): Promise<PdfText> {
  const first = await attempt(() => readWithLiteparse(bytes, characters, maxChars, tell))
  if ('pdf' in first && badShare(first.pdf) <= MAX_BAD_SHARE && charsPerPage(first.pdf) >= MIN_CHARS_PER_PAGE) return first.pdf
  const second = readWithPdfium(characters, maxChars, tell)
  return 'pdf' in first && isBetter(first.pdf, second) ? first.pdf : second
}

/** Little text over a picture, or no text and something drawn. */
function isScan(page: PdfPage, characters: PdfCharacters): boolean {
  const chars = charsOf(page)
  if (chars >= MIN_CHARS_PER_PAGE) return false
  const { hasPicture, isBlank } = characters.about(page.number)
  return hasPicture || (chars === 0 && !isBlank)
}

type Reading = { bytes: Buffer; characters: PdfCharacters; ocr: Ocr; tell: Tell }

/** These pages as OCR reads them; those it may not read, or finds nothing on, stay as they are, or empty where that was rubbish. */
async function readScans(
  pdf: PdfText,
  scans: readonly PdfPage[],
  isRubbish: boolean,
  { bytes, characters, ocr, tell }: Reading,
): Promise<PdfText> {
  const readable = scans.slice(0, ocr.left)
  const notes = [...pdf.notes]
  const read = new Map<number, PdfPage>(isRubbish ? scans.map((page) => [page.number, { ...page, lines: [] }]) : [])
  let done = 0
  let failed = 0
  ocr.left -= readable.length
  if (readable.length > 0) ocr.begin(readable.length)
  for (const [i, { number, lines }] of readable.entries()) {
    tell('ocr', 'page', i, readable.length)
    const size = characters.about(number)
    const found = await readByOcr(bytes, size, number, ocr).catch(() => undefined)
    if (!found) failed++
    else if (lettersIn(found) > (isRubbish ? 0 : lettersIn(lines))) {
      done++
      read.set(number, { ...layPage({ number, height: size.height, pieces: found, found: [] }), place: { page: number, ocr: true } })
    }
  }
  if (done > 0) notes.push(`${done} of ${pdf.pages.length} pages were read by OCR: single characters may be wrong`)
  if (failed > 0) notes.push(`OCR failed on ${failed} pages`)
  if (readable.length < scans.length) notes.push(`${scans.length - readable.length} scanned pages were not read: ${ocr.whyNot}`)
  return { ...pdf, notes, pages: pdf.pages.map((page) => read.get(page.number) ?? page) }
}

function whyNot(ocr: Ocr): string {
  return ocr.tessdata ? 'OCR found no text on them' : ocr.whyNot
}

function isBetter(a: PdfText, b: PdfText): boolean {
  const gain = badShare(b) - badShare(a)
  return gain > 0 || (gain === 0 && lengthOf(a) >= lengthOf(b))
}

function charsPerPage(pdf: PdfText): number {
  return lengthOf(pdf) / Math.max(1, pdf.pages.length)
}

type Attempt = { pdf: PdfText } | { error: unknown }

async function attempt(read: () => Promise<PdfText>): Promise<Attempt> {
  try {
    return { pdf: await read() }
  } catch (error) {
    if (error instanceof ExtractFailure && error.code === 'bomb') throw error
    return { error }
  }
}

function build(pdf: PdfText, maxChars: number): Extracted {
  const builder = createBuilder(maxChars)
  for (const note of pdf.notes) builder.note(note)
  const title = addPages(pdf.pages, builder)
  const empty = pdf.pages.filter((page) => page.lines.length === 0).length
  if (empty > 0) builder.note(`${empty} of ${pdf.pages.length} pages hold no text`)
  return builder.build('application/pdf', { title: pdf.title ?? title, pages: pdf.totalPages })
}

function lengthOf(pdf: PdfText): number {
  return pdf.pages.reduce((sum, page) => sum + charsOf(page), 0)
}

function charsOf(page: PdfPage | undefined): number {
  return page ? lettersIn(page.lines) : 0
}

function lettersIn(lines: readonly PdfLine[]): number {
  return lines.reduce((chars, line) => chars + line.text.replace(/\s+/g, '').length, 0)
}

function badShare(pdf: PdfText): number {
  let bad = 0
  for (const page of pdf.pages) for (const line of page.lines) bad += line.text.match(/[\ufffd\ue000-\uf8ff\0-\x08\x0e-\x1f]/g)?.length ?? 0
  return bad / Math.max(1, lengthOf(pdf))
}
