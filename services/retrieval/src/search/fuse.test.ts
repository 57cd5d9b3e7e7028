import { expect, test } from 'vitest'
import { denseWeight, type Evidence, evidenceOf, fuse, weights } from './fuse.ts'

const hit = (id: string, score: number) => ({ chunk: { id }, score })
const evidence = (over: Partial<Evidence> = {}): Evidence => ({ ratio: 0.8, own: 0.05, other: 0, ownChunks: 50, otherChunks: 0, ...over })
const hans = { question: 'hans', text: 'hans' } as const

test('without a dense leg the order is that of the words', () => {
  const fused = fuse([hit('a', 9), hit('b', 3)], [], 0.95)
  expect(fused.map(({ chunk, scores }) => [chunk.id, scores.fused])).toEqual([
    ['a', 1],
    ['b', 1 / 3],
  ])
  expect(fused[0]!.scores.dense).toBeUndefined()
})

test('a passage that both legs like beats the favourite of one', () => {
  const fused = fuse(
    [hit('words', 10), hit('both', 9)],
    [{ language: 'zh', hits: [hit('meaning', 0.9), hit('both', 0.89), hit('noise', 0.8)] }],
    0.5,
  )
  expect(fused[0]!.chunk.id).toBe('both')
  expect(fused[0]!.ranks).toEqual({ lexical: 2, dense: 2, fused: 1 })
})

test('languages are compared by the distance from their own mean, not by cosine', () => {
  const zh = ['z1', 'z2', 'z3', 'z4'].map((id, i) => hit(id, 0.86 - i * 0.002)) // noise, but all above the English hit
  const en = [hit('answer', 0.82), hit('e2', 0.75), hit('e3', 0.74), hit('e4', 0.74)]
  expect(
    fuse(
      [],
      [
        { language: 'zh', hits: zh },
        { language: 'en', hits: en },
      ],
      0.9,
    )[0]!.chunk.id,
  ).toBe('answer')
})

test('every candidate is in the list once, ranked without a gap', () => {
  const fused = fuse([hit('a', 3), hit('b', 2), hit('c', 1)], [{ language: 'en', hits: [hit('c', 0.9), hit('d', 0.8)] }], 0.4)
  expect(fused.map(({ chunk }) => chunk.id).sort()).toEqual(['a', 'b', 'c', 'd'])
  expect(fused.map(({ ranks }) => ranks.fused)).toEqual([1, 2, 3, 4])
})

test('the dense leg carries where the words are unknown, and weighs little where they are known', () => {
  expect(denseWeight(evidence(), 'zh', hans)).toBe(weights.zh.base)
  expect(denseWeight(evidence({ ratio: 0, own: 0, other: 0.06 }), 'zh', hans)).toBe(weights.cross)
  expect(denseWeight(evidence(), 'zh', { question: 'hant', text: 'hant' })).toBe(weights.hant)
  expect(denseWeight(evidence(), 'zh', { question: 'hans', text: 'hant' })).toBe(weights.scripts)
  const rising = [0.5, 0.3, 0.2, 0.1, 0].map((ratio) => denseWeight(evidence({ ratio, own: 0 }), 'zh', hans))
  expect(rising).toEqual([...rising].sort((a, b) => a - b))
})

test('evidence of an empty search is nothing', () => {
  expect(evidenceOf([], 0, [], 'en')).toEqual({ ratio: 0, own: 0, other: 0, ownChunks: 0, otherChunks: 0 })
})
