import { AppError } from '@docent/core/errors'
import type { ChatModel, ChatPart, ChatRequest, Hear, ToolCall } from '../chat-model.ts'
import { createDoor } from './chat-door.ts'
import { createOpening } from './opening.ts'
import { createSseScanner, type Scanned, textOf } from './sse-scan.ts'
import { createToolCalls, toOpenAiMessage, toOpenAiTool } from './tool-calls.ts'

export type OpenAiChatOptions = {
  name: string
  baseUrl: string
  apiKey: string
  model: string
  firstTokenMs?: number
  silenceMs?: number
  /** the most that an answer may take, however alive it looks: reasoning may have no end */
  answerMs?: number
  /** in place of the global one */
  fetch?: typeof fetch
}

// made once: an abort without a reason makes a DOMException with its stack
const LEFT = new Error('left')
const ANSWER_MS = 605_000 // who asks cuts a text after ten minutes, and calls that its length
const AFTER_FINISH_MS = 2_000 // usage and [DONE] follow at once or never

/** Any server that speaks OpenAI's chat completions. The client makes the request; the body is read by our byte scanner. */
export function openAiChatModel(options: OpenAiChatOptions): ChatModel {
  const { name, model, firstTokenMs = 20_000, silenceMs = 30_000, answerMs = ANSWER_MS } = options
  const post = createDoor(options)

  /** The body of the answer, or all of it where a server ignores `stream: true`. Nothing else of the response is kept while it lasts. */
  async function open(request: ChatRequest, signal: AbortSignal): Promise<Bytes | ChatPart> {
    const isOffered = Boolean(request.tools?.length)
    const response = await post(
      {
        model,
        messages: request.messages.map(toOpenAiMessage),
        temperature: request.temperature,
        max_tokens: request.maxTokens,
        stream: true,
        stream_options: { include_usage: true },
        ...(isOffered ? { tools: request.tools!.map(toOpenAiTool), tool_choice: request.toolChoice ?? 'auto' } : {}),
      },
      signal,
    )
    if (!response.body) throw new AppError('upstream_failed', 'The model answered without a body.')
    if (response.headers.get('content-type')?.includes('application/json')) return whole(await response.json(), isOffered)
    return response.body
  }

  async function stream(request: ChatRequest, signal: AbortSignal, hear: Hear): Promise<void> {
    const own = new AbortController()
    const forward = () => own.abort(signal.reason)
    if (signal.aborted) forward()
    signal.addEventListener('abort', forward, { once: true })
    const watch = createWatch(own, Math.min(firstTokenMs, request.firstTokenMs ?? firstTokenMs), answerMs)
    const isOffered = Boolean(request.tools?.length) // a call of what was not offered says nothing
    let said = false
    try {
      const opened = await open(request, own.signal)
      if ('text' in opened) {
        hear(opened)
        return
      }
      const calls = isOffered ? createToolCalls() : undefined
      const scanner = createSseScanner({ tools: isOffered })
      const opening = createOpening()
      let complete = false
      let finished = false
      // whether more is wanted
      const tell = (part: Scanned): boolean => {
        if (part.active) watch.set(silenceMs)
        if (part.finish && !finished) {
          finished = true
          watch.set(AFTER_FINISH_MS)
        }
        complete ||= part.done || part.finish !== undefined
        part.text = opening.push(part.text)
        if (complete) part.text += opening.end()
        calls?.push(part.toolCalls)
        const toolCalls = complete ? calls?.take() : undefined
        const isMore = part.usage || part.finish || toolCalls
        const isEnough = (part.text || isMore) && !hear(isMore ? partOf(part, toolCalls) : { text: part.text })
        if (part.error) throw part.error
        said ||= part.done
        return !isEnough && !part.done
      }
      try {
        if (!(await eachPart(opened, (bytes) => tell(scanner.push(bytes))))) return
        said = true
        tell(scanner.end())
      } catch (error) {
        // a server that keeps the socket open after its finish_reason has said all it had to say
        if (!(finished && watch.expired())) throw error
      }
      if (!complete) throw new AppError('upstream_failed', 'The model broke off before its answer was complete.')
    } catch (error) {
      if (signal.aborted) throw signal.reason
      if (watch.expired()) throw new AppError('timeout', 'The model was silent for too long.', { cause: error })
      if (error instanceof AppError) throw error
      throw new AppError('upstream_failed', 'The connection to the model was lost.', { cause: error })
    } finally {
      watch.clear()
      signal.removeEventListener('abort', forward)
      // after the last word the connection may serve again
      if (!said) own.abort(LEFT)
    }
  }

  return { name, model, stream }
}

type Bytes = AsyncIterable<Uint8Array> & { each?(hear: (bytes: Uint8Array) => boolean): Promise<boolean> }

/** Reads until `hear` has enough; true when it heard all. A body that tells its bytes itself spares the promises of an iteration. */
function eachPart(body: Bytes, hear: (bytes: Uint8Array) => boolean): Promise<boolean> {
  return body.each ? body.each(hear) : iterate(body, hear)
}

async function iterate(body: Bytes, hear: (bytes: Uint8Array) => boolean): Promise<boolean> {
  for await (const bytes of body) if (!hear(bytes)) return false
  return true
}

/** One deadline that moves with each sign of life, as far as `mostMs`. */
function createWatch(controller: AbortController, firstMs: number, mostMs: number) {
  let limitMs = firstMs
  let last = performance.now()
  const over = last + mostMs
  let expired = false
  let timer: NodeJS.Timeout
  const arm = (ms: number) => {
    timer = setTimeout(check, ms)
  }
  // moving a number is cheaper than moving a timer for each read
  const check = () => {
    const left = Math.min(last + limitMs, over) - performance.now()
    if (left > 1) return arm(left)
    expired = true
    controller.abort(new Error('silence'))
  }
  arm(Math.min(firstMs, mostMs))
  return {
    set(ms: number) {
      last = performance.now()
      if (ms < limitMs) {
        clearTimeout(timer)
        arm(Math.min(ms, over - last))
      }
      limitMs = ms
    },
    expired: () => expired,
    clear: () => clearTimeout(timer),
  }
}

function partOf({ text, usage, finish }: Scanned, toolCalls: ToolCall[] | undefined): ChatPart {
  return { text, ...(usage ? { usage } : {}), ...(finish ? { finish } : {}), ...(toolCalls ? { toolCalls } : {}) }
}

/** Servers that ignore `stream: true` answer in one piece. */
function whole(body: unknown, isOffered: boolean): ChatPart {
  const answer = body as {
    choices?: { message?: { content?: unknown; tool_calls?: unknown[] }; finish_reason?: unknown }[]
    usage?: { prompt_tokens?: number; completion_tokens?: number }
    error?: unknown
  }
  const choice = answer.choices?.[0]
  const message = choice?.message
  const calls = createToolCalls()
  if (isOffered) calls.push(message?.tool_calls)
  const toolCalls = calls.take()
  const text = textOf(message?.content) ?? (toolCalls ? '' : undefined)
  if (text === undefined || choice?.finish_reason === 'error')
    throw new AppError('upstream_failed', 'The model answered in a shape that is not understood.', { cause: answer.error })
  const opening = createOpening()
  return {
    text: opening.push(text) + opening.end(),
    finish: toolCalls ? 'tool_calls' : typeof choice?.finish_reason === 'string' ? choice.finish_reason : 'stop',
    ...(toolCalls ? { toolCalls } : {}),
    ...(answer.usage ? { usage: { inputTokens: answer.usage.prompt_tokens ?? 0, outputTokens: answer.usage.completion_tokens ?? 0 } } : {}),
  }
}
