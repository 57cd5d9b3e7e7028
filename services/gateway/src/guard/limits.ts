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

export function limitRate({ consume, perMinute }: RateLimit): RequestHandler {
  return async (req, res, next) => {
    if (req.principal.kind === 'admin') return next()
    const state = await consume(req.principal.kind === 'key' ? req.principal.id : req.address)
    res.set('ratelimit-policy', `${perMinute};w=60`)
    res.set(
      'ratelimit',
      `limit=${perMinute}, remaining=${Math.max(0, state.remainingPoints)}, reset=${Math.max(1, Math.ceil(state.msBeforeNext / 1000))}`,
    )
    refuseWhenOver(state, perMinute)
    next()
  }
}
