/** A function the model may ask for; `parameters` is a JSON Schema. */
export type ToolSpec = { name: string; description: string; parameters: Record<string, unknown> }
/** `arguments` as the model wrote them: meant to be JSON. */
export type ToolCall = { id: string; name: string; arguments: string }

export type ChatMessage =
  | { role: 'system' | 'user' | 'assistant'; content: string; toolCalls?: readonly ToolCall[] }
  | { role: 'tool'; content: string; toolCallId: string }

export type ChatRequest = {
  messages: readonly ChatMessage[]
  temperature: number
  maxTokens: number
  /** offered to the model; with `toolChoice: 'none'` it must answer all the same */
  tools?: readonly ToolSpec[] | undefined
  toolChoice?: 'auto' | 'none'
  /** what is left of the provider's time to its first word; its own limit when absent */
  firstTokenMs?: number
}

export type TokenCounts = { inputTokens: number; outputTokens: number }

/** What arrived with one read of the socket: text that belongs to the answer, and what the provider says beside it. `toolCalls` are all of them, told once, when complete. */
export type ChatPart = { text: string; usage?: TokenCounts; finish?: string; toolCalls?: ToolCall[] }

/** Told each part as it arrives; `false` means that it has enough, which ends the stream there. */
export type Hear = (part: ChatPart) => boolean

/**
 * The port to a language model. The stream ends normally only when the provider said it was complete;
 * anything else throws an AppError: `unavailable` (no answer, or 5xx) and `rate_limited` may pass, `upstream_unauthorized` (401 to 403),
 * `bad_request` (our request is refused), `timeout` and `upstream_failed` (broken off) will not. `signal` closes the socket, as does what `hear` throws.
 */
export type ChatModel = {
  name: string
  model: string
  stream(request: ChatRequest, signal: AbortSignal, hear: Hear): Promise<void>
}
