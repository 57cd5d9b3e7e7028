import { expect, test } from 'vitest'
import { type DenseGroup, evidenceOf, fuse } from './fuse.ts'
import { otherLanguage, reservePlace } from './reserve-place.ts'

const hit = (id: string, score: number) => ({ chunk: { id }, score })
const english = ['e1', 'e2', 'e3', 'e4', 'e5'].map((id, i) => hit(id, 0.9 - i * 0.03))
const words = english.map(({ chunk }, i) => hit(chunk.id, 10 - i))
const chinese = (best: number) => [hit('z1', best), hit('z2', 0.78), hit('z3', 0.78), hit('z4', 0.78)]

function order(zh: { chunk: { id: string }; score: number }[], place = otherLanguage) {
  const groups: DenseGroup<{ id: string }>[] = [
    { language: 'en', hits: english },
    { language: 'zh', hits: zh },
  ]
  return reservePlace(fuse(words, groups, 0.45), groups, evidenceOf(words, 10, groups, 'en'), 'en', place)
}

test('a passage of the other language that stands out gets the third place; the list stays in order', () => {
  const list = order(chinese(0.84))
  expect(list.map(({ chunk }) => chunk.id).slice(0, 4)).toEqual(['e1', 'e2', 'z1', 'e3'])
  expect(list.map(({ ranks }) => ranks.fused)).toEqual(list.map((_, i) => i + 1))
  const scores = list.map(({ scores: { fused } }) => fused)
  expect(scores).toEqual([...scores].sort((a, b) => b - a))
  expect(new Set(list.map(({ chunk }) => chunk.id)).size).toBe(list.length)
})

test('one that does not stand out stays where it was; a folder of one language is left alone', () => {
  expect(order(chinese(0.79)).findIndex(({ chunk }) => chunk.id === 'z1')).toBeGreaterThan(3)
  expect(order([]).map(({ chunk }) => chunk.id)).toEqual(['e1', 'e2', 'e3', 'e4', 'e5'])
  expect(order(chinese(0.84), { share: 10, place: 3 } as unknown as typeof otherLanguage)[2]!.chunk.id).toBe('e3')
})
