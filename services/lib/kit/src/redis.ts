import { Redis, type RedisOptions } from 'ioredis'
import { ConfigError } from './config.ts'
import type { Log } from './logger.ts'

export type { Redis } from 'ioredis'

/** For commands on a request's path: fails within two seconds instead of queueing without end. */
export function openRedis(url: string, log: Log, options: RedisOptions = {}): Redis {
  const redis = new Redis(url, {
    commandTimeout: 2_000,
    connectTimeout: 2_000,
    maxRetriesPerRequest: 1,
    enableAutoPipelining: true,
    enableOfflineQueue: true,
    retryStrategy: (times) => Math.min(times * 200, 2_000),
    ...options,
  })
  let last = ''
  redis.on('error', (error: Error) => {
    if (error.message !== last) log.warn({ err: error }, 'redis connection')
    last = error.message
  })
  redis.on('ready', () => {
    last = ''
  })
  return redis
}

/** What BullMQ's workers need: wait for Redis for ever. */
export function workerConnection(url: string) {
  return { url, maxRetriesPerRequest: null, retryStrategy: (times: number) => Math.min(times * 200, 2_000) }
}

/** Throws when this Redis drops keys under pressure, as a cache does: a queue there forgets jobs without a word. Silence is no answer. */
export async function refuseEviction(url: string, variable: string, log: Log): Promise<void> {
  const redis = openRedis(url, log, { retryStrategy: () => null })
  try {
    const policy = /^maxmemory_policy:(\S+)/m.exec(await redis.info('memory'))?.[1]
    if (policy === undefined || policy === 'noeviction') return
    throw new ConfigError(
      `${variable}: this Redis has maxmemory-policy ${policy} and would drop jobs; set it to noeviction, or name another Redis`,
    )
  } catch (error) {
    if (error instanceof ConfigError) throw error
    log.warn({ err: error }, `${variable}: its eviction policy could not be read`)
  } finally {
    redis.disconnect()
  }
}
