import { expect, test } from 'vitest'
import { sentencesOf } from './sentences.ts'

const cut = (text: string) => sentencesOf(text).map(({ start, end }) => text.slice(start, end))

test('Chinese and English sentences end at their marks, closing quotes included', () => {
  expect(cut('他说：“好。”然后走了！What now? Go on. End')).toEqual(['他说：“好。”', '然后走了！', 'What now?', 'Go on.', 'End'])
})

test('numbers, versions, abbreviations and list numbers do not end a sentence', () => {
  expect(cut('1. Use v2.3.1, e.g. on Hub H2. It costs 3.50 EUR.')).toEqual(['1. Use v2.3.1, e.g. on Hub H2.', 'It costs 3.50 EUR.'])
  expect(cut('Ask Priya (office manager, ext. 204) for access.')).toHaveLength(1)
})

test('a semicolon keeps its sentence whole, a line break does not', () => {
  expect(cut('保修 90 天；若更长，以原期为准。\n第二行')).toEqual(['保修 90 天；若更长，以原期为准。', '第二行'])
})
