import { createBuilder } from '../document-builder.ts'
import { ExtractFailure } from '../failure.ts'
import type { Extracted } from '../types.ts'
import { addPages } from './pdf-blocks.ts'
import { openCharacters } from './pdf-characters.ts'
import type { PdfPage, PdfText } from './pdf-lines.ts'
import { readWithLiteparse } from './pdf-liteparse.ts'
import { readWithPdfium } from './pdf-pdfium.ts'

const MAX_BAD_SHARE = 0.3
const MIN_CHARS_PER_PAGE = 20

/**
 * Layout by liteparse over PDFium's characters; PDFium's text alone where liteparse does not load, fails, or yields rubbish or hardly any text.
 * Little text over pictures is a scan with a stamp on it: that is no_text too, never a document that seems to be read.
 */
export async function extractPdf(bytes: Buffer, maxChars: number): Promise<Extracted> {
  const characters = await openCharacters(bytes)
  const first = await attempt(() => readWithLiteparse(bytes, characters, maxChars))
  if ('pdf' in first && badShare(first.pdf) <= MAX_BAD_SHARE && charsPerPage(first.pdf) >= MIN_CHARS_PER_PAGE)
    return build(first.pdf, maxChars)
  const second = readWithPdfium(characters, maxChars)
  const best = 'pdf' in first && isBetter(first.pdf, second) ? first.pdf : second
  if (lengthOf(best) === 0) throw new ExtractFailure('no_text')
  if (badShare(best) > MAX_BAD_SHARE)
    throw new ExtractFailure('no_text', 'The fonts of this PDF do not say which characters they show: run OCR on it and save the result.')
  if (charsPerPage(best) < MIN_CHARS_PER_PAGE && second.pictures >= second.pages.length / 2)
    throw new ExtractFailure('no_text', 'The pages are pictures with hardly any text: run OCR on the document and save the result.')
  return build(best, maxChars)
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
  return page?.lines.reduce((chars, line) => chars + line.text.replace(/\s+/g, '').length, 0) ?? 0
}

function badShare(pdf: PdfText): number {
  let bad = 0
  for (const page of pdf.pages) for (const line of page.lines) bad += line.text.match(/[\ufffd\ue000-\uf8ff\0-\x08\x0e-\x1f]/g)?.length ?? 0
  return bad / Math.max(1, lengthOf(pdf))
}
