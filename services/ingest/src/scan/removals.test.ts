import { expect, test } from 'vitest'
import { decideRemovals, type RemovalFacts } from './removals.ts'

/** a look that takes no time */
function at(now: number) {
  return { began: now, now }
}
const facts: RemovalFacts = { missing: [], known: 10, seen: 9, arriving: 0, sameRoot: true, confirmed: false, settleMs: 2_000, ...at(0) }
const many = (n: number) => Array.from({ length: n }, (_, i) => `d${i}`)

test('a missing file is removed at the second look, after the settle time', () => {
  const since = new Map<string, number>()
  expect(decideRemovals(since, { ...facts, missing: ['d1'] })).toEqual({ remove: [], held: 0, waitMs: 2_000 })
  expect(decideRemovals(since, { ...facts, missing: ['d1'], ...at(2_000) }).remove).toEqual(['d1'])
})

test('a file that is back at the second look starts anew', () => {
  const since = new Map<string, number>()
  decideRemovals(since, { ...facts, missing: ['d1'] })
  decideRemovals(since, { ...facts, ...at(1_000) })
  expect(decideRemovals(since, { ...facts, missing: ['d1'], ...at(2_500) }).remove).toEqual([])
})

test('while new files settle, a missing one is waited for longer, but not for ever', () => {
  const since = new Map<string, number>()
  decideRemovals(since, { ...facts, missing: ['d1'], arriving: 1 })
  expect(decideRemovals(since, { ...facts, missing: ['d1'], arriving: 1, ...at(2_100) }).remove).toEqual([])
  expect(decideRemovals(since, { ...facts, missing: ['d1'], arriving: 1, ...at(4_500) }).remove).toEqual(['d1'])
})

test('with nothing to settle a missing file goes at the first look, however slow, but not a mass of them', () => {
  const dry = { ...facts, settleMs: 0, began: 0, now: 50 }
  expect(decideRemovals(new Map(), { ...dry, missing: ['d1'] })).toEqual({ remove: ['d1'], held: 0, waitMs: undefined })
  expect(decideRemovals(new Map(), { ...dry, missing: many(6) })).toEqual({ remove: [], held: 6, waitMs: undefined })
})

test('a look that is slow does not make a file older: one renamed during the first look still settles in the second', () => {
  const since = new Map<string, number>()
  decideRemovals(since, { ...facts, missing: ['d1'], began: 0, now: 6_000 })
  expect(decideRemovals(since, { ...facts, missing: ['d1'], arriving: 1, began: 6_050, now: 12_000 }).remove).toEqual([])
  expect(decideRemovals(since, { ...facts, missing: ['d1'], arriving: 1, began: 12_050, now: 18_000 }).remove).toEqual(['d1'])
})

test('more than a fifth waits for a yes, however long, and goes at once with it', () => {
  const since = new Map<string, number>()
  for (const now of [0, 60_000])
    expect(decideRemovals(since, { ...facts, missing: many(6), ...at(now) })).toEqual({ remove: [], held: 6, waitMs: undefined })
  expect(decideRemovals(since, { ...facts, missing: many(6), confirmed: true }).remove).toHaveLength(6)
})

test('an empty folder in the place of the known one deletes nothing; the last file of the known one may go', () => {
  const gone = { ...facts, missing: ['d1'], known: 1, seen: 0 }
  const since = new Map([['d1', -60_000]])
  expect(decideRemovals(since, { ...gone, sameRoot: false }).held).toBe(1)
  expect(decideRemovals(since, gone).remove).toEqual(['d1'])
})
