import { tokensOf } from '@docent/core/text/tokens'
import { expect, test } from 'vitest'
import { diversify } from './diversify.ts'

let n = 0
const entry = (documentId: string, text: string, textHash = text) => ({
  chunk: { id: `c${n++}`, text, textHash, document: { documentId } },
})
const kept = (choices: ReturnType<typeof diversify<ReturnType<typeof entry>>>) =>
  choices.filter((choice) => choice.kept).map((choice) => choice.entry.chunk.text)
const topics = ['apples and pears', '保修期二十四个月', 'reset the router', '会议室预订', 'parking plates', '年假十天']

test('three of a document at most, then the others', () => {
  const list = [...topics.slice(0, 5).map((text) => entry('long', text)), entry('short', topics[5]!)]
  expect(kept(diversify(list, 10))).toEqual([topics[0], topics[1], topics[2], topics[5]])
  expect(diversify(list, 10)[3]!.why).toContain('of this document')
})

test('the only document may fill the list', () => {
  expect(
    kept(
      diversify(
        topics.map((text) => entry('only', text)),
        10,
      ),
    ),
  ).toEqual(topics)
})

test('the same and nearly the same text is shown once, from the better place', () => {
  const long = 'The warranty of this product lasts twenty four months from the day it was bought in a shop of ours or of a partner'
  const list = [entry('a', long), entry('b', long), entry('c', `${long}!`), entry('d', `${long} somewhere`), entry('e', 'another thing')]
  expect(kept(diversify(list, 10))).toEqual([long, 'another thing'])
})

test('nothing is lost: each candidate is kept or has its reason, in order', () => {
  const list = topics.map((text, i) => entry(`d${i}`, text))
  const choices = diversify(list, 2)
  expect(choices.map((choice) => choice.entry)).toEqual(list)
  expect(choices.map((choice) => choice.why)).toEqual(['kept', 'kept', ...Array(4).fill('below the first 2')])
})

test('two texts say the same from the share of common words on that is given, and not below', () => {
  const words = ['一', ...Array.from({ length: 12 }, (_, i) => `word${i}`)]
  for (const sameness of [0.3, 0.5, 0.8, 1])
    for (let from = 0; from < words.length; from++)
      for (let to = from + 1; to <= words.length; to++) {
        const [all, some] = [words.slice(0, 9).join(' '), words.slice(from, to).join(' ')]
        const [a, b] = [new Set(tokensOf(all)), new Set(tokensOf(some))]
        const isSame = a.intersection(b).size / a.union(b).size >= sameness
        const choices = diversify([entry('a', all, 'x'), entry('b', some, 'y')], 2, { perDocument: 3, sameness })
        expect(choices[1]!.kept, `${some}, ${sameness}`).toBe(!isSame)
      }
})
