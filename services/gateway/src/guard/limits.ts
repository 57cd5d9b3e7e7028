import { AppError } from '@docent/core/errors'
import { redisKeys } from '@docent/core/redis-keys'
import type { Redis } from '@docent/kit/redis'
import type { RequestHandler } from 'express'
import { RateLimiterMemory, RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible'

export type Counted = { consumedPoints: number; msBeforeNext: number }
export type RateLimit = { consume(key: string, limit?: number): Promise<Counted>; perMinute: number }

// this share of what is left of a limit is counted along with a question: the next ones take their places from it and wait for nobody;
// what is held unused stays little however many processes there are
const AHEAD = 1 / 10
const MOST_AHEAD = 10
const MOST_HELD = 10_000

/** Places of one minute that this process has counted and not given away yet, and how far the count of all was then. */
type Held = { places: number; counted: number; until: number }

/**
 * Questions per minute and address, exact over all processes: each place is counted in the cache Redis before it is given, by one process
 * alone. What one holds and is not asked for the others do not give. Without that Redis each process counts for itself.
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
  const held = new Map<string, Held>()

  async function count(key: string, limit: number): Promise<Held> {
    const sentAt = performance.now()
    const known = holding(key)
    const ahead = known ? Math.min(MOST_AHEAD, Math.floor(Math.max(0, limit - known.counted) * AHEAD)) : 0
    const { consumedPoints, msBeforeNext } = await limiter.consume(key, 1 + ahead).catch((rejected: unknown) => {
      if (rejected instanceof RateLimiterRes) return rejected
      throw rejected
    })
    // from when it was sent: the minute ends here no later than there
    const mine = holding(key) ?? { places: 0, counted: 0, until: sentAt + msBeforeNext }
    const before = consumedPoints - ahead - 1
    mine.places += Math.max(0, Math.min(consumedPoints, limit) - before)
    mine.counted = Math.max(mine.counted, consumedPoints)
    held.delete(key)
    held.set(key, mine)
    if (held.size > MOST_HELD) held.delete(held.keys().next().value!)
    return mine
  }

  function holding(key: string): Held | undefined {
    const mine = held.get(key)
    return mine && mine.until > performance.now() ? mine : undefined
  }

  return {
    perMinute,
    async consume(key, limit = perMinute) {
      let mine = holding(key)
      if (!mine || (mine.places === 0 && mine.counted < limit)) mine = await count(key, limit)
      const msBeforeNext = Math.max(0, mine.until - performance.now())
      if (mine.places === 0) return { consumedPoints: Math.max(limit + 1, mine.counted), msBeforeNext }
      mine.places--
      return { consumedPoints: Math.min(limit, mine.counted) - mine.places, msBeforeNext }
    },
  }
}

export function refuseWhenOver(state: Counted, perMinute: number, what = 'questions'): void {
  if (state.consumedPoints <= perMinute) return
  const resetS = Math.max(1, Math.ceil(state.msBeforeNext / 1000))
  throw new AppError('rate_limited', `At most ${perMinute} ${what} a minute; try again in ${resetS} s.`, { retryAfterS: resetS })
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

/** What is kept for good without a question: as many a minute as questions, in a count of their own, so that who rates may ask all the same. */
export function limitKept({ consume, perMinute }: RateLimit): RequestHandler {
  return async (req, _res, next) => {
    const { kind, id, limits } = req.principal
    if (kind === 'admin') return next()
    const most = limits?.requestsPerMinute ?? perMinute
    refuseWhenOver(await consume(`kept:${kind === 'anonymous' ? req.address : id}`, most), most, 'changes')
    next()
  }
}

/** Uploads by a key that has a limit of them. */
export function limitUploads({ consume }: Pick<RateLimit, 'consume'>): RequestHandler {
  return async (req, _res, next) => {
    const { id, limits } = req.principal
    const most = limits?.uploadsPerMinute
    if (most !== undefined) refuseWhenOver(await consume(`upload:${id}`, most), most, 'uploads')
    next()
  }
}
