import { AppError } from '@docent/core/errors'

const MAX_LINE_BYTES = 10 * 1024 * 1024
const LF = 10
const SPACE = 32
const QUOTE = 34
const BACKSLASH = 92
const NOWHERE = Number.POSITIVE_INFINITY
const dataPrefix = 'data:'
// without the quote before them: a search stops at each character that a mark begins with
const deltaMark = 'delta":{'
const contentMark = 'content":"'
// a line with one of these is parsed whole: it says more than a piece of text
const slowMarks = ['finish_reason":"', 'usage":{', 'error":', 'index":1']
const toolMarks = [...slowMarks, 'tool_calls":[']

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
  object?: unknown
  choices?: {
    index?: unknown
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

  function line(chunk: Chunk, from: number, end: number, into: Scanned): void {
    if (into.done) return // nothing behind [DONE] is the answer
    if (from === end) {
      if (partial) throw malformed()
      return
    }
    // comments and the other fields (event, id, retry) carry nothing for us
    if (!chunk.chars.startsWith(dataPrefix, from)) return
    const start = from + (chunk.chars.charCodeAt(from + 5) === SPACE ? 6 : 5)
    if (!partial) {
      const text = quickText(chunk, start, end, marks)
      if (text !== undefined) {
        into.text += text
        into.active = true
        return
      }
    }
    const data = chunk.bytes.toString('utf8', start, end)
    const json = partial ? `${partial}\n${data}` : data
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

  function cut(bytes: Buffer, into: Scanned): void {
    const chunk = chunkOf(bytes)
    const { chars } = chunk
    let from = 0
    while (from < chars.length) {
      if (skipLf) {
        skipLf = false
        if (chars.charCodeAt(from) === LF) {
          from++
          continue
        }
      }
      const cr = chunk.find('\r', from)
      let end = chunk.find('\n', from)
      if (cr < end) {
        end = cr
        skipLf = true
      }
      if (end === NOWHERE) {
        carry.push(Buffer.from(bytes.subarray(from)))
        carryBytes += bytes.length - from
        if (carryBytes > MAX_LINE_BYTES) throw new AppError('upstream_failed', 'The model sent a line of more than 10 MB.')
        return
      }
      if (carryBytes > 0) {
        const whole = Buffer.concat([...carry, bytes.subarray(from, end)])
        carry = []
        carryBytes = 0
        line(chunkOf(whole), 0, whole.length, into)
      } else line(chunk, from, end, into)
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
        if (carryBytes > 0) line(chunkOf(Buffer.concat(carry)), 0, carryBytes, into)
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

type Chunk = { bytes: Buffer; chars: string; find(mark: string, from: number): number }

/**
 * Bytes to look for marks in. `chars` has a character for each byte, so places are the same, and searching a string costs less than
 * each call into a buffer. `find` goes over them once for each mark, as long as its places are asked for in order.
 */
function chunkOf(bytes: Buffer): Chunk {
  const chars = bytes.toString('latin1')
  const places: Record<string, number> = {}
  return {
    bytes,
    chars,
    find(mark, from) {
      const known = places[mark]
      if (known !== undefined && known >= from) return known
      const at = chars.indexOf(mark, from)
      places[mark] = at < 0 ? NOWHERE : at
      return places[mark]
    },
  }
}

/** The answer's text of the usual line, or undefined when the line needs a real parse. */
function quickText(chunk: Chunk, from: number, to: number, marks: readonly string[]): string | undefined {
  const { bytes, chars, find } = chunk
  const delta = findName(chunk, deltaMark, from, to)
  if (delta >= to) return undefined
  const mark = findName(chunk, contentMark, delta, to)
  const start = mark + contentMark.length
  if (start >= to) return undefined
  let end = chars.indexOf('"', start)
  let escaped = false
  while (end > 0 && chars.charCodeAt(end - 1) === BACKSLASH) {
    escaped = true
    let slashes = 1
    while (chars.charCodeAt(end - 1 - slashes) === BACKSLASH) slashes++
    if (slashes % 2 === 0) break
    end = chars.indexOf('"', end + 1)
  }
  if (end < 0 || end >= to) return undefined
  // in the text itself their quotes would be escaped
  for (const slow of marks) if (find(slow, from) < to) return undefined
  const text = bytes.toString('utf8', start, end)
  if (!escaped && !text.includes('\\')) return text
  try {
    return JSON.parse(`"${text}"`) as string
  } catch {
    return undefined
  }
}

/** Where a whole name begins with this mark: `content`, not the end of `reasoning_content`. */
function findName({ chars, find }: Chunk, mark: string, from: number, to: number): number {
  let at = find(mark, from)
  while (at < to && chars.charCodeAt(at - 1) !== QUOTE) at = find(mark, at + 1)
  return at
}

function read(payload: Payload, into: Scanned): void {
  if (typeof payload !== 'object' || payload === null) return
  if (payload.error || payload.object === 'error') throw providerError(payload.error ?? payload)
  // one choice was asked for: what a server says in a second one is another answer
  const choice = payload.choices?.find((each) => !each.index)
  const content = choice?.delta?.content
  into.text += textOf(content) ?? ''
  if (content || choice?.delta?.reasoning_content || choice?.delta?.reasoning) into.active = true
  if (Array.isArray(choice?.delta?.tool_calls) && choice.delta.tool_calls.length > 0) {
    into.toolCalls = [...(into.toolCalls ?? []), ...(choice.delta.tool_calls as unknown[])]
    into.active = true
  }
  if (choice?.finish_reason === 'error') throw providerError(choice)
  if (typeof choice?.finish_reason === 'string') into.finish = choice.finish_reason
  if (payload.usage) into.usage = { inputTokens: payload.usage.prompt_tokens ?? 0, outputTokens: payload.usage.completion_tokens ?? 0 }
}

/** Some models say their text in parts, reasoning among them. Undefined where there is none. */
export function textOf(content: unknown): string | undefined {
  if (typeof content === 'string') return content
  if (!Array.isArray(content)) return undefined
  return (content as { type?: unknown; text?: unknown }[])
    .map((part) => (part?.type === 'text' && typeof part.text === 'string' ? part.text : ''))
    .join('')
}

function providerError(error: unknown): AppError {
  const code = (error as { code?: unknown; status?: unknown } | null)?.code
  const refused = code === 401 || code === 402 || code === 403 || code === 'invalid_api_key' || code === 'insufficient_quota'
  return new AppError(refused ? 'upstream_unauthorized' : 'upstream_failed', 'The model broke off with an error.', { cause: error })
}

function malformed(): AppError {
  return new AppError('upstream_failed', 'The model sent something that is not JSON.')
}
