import { createHash } from 'node:crypto'
import { redisKeys } from '@docent/core/redis-keys'
import type { Redis } from '@docent/kit/redis'
import type { RetrievalEvents } from '../events.ts'
import { createLru } from './lru.ts'

const HELD = 1_000

/** Vectors of questions asked before, in memory and then in the cache Redis, which replicas share and which outlives a restart. */
export type QuestionVectors = { of(text: string, embed: () => Promise<Float32Array>): Promise<Float32Array> }

/** `model` names the vectors' space. A Redis that is away or holds something else costs an embedding, nothing more; the metric tells. */
export function createQuestionVectors(
  { model, dimension }: { model: string; dimension: number },
  redis: Redis | undefined,
  events: Pick<RetrievalEvents, 'questionVector'>,
): QuestionVectors {
  const held = createLru<Float32Array>(HELD)

  async function find(key: string): Promise<Float32Array | undefined> {
    if (!redis) return undefined
    if (redis.status !== 'ready') throw new Error('the cache is not connected')
    const bytes = await redis.getBuffer(key)
    if (bytes?.length !== dimension * Float32Array.BYTES_PER_ELEMENT) return undefined
    return new Float32Array(new Uint8Array(bytes).buffer)
  }

  function keep(key: string, vector: Float32Array): void {
    if (redis?.status !== 'ready') return
    const bytes = Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength)
    redis.set(key, bytes, 'EX', redisKeys.queryVector.ttlS).catch(() => events.questionVector('cache_down'))
  }

  return {
    async of(text, embed) {
      const known = held.get(text)
      if (known) {
        events.questionVector('memory')
        return known
      }
      const key = redisKeys.queryVector.key(createHash('sha256').update(`${model}\n${dimension}\n${text}`).digest('base64url'))
      const shared = await find(key).catch(() => {
        events.questionVector('cache_down')
        return undefined
      })
      events.questionVector(shared ? 'cache' : 'embedder')
      const vector = shared ?? (await embed())
      held.set(text, vector)
      if (!shared) keep(key, vector)
      return vector
    },
  }
}
