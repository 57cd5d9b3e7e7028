import { AppError } from '@docent/core/errors'

const MAX_LINE_BYTES = 10 * 1024 * 1024
const LF = 10
const CR = 13
const dataPrefix = Buffer.from('data:')
const deltaMark = '"delta":{'
const contentMark = '"content":"'
// a line with one of these is parsed whole: it says more than a piece of text
const slowMarks = ['"finish_reason":"', '"usage":{', '"error":']
const toolMarks = [...slowMarks, '"tool_calls":[']

/** What one network read held. `active` is true when the model produced anything, reasoning included. */
export type Scanned = {
  text: string
  active: boolean
  finish?: string
  /** pieces of tool calls as they came */
  toolCalls?: unknown[]
  usage?: { inputTokens: number; outputTokens: number }
  done: boolean
  /** the stream is broken from here on; `text` came before it */
  error?: AppError
}

type Payload = {
  error?: unknown
  choices?: {
    delta?: { content?: unknown; reasoning_content?: unknown; reasoning?: unknown; tool_calls?: unknown }
    finish_reason?: unknown
  }[]
  usage?: { prompt_tokens?: number; completion_tokens?: number } | null
}

/**
 * Reads OpenAI-shaped SSE from bytes. Whole lines only are decoded, so UTF-8 may be split anywhere; the usual line is
 * read without JSON.parse, which costs five times as much. An error object ends it. Tool calls are looked for only when tools were offered.
 */
export function createSseScanner(options: { tools?: boolean } = {}): { push(bytes: Uint8Array): Scanned; end(): Scanned } {
  const marks = options.tools ? toolMarks : slowMarks
  let carry: Buffer[] = []
  let carryBytes = 0
  let first = true
  let skipLf = false
  let partial = ''

  function line(bytes: Buffer, into: Scanned): void {
    if (bytes.length === 0) {
      if (partial) throw malformed()
      return
    }
    // comments and the other fields (event, id, retry) carry nothing for us
    if (!bytes.subarray(0, 5).equals(dataPrefix)) return
    const data = bytes.subarray(bytes[5] === 32 ? 6 : 5)
    if (!partial) {
      const text = quickText(data, marks)
      if (text !== undefined) {
        into.text += text
        into.active = true
        return
      }
    }
    const json = partial ? `${partial}\n${data.toString('utf8')}` : data.toString('utf8')
    if (json.trim() === '[DONE]') {
      into.done = true
      return
    }
    if (json.trim() === '') return
    let payload: Payload
    try {
      payload = JSON.parse(json) as Payload
    } catch {
      // SSE lets one event span several data lines; the blank line decides whether it was damaged
      partial = json
      return
    }
    partial = ''
    read(payload, into)
  }

  function cut(chunk: Buffer, into: Scanned): void {
    let from = 0
    while (from < chunk.length) {
      if (skipLf) {
        skipLf = false
        if (chunk[from] === LF) {
          from++
          continue
        }
      }
      let end = chunk.indexOf(LF, from)
      const cr = chunk.subarray(from, end < 0 ? chunk.length : end).indexOf(CR)
      if (cr >= 0) {
        end = from + cr
        skipLf = true
      }
      if (end < 0) {
        carry.push(Buffer.from(chunk.subarray(from)))
        carryBytes += chunk.length - from
        if (carryBytes > MAX_LINE_BYTES) throw new AppError('upstream_failed', 'The model sent a line of more than 10 MB.')
        return
      }
      const rest = chunk.subarray(from, end)
      if (carryBytes > 0) {
        const whole = Buffer.concat([...carry, rest])
        carry = []
        carryBytes = 0
        line(whole, into)
      } else line(rest, into)
      from = end + 1
    }
  }

  function push(bytes: Uint8Array): Scanned {
    const into: Scanned = { text: '', active: false, done: false }
    return guarded(into, () => take(bytes, into))
  }

  function take(bytes: Uint8Array, into: Scanned): void {
    let chunk = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    if (first && chunk.length > 0) {
      if (carryBytes > 0) {
        chunk = Buffer.concat([...carry, chunk])
        carry = []
        carryBytes = 0
      }
      if (chunk[0] === 0xef && chunk.length < 3) {
        carry = [Buffer.from(chunk)]
        carryBytes = chunk.length
        return
      }
      if (chunk[0] === 0xef && chunk[1] === 0xbb && chunk[2] === 0xbf) chunk = chunk.subarray(3)
      first = false
    }
    cut(chunk, into)
  }

  return {
    push,
    end() {
      const into: Scanned = { text: '', active: false, done: false }
      return guarded(into, () => {
        if (carryBytes > 0) line(Buffer.concat(carry), into)
        if (partial) throw malformed()
      })
    },
  }
}

/** What was read before the stream broke is still given out. */
function guarded(into: Scanned, read: () => void): Scanned {
  try {
    read()
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    into.error = error
  }
  return into
}

/** The answer's text of the usual line, or undefined when the line needs a real parse. */
function quickText(data: Buffer, marks: readonly string[]): string | undefined {
  // a character for each byte: places are the same, and searching a string costs less than each call into a buffer
  const line = data.toString('latin1')
  const delta = line.indexOf(deltaMark)
  if (delta < 0) return undefined
  const mark = line.indexOf(contentMark, delta)
  if (mark < 0) return undefined
  const start = mark + contentMark.length
  let end = line.indexOf('"', start)
  let escaped = false
  while (end > 0 && line[end - 1] === '\\') {
    escaped = true
    let slashes = 1
    while (line[end - 1 - slashes] === '\\') slashes++
    if (slashes % 2 === 0) break
    end = line.indexOf('"', end + 1)
  }
  if (end < 0) return undefined
  for (const slow of marks) {
    const at = line.indexOf(slow)
    if (at >= 0 && (at < mark || at >= end)) return undefined
  }
  const text = data.toString('utf8', start, end)
  if (!escaped && !text.includes('\\')) return text
  try {
    return JSON.parse(`"${text}"`) as string
  } catch {
    return undefined
  }
}

function read(payload: Payload, into: Scanned): void {
  if (typeof payload !== 'object' || payload === null) return
  if (payload.error) throw providerError(payload.error)
  const choice = payload.choices?.[0]
  const content = choice?.delta?.content
  if (typeof content === 'string') into.text += content
  if (content || choice?.delta?.reasoning_content || choice?.delta?.reasoning) into.active = true
  if (Array.isArray(choice?.delta?.tool_calls) && choice.delta.tool_calls.length > 0) {
    into.toolCalls = [...(into.toolCalls ?? []), ...(choice.delta.tool_calls as unknown[])]
    into.active = true
  }
  if (typeof choice?.finish_reason === 'string') into.finish = choice.finish_reason
  if (payload.usage) into.usage = { inputTokens: payload.usage.prompt_tokens ?? 0, outputTokens: payload.usage.completion_tokens ?? 0 }
}

function providerError(error: unknown): AppError {
  const code = (error as { code?: unknown; status?: unknown } | null)?.code
  const refused = code === 401 || code === 402 || code === 403 || code === 'invalid_api_key' || code === 'insufficient_quota'
  return new AppError(refused ? 'upstream_unauthorized' : 'upstream_failed', 'The model broke off with an error.', { cause: error })
}

function malformed(): AppError {
  return new AppError('upstream_failed', 'The model sent something that is not JSON.')
}
