/** Every key family has its name and its time to live (seconds) here; a cache key without one would be a leak. */
export const redisKeys = {
  stream: { key: (answerId: string) => `docent:stream:${answerId}`, ttlS: 15 * 60 },
  stop: { channel: 'docent:stop' },
  answerCache: { key: (hash: string) => `docent:answer:${hash}`, ttlS: 24 * 3600 },
  queryVector: { key: (hash: string) => `docent:qvec:${hash}`, ttlS: 24 * 3600 },
  limit: { prefix: 'docent:limit', ttlS: 3600 },
} as const
