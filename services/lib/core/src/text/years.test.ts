import { expect, test } from 'vitest'
import { meantYears } from './years.ts'

test('this year and last year are years, next to one another at the turn of the year', () => {
  const now = new Date(2026, 0, 1)
  expect(meantYears('今年的价格是多少？', now)).toEqual(['2026'])
  expect(meantYears("What was last year's rate?", now)).toEqual(['2025'])
  expect(meantYears('今年比去年贵多少？', now)).toEqual(['2026', '2025'])
  expect(meantYears('How many days a year may I work abroad?', now)).toEqual([])
  expect(meantYears('满一年有几天年假？', now)).toEqual([])
})
