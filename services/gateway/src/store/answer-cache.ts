import { createHash } from 'node:crypto'
import type { Passage } from '@docent/core/passage'
import { redisKeys } from '@docent/core/redis-keys'
import type { Redis } from '@docent/kit/redis'

export type CachedText = { text: string; model: string }
export type AnswerCache = ReturnType<typeof createAnswerCache>

/**
 * A model's text, kept under the question, the configuration and the exact passages it was given with their versions:
 * retrieval always runs, so an answer whose source changed is never found again.
 */
export function createAnswerCache(redis: Redis) {
  return {
    keyOf(parts: {
      question: string
      persona: string
      settingsVersion: number
      models: readonly string[]
      passages: readonly Passage[]
    }): string {
      const question = parts.question.normalize('NFKC').trim().replace(/\s+/g, ' ').toLowerCase()
      const passages = parts.passages.map((passage) => [passage.chunkId, passage.version])
      return createHash('sha256')
        .update(JSON.stringify([question, parts.persona, parts.settingsVersion, parts.models, passages]))
        .digest('base64url')
    },
    async find(hash: string): Promise<CachedText | undefined> {
      if (redis.status !== 'ready') throw new Error('the cache is down')
      const found = await redis.get(redisKeys.answerCache.key(hash))
      return found ? (JSON.parse(found) as CachedText) : undefined
    },
    async drop(hashes: readonly string[]): Promise<void> {
      if (hashes.length > 0 && redis.status === 'ready') await redis.del(hashes.map((hash) => redisKeys.answerCache.key(hash)))
    },
    async keep(hash: string, value: CachedText): Promise<void> {
      if (redis.status === 'ready')
        await redis.set(redisKeys.answerCache.key(hash), JSON.stringify(value), 'EX', redisKeys.answerCache.ttlS)
    },
  }
}
