import { expect, test } from 'vitest'
import { auroc, fprAt95, ndcgAt10 } from './measure.ts'

test('nDCG@10', () => {
  expect(ndcgAt10(['a', 'b'], ['a'])).toBe(1)
  expect(ndcgAt10(['b', 'a'], ['a'])).toBeCloseTo(1 / Math.log2(3))
  expect(ndcgAt10(['a', 'x', 'b'], ['a', 'b'])).toBeCloseTo((1 + 0.5) / (1 + 1 / Math.log2(3)))
  expect(ndcgAt10(Array.from({ length: 10 }, (_, i) => `x${i}`).concat('a'), ['a'])).toBe(0)
})

test('AUROC', () => {
  expect(auroc([3, 4], [1, 2])).toBe(1)
  expect(auroc([1, 2], [3, 4])).toBe(0)
  expect(auroc([1, 1], [1, 1])).toBe(0.5)
  expect(auroc([2, 0], [1, 1])).toBe(0.5)
})

test('what gets through where 95 % of the right ones do', () => {
  const yes = Array.from({ length: 100 }, (_, i) => i)
  expect(fprAt95(yes, [4, 5, 6, 1])).toBe(0.5)
  expect(fprAt95(yes, [])).toBe(0)
})
