import { z } from 'zod'

/** Where a reader of the original finds a text. All counts begin at 1; rows are counted as the program shows them. */
export const Place = z.object({
  page: z.number().int().positive().optional(),
  slide: z.number().int().positive().optional(),
  sheet: z.string().optional(),
  row: z.number().int().positive().optional(),
  /** inclusive; absent where it equals `row` */
  lastRow: z.number().int().positive().optional(),
  chapter: z.string().optional(),
  /** the file inside a mail; one inside another is joined by ` › ` */
  attachment: z.string().optional(),
  /** read from a picture: single characters may be wrong */
  ocr: z.literal(true).optional(),
})
export type Place = z.infer<typeof Place>

/** Where a text stands in its document. Offsets are UTF-16 units into the extracted text, end exclusive. */
export const Locator = Place.extend({
  heading: z.array(z.string()).default([]),
  start: z.number().int().nonnegative(),
  end: z.number().int().nonnegative(),
})
export type Locator = z.infer<typeof Locator>

export const Block = Place.extend({
  kind: z.enum(['heading', 'paragraph', 'list', 'table', 'code']),
  level: z.number().int().positive().optional(),
  text: z.string(),
  heading: z.array(z.string()),
  start: z.number().int().nonnegative(),
  end: z.number().int().nonnegative(),
})
/** What extraction yields; `text` equals the document's text from start to end. */
export type Block = z.infer<typeof Block>

export const Extracted = z.object({
  title: z.string().optional(),
  mediaType: z.string(),
  /** what its bytes were read as, a name of the Encoding Standard; absent where the file is no text */
  charset: z.string().optional(),
  text: z.string(),
  blocks: z.array(Block),
  pages: z.number().int().positive().optional(),
  notes: z.array(z.string()).default([]),
})
export type Extracted = z.infer<typeof Extracted>

export const documentStates = ['queued', 'indexing', 'ready', 'failed', 'skipped', 'removed'] as const
export const DocumentState = z.enum(documentStates)
export type DocumentState = z.infer<typeof DocumentState>

/** What is counted while a document is extracted, where its format has such a thing. */
export const progressUnits = ['page', 'slide', 'sheet', 'chapter', 'attachment', 'chunk'] as const
/**
 * How far a document is that is being indexed: `done` of `total` units are extracted, read from pictures (`ocr`), or have their vectors.
 * Without a unit and with `total` 0 nothing is known yet.
 */
export const Progress = z
  .object({
    stage: z.enum(['extract', 'ocr', 'embed']),
    unit: z.enum(progressUnits).optional(),
    done: z.number().int().nonnegative(),
    total: z.number().int().nonnegative(),
  })
  .meta({ id: 'Progress' })
export type Progress = z.infer<typeof Progress>

/** One file of the folder, as the API shows it. */
export const DocumentView = z
  .object({
    id: z.uuid(),
    path: z.string(),
    collection: z.string(),
    state: DocumentState,
    error: z.object({ code: z.string(), message: z.string() }).optional(),
    mediaType: z.string(),
    size: z.number().int(),
    pages: z.number().int().optional(),
    chunks: z.number().int(),
    progress: Progress.optional(),
    /** its file is not in the folder: it is about to be removed, or that waits for a yes */
    missing: z.literal(true).optional(),
    contentHash: z.string(),
    indexedAt: z.iso.datetime().optional(),
  })
  .meta({ id: 'Document' })
export type DocumentView = z.infer<typeof DocumentView>
