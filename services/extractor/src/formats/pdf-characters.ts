import { PDFiumLibrary } from '@hyzyla/pdfium'
import { ExtractFailure } from '../failure.ts'

/** One character as PDFium reads it; places in points from the page's top left corner as it is shown. */
export type PdfCharacter = { char: string; left: number; right: number; top: number; bottom: number; bold: boolean; generated: boolean }

export type PdfCharacters = {
  totalPages: number
  /** Lines as PDFium breaks them; undefined when the page cannot be read. Throws `bomb` above `maxChars`. */
  linesOf(page: number, maxChars: number): PdfCharacter[][] | undefined
  /** Size in points, whether a picture is among the page's first objects, and whether it shows nothing at all. */
  about(page: number): { width: number; height: number; hasPicture: boolean; isBlank: boolean }
}

/** The functions of PDFium that the wrapper has but does not show: it gives text without places. */
type Pdfium = {
  HEAPU8: Uint8Array
  wasmExports: { malloc(size: number): number; free(pointer: number): void }
  _FPDF_LoadPage(document: number, index: number): number
  _FPDF_ClosePage(page: number): void
  _FPDF_GetPageWidthF(page: number): number
  _FPDF_GetPageHeightF(page: number): number
  _FPDF_PageToDevice(
    page: number,
    x: number,
    y: number,
    w: number,
    h: number,
    r: number,
    px: number,
    py: number,
    a: number,
    b: number,
  ): number
  _FPDFPage_CountObjects(page: number): number
  _FPDFPage_GetObject(page: number, index: number): number
  _FPDFPageObj_GetType(object: number): number
  _FPDFText_LoadPage(page: number): number
  _FPDFText_ClosePage(text: number): void
  _FPDFText_CountChars(text: number): number
  _FPDFText_GetUnicode(text: number, index: number): number
  _FPDFText_IsGenerated(text: number, index: number): number
  _FPDFText_GetFontWeight(text: number, index: number): number
  _FPDFText_GetLooseCharBox(text: number, index: number, rect: number): number
}

const MAX_OBJECTS_SEEN = 200
const IMAGE_OBJECT = 3

type Box = { left: number; right: number; top: number; bottom: number }

/** PDFium in WASM: knows no font of this machine, so its characters are what the file says and nothing else. */
export async function openCharacters(bytes: Buffer): Promise<PdfCharacters> {
  const library = await PDFiumLibrary.init()
  const document = await library.loadDocument(bytes).catch((error: unknown) => {
    const message = error instanceof Error ? error.message : ''
    throw new ExtractFailure(/password|security/i.test(message) ? 'encrypted' : 'corrupt', undefined, { cause: error })
  })
  const { module, documentIdx } = document as unknown as { module: Pdfium; documentIdx: number }
  return {
    totalPages: document.getPageCount(),
    linesOf(number, maxChars) {
      const page = module._FPDF_LoadPage(documentIdx, number - 1)
      if (!page) return undefined
      const text = module._FPDFText_LoadPage(page)
      try {
        const count = text ? module._FPDFText_CountChars(text) : 0
        if (count > maxChars) throw new ExtractFailure('bomb')
        return count > 0 ? readLines(module, page, text, count) : []
      } finally {
        if (text) module._FPDFText_ClosePage(text)
        module._FPDF_ClosePage(page)
      }
    },
    about(number) {
      const page = module._FPDF_LoadPage(documentIdx, number - 1)
      if (!page) return { width: 0, height: 0, hasPicture: false, isBlank: true }
      const about = {
        width: module._FPDF_GetPageWidthF(page),
        height: module._FPDF_GetPageHeightF(page),
        hasPicture: hasPicture(module, page),
        isBlank: module._FPDFPage_CountObjects(page) === 0,
      }
      module._FPDF_ClosePage(page)
      return about
    },
  }
}

/** A scan is one picture, or a few strips: the first objects tell. */
function hasPicture(pdfium: Pdfium, page: number): boolean {
  const count = Math.min(pdfium._FPDFPage_CountObjects(page), MAX_OBJECTS_SEEN)
  for (let i = 0; i < count; i++) if (pdfium._FPDFPageObj_GetType(pdfium._FPDFPage_GetObject(page, i)) === IMAGE_OBJECT) return true
  return false
}

/** Line breaks are PDFium's own. */
function readLines(pdfium: Pdfium, page: number, text: number, count: number): PdfCharacter[][] {
  const rect = pdfium.wasmExports.malloc(16)
  const place = shownPlaces(pdfium, page, rect)
  const lines: PdfCharacter[][] = []
  let line: PdfCharacter[] | undefined
  for (let i = 0; i < count; i++) {
    const code = pdfium._FPDFText_GetUnicode(text, i)
    if (code === 0x0d || code === 0x0a) {
      line = undefined
      continue
    }
    if (!pdfium._FPDFText_GetLooseCharBox(text, i, rect)) continue
    const [left, top, right, bottom] = new Float32Array(pdfium.HEAPU8.slice(rect, rect + 16).buffer)
    if (!line) {
      line = []
      lines.push(line)
    }
    line.push({
      char: characterOf(code),
      ...place({ left: left!, top: top!, right: right!, bottom: bottom! }),
      bold: pdfium._FPDFText_GetFontWeight(text, i) >= 600,
      generated: pdfium._FPDFText_IsGenerated(text, i) === 1,
    })
  }
  pdfium.wasmExports.free(rect)
  return lines
}

/** PDFium marks a hyphen at a line's end with U+0002 or U+FFFE. */
function characterOf(code: number): string {
  if (code === 0x02 || code === 0xfffe) return '-'
  if (code > 0x10ffff) return '\ufffd'
  return code > 0xffff ? String.fromCodePoint(code) : String.fromCharCode(code)
}

/** From the page's own coordinates to the shown ones, whatever its crop box and rotation: the map is affine, three points give it. */
function shownPlaces(pdfium: Pdfium, page: number, pointer: number): (box: Box) => Box {
  const SCALE = 64
  const width = Math.round(pdfium._FPDF_GetPageWidthF(page) * SCALE)
  const height = Math.round(pdfium._FPDF_GetPageHeightF(page) * SCALE)
  const shown = (x: number, y: number): [number, number] => {
    pdfium._FPDF_PageToDevice(page, 0, 0, width, height, 0, x, y, pointer, pointer + 4)
    const [a, b] = new Int32Array(pdfium.HEAPU8.slice(pointer, pointer + 8).buffer)
    return [a! / SCALE, b! / SCALE]
  }
  const UNIT = 1_000
  const [ox, oy] = shown(0, 0)
  const [xx, xy] = shown(UNIT, 0)
  const [yx, yy] = shown(0, UNIT)
  const map = (x: number, y: number) => [ox + (x * (xx - ox) + y * (yx - ox)) / UNIT, oy + (x * (xy - oy) + y * (yy - oy)) / UNIT] as const
  return ({ left, right, top, bottom }) => {
    const [x1, y1] = map(left, top)
    const [x2, y2] = map(right, bottom)
    return { left: Math.min(x1, x2), right: Math.max(x1, x2), top: Math.min(y1, y2), bottom: Math.max(y1, y2) }
  }
}
