import { PDFiumLibrary } from '@hyzyla/pdfium'
import { ExtractFailure } from '../failure.ts'
import { MAX_PAGES, type PdfLine, type PdfPage, type PdfPiece, type PdfText, piecesToLines } from './pdf-lines.ts'

/** The functions of PDFium that the wrapper has but does not show: it gives text without places. */
type Pdfium = {
  HEAPU8: Uint8Array
  wasmExports: { malloc(size: number): number; free(pointer: number): void }
  _FPDF_LoadPage(document: number, index: number): number
  _FPDF_ClosePage(page: number): void
  _FPDF_GetPageHeightF(page: number): number
  _FPDFText_LoadPage(page: number): number
  _FPDFText_ClosePage(text: number): void
  _FPDFText_CountChars(text: number): number
  _FPDFText_GetUnicode(text: number, index: number): number
  _FPDFText_IsGenerated(text: number, index: number): number
  _FPDFText_GetFontWeight(text: number, index: number): number
  _FPDFText_GetLooseCharBox(text: number, index: number, rect: number): number
}

const MAX_FAILED_PAGES = 20

export async function readWithPdfium(bytes: Buffer, maxChars: number): Promise<PdfText> {
  const library = await PDFiumLibrary.init()
  const document = await library.loadDocument(bytes).catch((error: unknown) => {
    const message = error instanceof Error ? error.message : ''
    throw new ExtractFailure(/password|security/i.test(message) ? 'encrypted' : 'corrupt', undefined, { cause: error })
  })
  const { module, documentIdx } = document as unknown as { module: Pdfium; documentIdx: number }
  const totalPages = document.getPageCount()
  const pages: PdfPage[] = []
  const notes: string[] = []
  let failed = 0
  let chars = 0
  for (let i = 0; i < Math.min(totalPages, MAX_PAGES) && failed < MAX_FAILED_PAGES; i++) {
    const lines = pageLines(module, documentIdx, i, maxChars * 2 - chars)
    if (!lines) failed++
    else pages.push({ number: i + 1, lines, tables: [] })
    for (const line of lines ?? []) chars += line.text.length
  }
  if (pages.length === 0) throw new ExtractFailure('corrupt')
  if (failed > 0) notes.push(`${failed} pages could not be read`)
  if (pages.length + failed < totalPages) notes.push(`only the first ${pages.length + failed} of ${totalPages} declared pages were read`)
  return { totalPages: Math.min(totalPages, pages.length + failed), pages, notes }
}

function pageLines(pdfium: Pdfium, document: number, index: number, charsLeft: number): PdfLine[] | undefined {
  const page = pdfium._FPDF_LoadPage(document, index)
  if (!page) return undefined
  const text = pdfium._FPDFText_LoadPage(page)
  try {
    const count = text ? pdfium._FPDFText_CountChars(text) : 0
    if (count > charsLeft) throw new ExtractFailure('bomb')
    return count > 0 ? piecesToLines(pieces(pdfium, text, count, pdfium._FPDF_GetPageHeightF(page))) : []
  } finally {
    if (text) pdfium._FPDFText_ClosePage(text)
    pdfium._FPDF_ClosePage(page)
  }
}

/** Line breaks are PDFium's own; what stands between two of them is one piece. */
function pieces(pdfium: Pdfium, text: number, count: number, pageHeight: number): PdfPiece[] {
  const rect = pdfium.wasmExports.malloc(16)
  const out: PdfPiece[] = []
  let piece: PdfPiece | undefined
  for (let i = 0; i < count; i++) {
    const code = pdfium._FPDFText_GetUnicode(text, i)
    if (code === 0x0d || code === 0x0a) {
      piece = undefined
      continue
    }
    // PDFium marks a hyphen at a line's end with U+0002 or U+FFFE.
    const char =
      code === 0x02 || code === 0xfffe
        ? '-'
        : code > 0x10ffff
          ? '\ufffd'
          : code > 0xffff
            ? String.fromCodePoint(code)
            : String.fromCharCode(code)
    if (!pdfium._FPDFText_GetLooseCharBox(text, i, rect)) continue
    const box = new Float32Array(pdfium.HEAPU8.slice(rect, rect + 16).buffer)
    const [left, top, right, bottom] = [box[0]!, pageHeight - box[1]!, box[2]!, pageHeight - box[3]!]
    if (piece && (pdfium._FPDFText_IsGenerated(text, i) === 1 || char === ' ')) piece.text += char
    else if (piece) {
      piece.text += char
      piece.right = Math.max(piece.right, right)
      piece.size = Math.max(piece.size, bottom - top)
    } else if (char.trim()) {
      piece = { text: char, left, right, top, size: bottom - top, bold: pdfium._FPDFText_GetFontWeight(text, i) >= 600 }
      out.push(piece)
    }
  }
  pdfium.wasmExports.free(rect)
  return out
}
