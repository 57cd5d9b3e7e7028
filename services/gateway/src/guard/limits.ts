import { AppError } from '@docent/core/errors'
import { redisKeys } from '@docent/core/redis-keys'
import type { Redis } from '@docent/kit/redis'
import type { RequestHandler } from 'express'
import { RateLimiterMemory, RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible'

export type RateLimit = { consume(key: string): Promise<RateLimiterRes>; perMinute: number }

/** Questions per minute and address; without the cache Redis each process counts for itself. */
export function createRateLimit(redis: Redis, perMinute: number): RateLimit {
  const limiter = new RateLimiterRedis({
    storeClient: redis,
    points: perMinute,
    duration: 60,
    keyPrefix: redisKeys.limit.prefix,
    rejectIfRedisNotReady: true,
    insuranceLimiter: new RateLimiterMemory({ points: perMinute, duration: 60 }),
  })
  return {
    perMinute,
    consume: (key) =>
      limiter.consume(key).catch((rejected: unknown) => {
        if (rejected instanceof RateLimiterRes) return rejected
        throw rejected
      }),
  }
}

export function refuseWhenOver(state: RateLimiterRes, perMinute: number): void {
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
    const state = await consume(kind === 'anonymous' ? req.address : id)
    const limit = limits?.requestsPerMinute ?? perMinute
    res.set('ratelimit-policy', `${limit};w=60`)
    res.set(
      'ratelimit',
      `limit=${limit}, remaining=${Math.max(0, limit - state.consumedPoints)}, reset=${Math.max(1, Math.ceil(state.msBeforeNext / 1000))}`,
    )
    refuseWhenOver(state, limit)
    next()
  }
}
