import { createHash } from 'node:crypto'
import { AppError } from '@docent/core/errors'
import type { Embedder } from '../embedder.ts'

export type FakeEmbedder = Embedder & {
  /** every passage that was embedded, in order */
  readonly embedded: readonly string[]
  /** whether it answers; switched off it fails like a service that is down */
  setUp(up: boolean): void
  /** passages end in this error until it is lifted with undefined; `info` still answers, as with a provider that refuses work */
  refuseWith(error: AppError | undefined): void
  /** the same, once so many more passages have been embedded */
  refuseAfter(passages: number, error: AppError): void
  /** a text that holds this cannot be embedded, nor those sent along with it */
  refuseText(part: string | undefined): void
}

/** Deterministic vectors: texts that share words or characters point the same way. It counts what it embeds. */
export function createFakeEmbedder({ model = 'fake-hash', dimension = 64 }: { model?: string; dimension?: number } = {}): FakeEmbedder {
  const embedded: string[] = []
  let isUp = true
  let refusal: AppError | undefined
  let refusalFrom = 0
  let refusedText: string | undefined
  const answer = <T>(make: () => T): Promise<T> =>
    isUp ? new Promise((done) => done(make())) : Promise.reject(new AppError('unavailable', 'The fake embedder is switched off.'))
  return {
    embedded,
    setUp: (up) => {
      isUp = up
    },
    refuseWith: (error) => {
      refusal = error
      refusalFrom = 0
    },
    refuseAfter: (passages, error) => {
      refusal = error
      refusalFrom = embedded.length + passages
    },
    refuseText: (part) => {
      refusedText = part
    },
    info: () => answer(() => ({ model, dimension })),
    query: (text) => answer(() => hashVector(text, dimension)),
    passages: (texts, _signal, used) =>
      answer(() => {
        if (refusal && embedded.length >= refusalFrom) throw refusal
        if (refusedText !== undefined && texts.some((text) => text.includes(refusedText!)))
          throw new AppError('embedding_failed', 'The fake embedder cannot read this text.')
        embedded.push(...texts)
        used?.(texts.reduce((sum, text) => sum + text.split(/\s+/).length, 0))
        return texts.map((text) => hashVector(text, dimension))
      }),
  }
}

function hashVector(text: string, dimension: number): Float32Array {
  const vector = new Float32Array(dimension)
  for (const [token] of text.toLowerCase().matchAll(/\p{Script=Han}|[\p{L}\p{N}]+/gu)) {
    const digest = createHash('sha256').update(token).digest()
    for (let i = 0; i < 4; i++) vector[digest[i]! % dimension]! += digest[i + 4]! > 127 ? 1 : -1
  }
  vector[0]! += 0.01 // a text without a word is not a vector of zeros
  const length = Math.hypot(...vector)
  return vector.map((value) => value / length)
}
