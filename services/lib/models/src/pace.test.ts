import { expect, it } from 'vitest'
import { createPace, guessTokens, type PaceLimits } from './pace.ts'

const never = new AbortController().signal

/** A clock that is moved by waiting alone. */
function paced(limits: PaceLimits) {
  let at = 0
  const pace = createPace(limits, {
    now: () => at,
    wait: async (ms) => {
      at += ms
    },
  })
  return { ...pace, at: () => at }
}

it('without limits nobody waits', async () => {
  const { enter, at } = paced({})
  for (let i = 0; i < 100; i++) await enter(10_000, never)
  expect(at()).toBe(0)
})

it('requests are spaced evenly, so that no minute holds more than the limit', async () => {
  const { enter, at } = paced({ requestsPerMinute: 30 })
  const starts: number[] = []
  for (let i = 0; i < 90; i++) {
    await enter(1, never)
    starts.push(at())
  }
  for (const start of starts) expect(starts.filter((other) => other >= start && other < start + 60_000).length).toBeLessThanOrEqual(30)
  expect(at()).toBe(89 * 2_000)
})

it('tokens move the next request by what they cost; the narrower limit holds', async () => {
  const { enter, at } = paced({ requestsPerMinute: 600, tokensPerMinute: 6_000 })
  await enter(3_000, never)
  expect(await enter(100, never)).toBe(30_000)
  expect(await enter(100, never)).toBe(1_000)
  expect(at()).toBe(31_000)
})

it('what others take without waiting counts, and so does what was guessed too low', async () => {
  const { enter, book } = paced({ tokensPerMinute: 6_000 })
  await enter(100, never)
  book({ tokens: 500 })
  expect(await enter(0, never)).toBe(6_000)
})

it('whoever would wait more than a minute is told when to come again, and takes nothing', async () => {
  const { enter, book } = paced({ tokensPerMinute: 1_000 })
  book({ tokens: 2_000 })
  for (const _ of [1, 2]) await expect(enter(500, never)).rejects.toMatchObject({ code: 'rate_limited', retryAfterS: 120 })
})

it('tokens are guessed high rather than low', () => {
  expect(guessTokens(['保修期是两年', 'two years'])).toBe(6 + 3)
})
