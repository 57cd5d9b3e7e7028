import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { goals } from './goals.ts'
import { readRecords, renderBenchmarks } from './record.ts'

test('the page says what the records say', () => {
  expect(readFileSync(new URL('../../../../BENCHMARKS.md', import.meta.url), 'utf8')).toBe(renderBenchmarks(readRecords()))
})

test('each goal is decided by a figure of its bench, where that was recorded', () => {
  const records = readRecords()
  const without = goals.filter(({ bench, figure }) =>
    records.some((record) => record.bench === bench && record.figures[figure] === undefined),
  )
  expect(without.map(({ bench, figure }) => `${bench}: ${figure}`)).toEqual([])
  expect(records.length).toBeGreaterThan(0)
})
