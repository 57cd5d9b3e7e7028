import type { PdfLine } from './formats/pdf-lines.ts'
import { ocrLines } from './ocr-lines.ts'
import { ocrLanguages } from './tessdata.ts'
import type { OcrJob } from './types.ts'

/** One document's reading of pictures: `left` more may be read, `begin` says how many will be, before they are; `whyNot` the others are not. */
export type Ocr = { tessdata: string; left: number; whyNot: string; begin: (pages: number) => void }

/** In points. */
type PageSize = { width: number; height: number }

const POINTS = 72
const DPI = 200
// A4 at 150 dpi; more would need more memory and read hardly better.
export const MAX_PIXELS = 2_200_000
// Below this no letter of an ordinary size is legible.
const MIN_DPI = 50

export function openOcr(job: OcrJob | undefined, begin: (pages: number) => void): Ocr {
  const none = { tessdata: '', left: 0, begin }
  if (!job) return { ...none, whyNot: 'OCR is off: set OCR=auto, or run OCR on it yourself and save the result' }
  if ('whyNot' in job) return { ...none, whyNot: job.whyNot }
  const { tessdata, maxPages } = job
  return { tessdata, left: maxPages, begin, whyNot: `only ${maxPages} pages of a document are read by OCR: raise OCR_MAX_PAGES` }
}

/** Lines of a page of a PDF as Tesseract sees them; none where it sees no text. */
export async function readByOcr(pdf: Buffer, size: PageSize, page: number, ocr: Ocr): Promise<PdfLine[]> {
  const dpi = Math.min(DPI, Math.floor(POINTS * Math.sqrt(MAX_PIXELS / Math.max(1, size.width * size.height))))
  if (dpi < MIN_DPI) return []
  const { LiteParse } = await import('@llamaindex/liteparse')
  const parser = new LiteParse({
    ocrEnabled: true,
    ocrLanguage: ocrLanguages,
    // Without it liteparse would ask the network for the data.
    tessdataPath: ocr.tessdata,
    dpi,
    quiet: true,
    numWorkers: 1,
    extractLinks: false,
    targetPages: String(page),
  })
  const { pages } = await parser.parse(pdf)
  return ocrLines(pages[0]?.textItems ?? [])
}
