import { promisify } from 'node:util'
import { deflate } from 'node:zlib'
import sharp, { type Sharp } from 'sharp'
import { createBuilder } from '../document-builder.ts'
import { ExtractFailure } from '../failure.ts'
import { MAX_PIXELS, type Ocr, readByOcr } from '../ocr.ts'
import type { Extracted, Tell } from '../types.ts'
import { addPages } from './pdf-blocks.ts'
import type { PdfPage } from './pdf-lines.ts'
import { layPage } from './pdf-page.ts'

const MIN_LETTERS = 4
// A picture says how many dots it has, seldom how large it is: it is taken for a scan of this resolution.
const DPI = 150
const MAX_INPUT_PIXELS = 100_000_000

/** A picture is a page whose text only OCR can read; a TIFF may hold several. */
export async function extractImage(bytes: Buffer, mediaType: string, maxChars: number, ocr: Ocr, tell: Tell): Promise<Extracted> {
  if (ocr.left < 1) throw new ExtractFailure('unsupported', `A picture is read by OCR only, and ${ocr.whyNot}.`)
  const frames = mediaType === 'image/tiff' ? ((await open(bytes).metadata()).pages ?? 1) : 1
  const count = Math.min(frames, ocr.left)
  ocr.left -= count
  ocr.begin(count)
  const pages: PdfPage[] = []
  for (let i = 0; i < count; i++) {
    tell('ocr', 'page', i, count)
    const { pdf, ...size } = await asPdf(bytes, i)
    const place = { ...(frames > 1 ? { page: i + 1 } : {}), ocr: true as const }
    pages.push({ ...layPage({ number: i + 1, height: size.height, pieces: await readByOcr(pdf, size, 1, ocr), found: [] }), place })
  }
  const letters = pages.flatMap(({ lines }) => lines).reduce((sum, { text }) => sum + (text.match(/[\p{L}\p{N}]/gu)?.length ?? 0), 0)
  // Logos and photos lie in every folder: they are left out, not wrong.
  if (letters < MIN_LETTERS) throw new ExtractFailure('unsupported', 'OCR found no text in this picture.')
  const builder = createBuilder(maxChars)
  addPages(pages, builder)
  builder.note('read by OCR: single characters may be wrong')
  if (count < frames) builder.note(`${frames - count} pages were not read: ${ocr.whyNot}`)
  return builder.build(mediaType, frames > 1 ? { pages: frames } : {})
}

function open(bytes: Buffer, page = 0): Sharp {
  sharp.cache(false)
  sharp.concurrency(1)
  return sharp(bytes, { page, limitInputPixels: MAX_INPUT_PIXELS, sequentialRead: true })
}

/** Upright, grey, on white, of at most as many dots as OCR looks at; in a PDF, for liteparse would write any other picture to the disk first. */
async function asPdf(bytes: Buffer, page: number): Promise<{ pdf: Buffer; width: number; height: number }> {
  const { width = 0, height = 0 } = await open(bytes, page).metadata()
  if (width * height > MAX_INPUT_PIXELS)
    throw new ExtractFailure('too_large', 'The picture has more than 100 million dots: make it smaller.')
  const scale = Math.min(1, Math.sqrt(MAX_PIXELS / (width * height)))
  const { data, info } = await open(bytes, page)
    .rotate()
    .flatten({ background: '#fff' })
    .resize({
      width: Math.round(Math.max(width, height) * scale),
      height: Math.round(Math.max(width, height) * scale),
      fit: 'inside',
      withoutEnlargement: true,
    })
    .toColourspace('b-w')
    .raw()
    .toBuffer({ resolveWithObject: true })
  const size = { width: (info.width * 72) / DPI, height: (info.height * 72) / DPI }
  return { pdf: pageOf(await promisify(deflate)(data), info, size), ...size }
}

function pageOf(deflated: Buffer, dots: { width: number; height: number }, { width, height }: { width: number; height: number }): Buffer {
  const content = `q ${width} 0 0 ${height} 0 0 cm /I Do Q`
  const objects = [
    '<< /Type /Catalog /Pages 2 0 R >>',
    '<< /Type /Pages /Kids [3 0 R] /Count 1 >>',
    `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 ${width} ${height}] /Resources << /XObject << /I 5 0 R >> >> /Contents 4 0 R >>`,
    `<< /Length ${content.length} >>\nstream\n${content}\nendstream`,
    `<< /Type /XObject /Subtype /Image /Width ${dots.width} /Height ${dots.height} /ColorSpace /DeviceGray /BitsPerComponent 8 /Filter /FlateDecode /Length ${deflated.length} >>\nstream\n`,
  ]
  // No table of places: PDFium finds the objects itself.
  const head = `%PDF-1.4\n${objects.map((body, i) => `${i + 1} 0 obj\n${body}${i < 4 ? '\nendobj\n' : ''}`).join('')}`
  return Buffer.concat([
    Buffer.from(head, 'latin1'),
    deflated,
    Buffer.from('\nendstream\nendobj\ntrailer\n<< /Root 1 0 R /Size 6 >>\n%%EOF\n'),
  ])
}
