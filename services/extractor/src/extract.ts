import { decodeText } from './charset.ts'
import { detectFormat, imageTypeOf } from './detect.ts'
import { ExtractFailure } from './failure.ts'
import type { Format } from './formats-by-extension.ts'
import { type Ocr, openOcr } from './ocr.ts'
import type { Extracted, Job, Tell } from './types.ts'

/** Bytes to blocks. Parsers are loaded when first needed: a text file does not pay for PDFium. */
export async function extract(bytes: Buffer, job: Job, ocr: Ocr = openOcr(job.ocr, () => {}), tell: Tell = () => {}): Promise<Extracted> {
  if (bytes.length === 0) throw new ExtractFailure('empty')
  const format = detectFormat(job.path, bytes)
  const maxChars = job.maxOutputBytes
  if (format === 'pdf') return (await import('./formats/pdf.ts')).extractPdf(bytes, maxChars, ocr, tell)
  if (format === 'docx') return (await import('./formats/docx.ts')).extractDocx(bytes, maxChars)
  if (format === 'xlsx') return (await import('./formats/xlsx.ts')).extractXlsx(bytes, maxChars, tell)
  if (format === 'pptx') return (await import('./formats/pptx.ts')).extractPptx(bytes, maxChars, tell)
  if (format === 'odt' || format === 'ods' || format === 'odp')
    return (await import('./formats/odf.ts')).extractOdf(bytes, format, maxChars)
  if (format === 'epub') return (await import('./formats/epub.ts')).extractEpub(bytes, maxChars, tell)
  if (format === 'eml') return (await import('./formats/eml.ts')).extractEml(bytes, job, maxChars, ocr, tell)
  if (format === 'rtf') return (await import('./formats/rtf.ts')).extractRtf(bytes, maxChars)
  if (format === 'image') return (await import('./formats/image.ts')).extractImage(bytes, imageTypeOf(bytes)!, maxChars, ocr, tell)
  if (bytes.length > job.maxOutputBytes)
    throw new ExtractFailure('too_large', 'A text file of this size is too much for one document: split it into parts.')
  const { text, encoding, note } = decodeText(bytes, format === 'html' ? declaredCharset(bytes) : undefined)
  const extracted = { ...(await extractText(format, text, job, maxChars)), charset: encoding }
  if (note) extracted.notes.push(note)
  if (encoding !== 'utf-8' && !note) extracted.notes.push(`read as ${encoding}`)
  return extracted
}

type TextFormat = Extract<Format, 'html' | 'markdown' | 'csv' | 'json' | 'jsonl' | 'code' | 'plain'>

async function extractText(format: TextFormat, text: string, job: Job, maxChars: number): Promise<Extracted> {
  if (format === 'html') return (await import('./formats/html.ts')).extractHtml(text, { maxChars })
  if (format === 'markdown') return (await import('./formats/markdown.ts')).extractMarkdown(text, maxChars)
  if (format === 'csv') return (await import('./formats/csv.ts')).extractCsv(text, maxChars)
  if (format === 'jsonl') return (await import('./formats/jsonl.ts')).extractJsonl(text, maxChars)
  const { extractCode, extractPlain } = await import('./formats/plain.ts')
  // JSON is not parsed: 100,000 brackets deep it is still only text.
  if (format === 'json') return extractCode(text, 'application/json', maxChars)
  if (format === 'code') return extractCode(text, `text/x-${job.path.slice(job.path.lastIndexOf('.') + 1).toLowerCase()}`, maxChars)
  return extractPlain(text, maxChars)
}

function declaredCharset(bytes: Buffer): string | undefined {
  return /charset\s{0,5}=\s{0,5}["']?([\w-]{2,30})/i.exec(bytes.subarray(0, 2048).toString('latin1'))?.[1]
}
