import { Redis, type RedisOptions } from 'ioredis'
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
