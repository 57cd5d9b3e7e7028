export type ChatMessage = { role: 'system' | 'user' | 'assistant'; content: string }

export type ChatRequest = { messages: readonly ChatMessage[]; temperature: number; maxTokens: number }

export type TokenCounts = { inputTokens: number; outputTokens: number }

/** What arrived with one read of the socket: text that belongs to the answer, and what the provider says beside it. */
export type ChatPart = { text: string; usage?: TokenCounts; finish?: string }

/**
 * The port to a language model. The stream ends normally only when the provider said it was complete;
 * anything else throws an AppError (`upstream_failed`, `upstream_unauthorized`, `timeout`). `signal` closes the socket.
 */
export type ChatModel = {
  name: string
  model: string
  stream(request: ChatRequest, signal: AbortSignal): AsyncIterable<ChatPart>
}
