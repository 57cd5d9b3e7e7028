import { expect, test } from 'vitest'
import { clusterGaps, type Weakness } from './gaps.ts'

let n = 0
const weak = (question: string, why: Weakness[] = ['notFound']) => ({
  answerId: String(++n),
  question,
  createdAt: new Date(n * 1_000),
  why,
})

test('questions about the same are one gap, with counts, reasons and examples; the most asked comes first', () => {
  const gaps = clusterGaps([
    weak('海外保修怎么办理？'),
    weak('Do you ship to Norway?'),
    weak('请问海外保修怎么办理'),
    weak('怎么办理海外保修手续', ['thumbsDown']),
    weak('Is shipping to Norway possible, do you ship there?', ['notFound', 'thumbsDown']),
    weak('今天天气如何'),
  ])
  expect(gaps.map(({ question, count }) => [question, count])).toEqual([
    ['海外保修怎么办理？', 3],
    ['Do you ship to Norway?', 2],
    ['今天天气如何', 1],
  ])
  expect(gaps[0]).toMatchObject({ why: { notFound: 2, thumbsDown: 1, unverified: 0 }, examples: [{}, {}, {}] })
})

test('many of them stay cheap, and examples few', () => {
  const gaps = clusterGaps(Array.from({ length: 2_000 }, (_, i) => weak(`Question about subject${i % 400} and its matter${i % 400}`)))
  expect(gaps).toHaveLength(400)
  expect(gaps[0]!.examples).toHaveLength(5)
})
