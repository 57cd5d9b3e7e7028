import { expect, test } from 'vitest'
import { citationsOf } from './cite.ts'

const sources = new Map([
  [1, 'The warranty lasts 24 months. Batteries are covered for 12 months.'],
  [2, '整机保修期为 24 个月。'],
])
const of = (text: string) =>
  citationsOf(text, sources).map(({ start, end, source, verified }) => [text.slice(start, end), source, verified])

test('a marker claims the sentence before it, and a wrong figure is not verified', () => {
  expect(of('The warranty lasts 24 months [1]. Batteries have 36 months [1].')).toEqual([
    ['The warranty lasts 24 months', 1, true],
    ['Batteries have 36 months', 1, false],
  ])
})

test('a word between two markers claims nothing of its own', () => {
  expect(of('The warranty lasts 24 months [1] and [2].')).toEqual([
    ['The warranty lasts 24 months', 1, true],
    ['The warranty lasts 24 months', 2, false],
  ])
  expect(of('保修期为 24 个月【1】、【2】。').map(([claim, source]) => [claim, source])).toEqual([
    ['保修期为 24 个月', 1],
    ['保修期为 24 个月', 2],
  ])
})

test('a source that was not given is no citation', () => {
  expect(of('See the manual [7].')).toEqual([])
})
