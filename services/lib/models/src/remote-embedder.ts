import type { Embedder } from './embedder.ts'
import { createPace, guessTokens, type PaceLimits } from './pace.ts'
import { type Patience, passagePatience, queryPatience, withBackOff } from './upstream.ts'
import { readVectors } from './vectors.ts'

export type RemoteEmbedderOptions = {
  model: string
  apiKey?: string
  /** what the model wants in front of a question or a passage */
  queryPrefix?: string
  passagePrefix?: string
  batch?: number
  timeoutMs?: number
  /** of the provider; passages keep within them, questions are counted and do not wait */
  limits?: PaceLimits
  patience?: { query: Patience; passage: Patience }
  /** hears of each request that succeeded */
  onUsage?: (kind: 'query' | 'passage', seconds: number, tokens: number) => void
  /** hears how long a request waited for `limits` */
  onPaced?: (seconds: number) => void
}

/** The port, and beside it what each request cost. */
export type RemoteEmbedder = Embedder & {
  embed(kind: 'query' | 'passage', texts: readonly string[], signal: AbortSignal): Promise<{ vectors: Float32Array[]; tokens: number }>
}

export type SentVectors = { vectors: readonly (readonly unknown[])[]; tokens: number }

/** What all remote models share: prefixes, batches, back-off, shape checks. `send` makes one request and throws AppErrors. */
export function createRemoteEmbedder(
  send: (texts: readonly string[], signal: AbortSignal) => Promise<SentVectors>,
  {
    model,
    queryPrefix = '',
    passagePrefix = '',
    batch = 32,
    patience = { query: queryPatience, passage: passagePatience },
    limits = {},
    onUsage,
    onPaced,
  }: RemoteEmbedderOptions,
): RemoteEmbedder {
  const prefix = { query: queryPrefix, passage: passagePrefix }
  const pace = createPace(limits)
  let dimension: number | undefined

  async function request(
    kind: 'query' | 'passage',
    texts: readonly string[],
    signal: AbortSignal,
  ): Promise<{ vectors: Float32Array[]; tokens: number }> {
    const guessed = guessTokens(texts)
    if (kind === 'query') pace.book({ requests: 1, tokens: guessed })
    else {
      const waitedMs = await pace.enter(guessed, signal)
      if (waitedMs > 0) onPaced?.(waitedMs / 1000)
    }
    const started = performance.now()
    const { vectors, tokens } = await send(
      texts.map((text) => prefix[kind] + text),
      signal,
    )
    if (tokens > guessed) pace.book({ tokens: tokens - guessed })
    const read = readVectors(vectors, { count: texts.length, dimension })
    dimension ??= read[0]?.length
    onUsage?.(kind, (performance.now() - started) / 1000, tokens)
    return { vectors: read, tokens }
  }

  async function embed(
    kind: 'query' | 'passage',
    texts: readonly string[],
    signal: AbortSignal,
  ): Promise<{ vectors: Float32Array[]; tokens: number }> {
    const all: Float32Array[] = []
    let total = 0
    for (let from = 0; from < texts.length; from += batch) {
      const { vectors, tokens } = await withBackOff(() => request(kind, texts.slice(from, from + batch), signal), patience[kind], signal)
      all.push(...vectors)
      total += tokens
    }
    return { vectors: all, tokens: total }
  }

  return {
    embed,
    async info(signal = new AbortController().signal) {
      if (dimension === undefined) await embed('query', ['docent'], signal)
      return { model, dimension: dimension! }
    },
    async query(text, signal) {
      return (await embed('query', [text], signal)).vectors[0]!
    },
    async passages(texts, signal) {
      return (await embed('passage', texts, signal)).vectors
    },
  }
}
