import { AppError } from '@docent/core/errors'
import { redisKeys } from '@docent/core/redis-keys'
import type { Redis } from '@docent/kit/redis'
import type { RequestHandler } from 'express'
import { RateLimiterMemory, RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible'

export type Counted = { consumedPoints: number; msBeforeNext: number }
export type RateLimit = { consume(key: string, limit?: number): Promise<Counted>; perMinute: number }

// up to this share of a limit nobody waits for the count; so much more than the limit each further process may let pass within one round trip
const UNCHECKED = 1 / 10
const MOST_KNOWN = 10_000

/**
 * Questions per minute and address; without the cache Redis each process counts for itself. Every question is counted there; one
 * that is far from the limit, by what this process knows of its minute, does not wait for the reply.
 */
export function createRateLimit(redis: Redis, perMinute: number): RateLimit {
  const limiter = new RateLimiterRedis({
    storeClient: redis,
    points: perMinute,
    duration: 60,
    keyPrefix: redisKeys.limit.prefix,
    rejectIfRedisNotReady: true,
    insuranceLimiter: new RateLimiterMemory({ points: perMinute, duration: 60 }),
  })
  const known = new Map<string, { consumed: number; until: number }>()

  async function count(key: string): Promise<Counted> {
    const state = await limiter.consume(key).catch((rejected: unknown) => {
      if (rejected instanceof RateLimiterRes) return rejected
      throw rejected
    })
    const until = performance.now() + state.msBeforeNext
    const before = known.get(key)
    if (known.size > MOST_KNOWN) known.clear()
    // a reply may be older than what was let pass meanwhile
    if (before && before.until > performance.now()) before.consumed = Math.max(before.consumed, state.consumedPoints)
    else known.set(key, { consumed: state.consumedPoints, until })
    return state
  }

  return {
    perMinute,
    async consume(key, limit = perMinute) {
      const here = known.get(key)
      const msBeforeNext = here ? here.until - performance.now() : 0
      if (!here || msBeforeNext <= 0 || here.consumed + 1 > limit * UNCHECKED) return count(key)
      here.consumed++
      // what could not be counted is waited for by the next one, who hears of it
      count(key).catch(() => known.delete(key))
      return { consumedPoints: here.consumed, msBeforeNext }
    },
  }
}

export function refuseWhenOver(state: Counted, perMinute: number): void {
  if (state.consumedPoints <= perMinute) return
  const resetS = Math.max(1, Math.ceil(state.msBeforeNext / 1000))
  throw new AppError('rate_limited', `At most ${perMinute} questions a minute; ask again in ${resetS} s.`, { retryAfterS: resetS })
}

const WRONG_KEYS_PER_MINUTE = 30

/** Counts wrong keys per address: past the limit the answer is 429, so that guessing is slow and costs little. */
export function createWrongKeyCount(redis: Redis): (address: string) => Promise<void> {
  const { consume } = createRateLimit(redis, WRONG_KEYS_PER_MINUTE)
  return async (address) => {
    const state = await consume(`wrong-key:${address}`)
    if (state.consumedPoints <= WRONG_KEYS_PER_MINUTE) return
    throw new AppError('rate_limited', 'Too many wrong keys from this address.', { retryAfterS: state.msBeforeNext / 1000 })
  }
}

export function limitRate({ consume, perMinute }: RateLimit): RequestHandler {
  return async (req, res, next) => {
    if (req.principal.kind === 'admin') return next()
    const { kind, id, limits } = req.principal
    const limit = limits?.requestsPerMinute ?? perMinute
    const state = await consume(kind === 'anonymous' ? req.address : id, limit)
    res.set('ratelimit-policy', `${limit};w=60`)
    res.set(
      'ratelimit',
      `limit=${limit}, remaining=${Math.max(0, limit - state.consumedPoints)}, reset=${Math.max(1, Math.ceil(state.msBeforeNext / 1000))}`,
    )
    refuseWhenOver(state, limit)
    next()
  }
}
