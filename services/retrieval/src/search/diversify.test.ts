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
