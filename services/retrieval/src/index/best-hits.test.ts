import { expect, test } from 'vitest'
import { topOf } from './best-hits.ts'

const plainly = (scores: Float32Array, limit: number, allowed: (chunk: number) => boolean = () => true) =>
  [...scores.entries()]
    .map(([chunk, score]) => ({ chunk, score }))
    .filter(({ chunk, score }) => score > 0 && allowed(chunk))
    .sort((a, b) => b.score - a.score || a.chunk - b.chunk)
    .slice(0, limit)

const spreads: [string, (i: number) => number][] = [
  ['of all sizes', (i) => 2 ** (((i * 7919) % 61) - 30)],
  ['equal', () => 3.25],
  ['close together', (i) => 1 + ((i * 31) % 997) * 1e-6],
  ['few', (i) => (i % 199 === 0 ? i : 0)],
  ['none', () => 0],
]

test.each(spreads)('the best are those of a plain sort: scores %s', (_, spread) => {
  const scores = Float32Array.from({ length: 3_000 }, (_, i) => spread(i))
  for (const limit of [1, 7, 100, 5_000]) {
    expect(topOf(scores, limit)).toEqual(plainly(scores, limit))
    for (const nth of [2, 50, 2_999]) {
      const allowed = (chunk: number) => chunk % nth === 0
      expect(topOf(scores, limit, allowed)).toEqual(plainly(scores, limit, allowed))
    }
  }
})
