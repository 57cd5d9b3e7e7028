import { AppError } from '@docent/core/errors'
import type OpenAI from 'openai'
import { z } from 'zod'
import type { ChatMessage, ToolCall, ToolSpec } from '../chat-model.ts'

const MAX_CALLS = 16
const MAX_ARGUMENTS = 20_000

const Piece = z.object({
  index: z.number().int().min(0).nullish(),
  id: z.string().nullish(),
  function: z.object({ name: z.string().nullish(), arguments: z.string().nullish() }).nullish(),
})

/** Puts tool calls together from their pieces. Servers that leave `index` out send one call after the other. */
export function createToolCalls(): { push(pieces: unknown): void; take(): ToolCall[] | undefined } {
  const calls = new Map<number, ToolCall>()
  let last = -1
  return {
    push(pieces) {
      if (!Array.isArray(pieces)) return
      for (const raw of pieces) {
        const parsed = Piece.safeParse(raw)
        if (!parsed.success) throw new AppError('upstream_failed', 'The model asked for a tool in a shape that is not understood.')
        const { index, id, function: called } = parsed.data
        last = index ?? (id || last < 0 ? last + 1 : last)
        const call = calls.get(last) ?? { id: '', name: '', arguments: '' }
        calls.set(last, call)
        call.id ||= id ?? ''
        call.name ||= called?.name ?? ''
        call.arguments += called?.arguments ?? ''
        if (calls.size > MAX_CALLS || call.arguments.length > MAX_ARGUMENTS)
          throw new AppError('upstream_failed', 'The model asked for more tools than anything needs.')
      }
    },
    /** All of them, once; undefined when there are none. */
    take() {
      if (calls.size === 0) return undefined
      const all = [...calls].sort(([a], [b]) => a - b).map(([index, call]) => ({ ...call, id: call.id || `call_${index}` }))
      calls.clear()
      return all
    },
  }
}

export function toOpenAiMessage(message: ChatMessage): OpenAI.ChatCompletionMessageParam {
  if (message.role === 'tool') return { role: 'tool', tool_call_id: message.toolCallId, content: message.content }
  const { role, content, toolCalls } = message
  if (role !== 'assistant' || !toolCalls?.length) return { role, content }
  const calls = toolCalls.map(({ id, name, arguments: given }) => ({ id, type: 'function' as const, function: { name, arguments: given } }))
  return { role, content: content || null, tool_calls: calls }
}

export function toOpenAiTool(tool: ToolSpec): OpenAI.ChatCompletionTool {
  return { type: 'function', function: tool }
}
