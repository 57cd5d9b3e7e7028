import { expect, test } from 'vitest'
import { createRestless, restlessProblem } from './restless.ts'

const paths = (files: readonly { path: string }[]) => files.map(({ path }) => path)

test('a file that has not settled for half a minute more than it has to is told once, and named until it rests or goes', () => {
  const restless = createRestless(2_000)
  expect(restless.follow(['app.log', 'copy.pdf'], 0)).toEqual([])
  expect(restless.follow(['app.log'], 20_000)).toEqual([])
  expect(restless.list(32_000)).toEqual([])
  // it rested in between: its time begins anew
  expect(paths(restless.follow(['app.log', 'copy.pdf'], 33_000))).toEqual(['app.log'])
  expect(restless.follow(['app.log', 'copy.pdf'], 34_000)).toEqual([])
  expect(paths(restless.list(34_000))).toEqual(['app.log'])
  expect([restless.isRestless('app.log', 34_000), restless.isRestless('copy.pdf', 34_000)]).toEqual([true, false])
  expect(restless.follow([], 35_000)).toEqual([])
  expect(restless.list(90_000)).toEqual([])
})

test('at most twenty are named, those that have waited longest, each with what to do', () => {
  const restless = createRestless(0)
  restless.follow(['first.log'], 0)
  restless.follow(['first.log', ...Array.from({ length: 30 }, (_, i) => `${i}.log`)], 1_000)
  const listed = restless.list(60_000)
  expect([listed.length, listed[0]!.path]).toEqual([20, 'first.log'])
  const { since, message } = restlessProblem(listed[0]!, 2_000)
  expect(Date.parse(since)).toBeGreaterThan(0)
  expect(message).toMatch(/unchanged for 2000 ms: stop what writes it, lower SETTLE_MS, or leave it out by \.docentignore\.$/)
})
