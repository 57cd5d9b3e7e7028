import type { Block, Extracted, Locator, Place, Progress } from '@docent/core/document'

export type { Block, Extracted, Locator, Place, Progress }
export type BlockKind = Block['kind']

/** Says how far the reading of a document is; may be called for each page. */
export type Tell = (stage: 'extract' | 'ocr', unit: NonNullable<Progress['unit']>, done: number, total: number) => void

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
