import { errorTable } from '@docent/core/errors'

const details = {
  empty: 'The file holds no text: put content into it, or remove it.',
  too_large: 'The file is larger than the limit: split it, or raise MAX_FILE_MB.',
  unreadable: 'The file cannot be read: make it readable for the extractor, e.g. chmod a+r FILE.',
  type_mismatch: 'The content is not what the extension says: give the file its true extension, or export it again.',
  unsupported: 'This format is not supported: convert it to PDF, DOCX, XLSX, PPTX, HTML, Markdown, TXT or CSV.',
  encrypted: 'The document is protected by a password: save a copy without protection.',
  corrupt: 'The document is damaged: open it in its program and save it again.',
  bomb: 'The document unpacks to far more than its size allows: save it again without embedded objects, or split it.',
  no_text: 'The pages hold no text.',
  parser_crash: 'The parser ended unexpectedly on this document: try again, then save it in another format.',
  parser_timeout: 'Parsing took too long: split the document, or raise EXTRACT_TIMEOUT_S.',
  parser_memory: 'Parsing needed too much memory: split the document, or raise EXTRACT_MEMORY_MB.',
  binary: 'The file is binary, not text: remove it, or convert it to a supported format.',
  gone: 'There is no such file in the folder any more: nothing to do, the next scan drops it.',
  bad_request: 'Send POST /extract with JSON {"path": "relative/path"}.',
} as const satisfies Partial<Record<keyof typeof errorTable, string>>

export type FailureCode = keyof typeof details

/** An expected way for an extraction to end; `detail` says what to do next. */
export class ExtractFailure extends Error {
  readonly code: FailureCode
  readonly detail: string
  readonly status: number

  constructor(code: FailureCode, detail?: string, options?: ErrorOptions) {
    super(detail ?? details[code], options)
    this.name = 'ExtractFailure'
    this.code = code
    this.detail = this.message
    this.status = errorTable[code][0]
  }
}

export function isFailureCode(code: string): code is FailureCode {
  return Object.hasOwn(details, code)
}
