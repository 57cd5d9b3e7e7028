import { AppError, type ErrorCode } from '@docent/core/errors'
import { expect, test } from 'vitest'
import type { Job } from './job.ts'
import type { Provider } from './providers.ts'
import { mayDoWithoutSources } from './without-sources.ts'

function may(error: unknown, { allowed = true, models = 1, isStopped = false } = {}): boolean {
  const abort = new AbortController()
  if (isStopped) abort.abort()
  const job = { persona: { answersWithoutSources: allowed }, abort } as unknown as Job
  return mayDoWithoutSources(job, { providers: Array<Provider>(models) }, error)
}
const failed = (code: ErrorCode) => new AppError(code, 'x')

test('a search that fails for reasons of its own lets the model answer, where the persona allows it and there is one', () => {
  for (const code of ['unavailable', 'timeout', 'internal', 'overloaded'] as const) expect(may(failed(code)), code).toBe(true)
  expect(may(failed('unavailable'), { allowed: false })).toBe(false)
  expect(may(failed('unavailable'), { models: 0 })).toBe(false)
})

test('a question that is refused, one that was stopped and an error nobody knows are answered by nobody', () => {
  for (const code of ['validation', 'forbidden', 'not_found', 'rate_limited'] as const) expect(may(failed(code)), code).toBe(false)
  expect(may(failed('unavailable'), { isStopped: true })).toBe(false)
  expect(may(new TypeError('a bug'))).toBe(false)
})
