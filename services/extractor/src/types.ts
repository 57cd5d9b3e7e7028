import type { Block, Extracted, Locator, Place } from '@docent/core/document'

export type { Block, Extracted, Locator, Place }
export type BlockKind = Block['kind']

/** Pages that OCR may read, or why it reads none. */
export type OcrJob = { tessdata: string; maxPages: number } | { whyNot: string }

/** What the child is told about a document; the bytes follow on its standard input. */
export type Job = {
  path: string
  size: number
  maxOutputBytes: number /** how many files this one lies in */
  depth?: number /** absent: OCR is off */
  ocr?: OcrJob
}
