/** code → [status, retryable, public title]. Codes are stable: clients and operators build on them. */
export const errorTable = {
  bad_request: [400, false, 'The request is not understood'],
  invalid_json: [400, false, 'The body is not valid JSON'],
  validation: [400, false, 'The request has invalid fields'],
  unauthorized: [401, false, 'A key is needed'],
  forbidden: [403, false, 'This key may not do that'],
  not_found: [404, false, 'There is nothing here'],
  method_not_allowed: [405, false, 'This address does not know that method'],
  conflict: [409, false, 'The state does not allow that now'],
  already_exists: [409, false, 'There is a file of that name already'],
  generation_incomplete: [409, true, 'The generation is not complete yet'],
  gate_failed: [409, false, 'The golden questions find less with it'],
  gone: [410, false, 'It is no longer kept'],
  precondition_failed: [412, false, 'It was changed in the meantime'],
  payload_too_large: [413, false, 'The body is too large'],
  unsupported_media_type: [415, false, 'This content type is not accepted'],
  idempotency_mismatch: [422, false, 'The Idempotency-Key was used with another body'],
  rate_limited: [429, true, 'Too many requests'],
  budget_exhausted: [429, false, "Today's budget is used up"],
  internal: [500, false, 'Something went wrong inside'],
  upstream_failed: [502, true, 'The model did not answer'],
  upstream_unauthorized: [502, false, "The model's provider refuses the key or the account"],
  overloaded: [503, true, 'More is asked than can be answered now'],
  unavailable: [503, true, 'A part that is needed is down'],
  timeout: [504, true, 'It took too long'],
  // states of documents
  cancelled: [409, false, 'It was cancelled'],
  empty: [422, false, 'The file has no text'],
  too_large: [413, false, 'The file is too large'],
  unreadable: [422, false, 'The file cannot be read'],
  type_mismatch: [422, false, 'The content is not what the name says'],
  unsupported: [422, false, 'The format is not supported'],
  encrypted: [422, false, 'The file is protected by a password'],
  corrupt: [422, false, 'The file is damaged'],
  bomb: [422, false, 'The file unpacks to far more than it is'],
  no_text: [422, false, 'The file holds pictures only'],
  binary: [422, false, 'The file is not text'],
  parser_crash: [422, true, 'The parser crashed on the file'],
  parser_timeout: [422, true, 'The parser took too long'],
  parser_memory: [422, false, 'The parser needed too much memory'],
  worker_crash: [422, false, 'Indexing the file ended the worker'],
  folder_readonly: [409, false, 'The folder cannot be written'],
  embedding_failed: [502, true, 'The embedding model did not answer rightly'],
} as const satisfies Record<string, readonly [number, boolean, string]>

export type ErrorCode = keyof typeof errorTable

export function isErrorCode(code: unknown): code is ErrorCode {
  return typeof code === 'string' && Object.hasOwn(errorTable, code)
}

export type FieldError = { path: string; message: string }

/** A known error: the message says what to do next and is shown to the caller. */
export class AppError extends Error {
  override readonly name = 'AppError'
  readonly code: ErrorCode
  readonly errors: FieldError[] | undefined
  readonly retryAfterS: number | undefined

  constructor(code: ErrorCode, message: string, options: { cause?: unknown; errors?: FieldError[]; retryAfterS?: number } = {}) {
    super(message, { cause: options.cause })
    this.code = code
    this.errors = options.errors
    this.retryAfterS = options.retryAfterS
  }
  get status(): number {
    return errorTable[this.code][0]
  }
  get retryable(): boolean {
    return errorTable[this.code][1]
  }
}

/** Unknown errors say nothing outside; the cause goes to the log. */
export function toAppError(thrown: unknown): AppError {
  if (thrown instanceof AppError) return thrown
  return new AppError('internal', 'An unexpected error; the log has the details under this request id.', { cause: thrown })
}
