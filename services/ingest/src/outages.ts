import type { ErrorCode } from '@docent/core/errors'

/** A neighbour is away, the text is not bad: it waits until the neighbour is back. */
export const outages: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'unavailable',
  'timeout',
  'rate_limited',
  'upstream_failed',
  'upstream_unauthorized',
  'budget_exhausted',
])
