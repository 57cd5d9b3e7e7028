import { AppError } from '@docent/core/errors'
import { createTurns } from '@docent/core/turns'
import type { RemoteEmbedder } from '@docent/models/remote-embedder'
import type { EmbedderEvents, Kind } from '../events.ts'
import type { Provider } from '../provider.ts'

const MAX_PASSAGE_REQUESTS = 4 // at once; questions are not counted and so never wait behind passages
const MAX_WAITING = 64

type Hears = { onUsage: (kind: Kind, seconds: number, tokens: number) => void; onPaced: (seconds: number) => void }

/** A remote model behind the same door: a few passage requests at once, questions straight through. */
export function createRemote(create: (hears: Hears) => RemoteEmbedder, model: string, events: EmbedderEvents): Provider {
  const embedder = create({ onUsage: events.embedded, onPaced: events.paced })
  const inTurn = createTurns(MAX_PASSAGE_REQUESTS, (waiting) => {
    if (waiting >= MAX_WAITING)
      throw new AppError('unavailable', 'Too many requests with passages are waiting already.', { retryAfterS: 5 })
  })

  return {
    model,
    dimension: async (signal) => (await embedder.info(signal)).dimension,
    embed: (kind, texts, signal) =>
      kind === 'query'
        ? embedder.embed(kind, texts, signal)
        : inTurn(() => {
            signal.throwIfAborted()
            return embedder.embed(kind, texts, signal)
          }),
    async canary(signal) {
      const vector = await embedder.query('docent', signal)
      return `${vector.length} dimensions`
    },
  }
}
