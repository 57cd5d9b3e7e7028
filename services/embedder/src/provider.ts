import type { Kind } from './events.ts'

/** One source of vectors behind the door: the bundled model or a remote one. */
export type Provider = {
  /** what callers name it; enters the generation */
  model: string
  /** throws when the provider has to be asked and does not answer */
  dimension(signal: AbortSignal): Promise<number>
  embed(kind: Kind, texts: readonly string[], signal: AbortSignal): Promise<{ vectors: Float32Array[]; tokens: number }>
  /** embeds a known text and compares; throws when the answer is not right */
  canary(signal: AbortSignal): Promise<string | undefined>
}
