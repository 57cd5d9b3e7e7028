import { redisKeys } from '@docent/core/redis-keys'
import type { Redis } from '@docent/kit/redis'
import { RateLimiterMemory, RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible'

/** What a provider's account allows; absent is no limit. Tokens are those of prompts and answers together. */
export type ProviderLimits = {
  requestsPerMinute?: number | undefined
  tokensPerMinute?: number | undefined
  requestsAtOnce?: number | undefined
}
export type LimitName = keyof ProviderLimits
export type LimitsView = { [name in LimitName]?: { most: number; used: number } }
export type Leave = {
  /** One request more for the same prompt; false: its minute has no room for it. */
  again(): Promise<boolean>
  /** Books what was used in place of what was guessed, and lets the next one in. */
  end(usedTokens: number): Promise<void>
}
export type ProviderGate = {
  /** Room for a request whose prompt has so many tokens; the name of the limit where there is none. */
  enter(promptTokens: number): Promise<Leave | LimitName>
  view(): Promise<LimitsView>
}

/**
 * Undefined without limits. Requests and tokens of a minute are counted in the cache Redis, for all processes together (without it, in each for itself); a minute
 * begins with the first request counted. Requests at once are counted in this process alone. Nobody waits here.
 */
export function createProviderGate(redis: Redis, name: string, limits: ProviderLimits): ProviderGate | undefined {
  const { requestsPerMinute, tokensPerMinute, requestsAtOnce } = limits
  if (!requestsPerMinute && !tokensPerMinute && !requestsAtOnce) return undefined
  const requests = requestsPerMinute ? countOf(redis, `provider-requests:${name}`, requestsPerMinute) : undefined
  const tokens = tokensPerMinute ? countOf(redis, `provider-tokens:${name}`, tokensPerMinute) : undefined
  let atOnce = 0

  async function enter(promptTokens: number): Promise<Leave | LimitName> {
    if (requestsAtOnce && atOnce >= requestsAtOnce) return 'requestsAtOnce'
    atOnce++
    let isIn = false
    try {
      const guessed = await tokens?.take(promptTokens)
      if (guessed && !guessed.fits) return 'tokensPerMinute'
      if (requests && !(await requests.take(1)).fits) {
        await guessed?.change(-promptTokens)
        return 'requestsPerMinute'
      }
      isIn = true
      return {
        again: async () => !requests || (await requests.take(1)).fits,
        async end(usedTokens) {
          atOnce--
          await guessed?.change(usedTokens - promptTokens)
        },
      }
    } finally {
      if (!isIn) atOnce--
    }
  }

  return {
    enter,
    async view() {
      const [requestsUsed, tokensUsed] = await Promise.all([requests?.used(), tokens?.used()])
      return {
        ...(requestsPerMinute ? { requestsPerMinute: { most: requestsPerMinute, used: requestsUsed! } } : {}),
        ...(tokensPerMinute ? { tokensPerMinute: { most: tokensPerMinute, used: tokensUsed! } } : {}),
        ...(requestsAtOnce ? { requestsAtOnce: { most: requestsAtOnce, used: atOnce } } : {}),
      }
    },
  }
}

/** Points of one minute, of all processes. */
function countOf(redis: Redis, key: string, points: number) {
  const minute = { points, duration: 60, keyPrefix: redisKeys.limit.prefix }
  const limiter = new RateLimiterRedis({
    ...minute,
    storeClient: redis,
    rejectIfRedisNotReady: true,
    insuranceLimiter: new RateLimiterMemory(minute),
  })

  /** Later points count where they are known: less than was taken only in the minute it was taken in, or the next one began below nothing. */
  async function change(more: number, until: number): Promise<void> {
    if (more > 0) await limiter.penalty(key, more)
    if (more < 0 && performance.now() < until) await limiter.reward(key, -more)
  }

  return {
    async take(wanted: number) {
      const sentAt = performance.now()
      const counted = await limiter.consume(key, wanted).catch((rejected: unknown) => {
        if (rejected instanceof RateLimiterRes) return rejected
        throw rejected
      })
      // from when it was sent: the minute ends here no later than there
      const until = sentAt + counted.msBeforeNext
      const fits = counted.consumedPoints <= points
      if (!fits) await change(-wanted, until)
      return { fits, change: (more: number) => change(more, until) }
    },
    used: async () => (await limiter.get(key))?.consumedPoints ?? 0,
  }
}
