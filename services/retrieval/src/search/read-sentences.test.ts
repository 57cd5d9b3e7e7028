import { expect, test } from 'vitest'
import { createSentenceReader } from './read-sentences.ts'

const snippetOf = (text: string, terms: Parameters<typeof createSentenceReader>[0]) => createSentenceReader(terms, 1).snippetOf(text)
const term = (word: string, idf = 1) => ({ term: word, weight: 1, content: true, idf })

test('the sentence that holds most of the question, each word once', () => {
  const text = 'Cats cats cats. A cat meets a dog! Birds sing.'
  expect(snippetOf(text, [term('cat'), term('dog')])).toBe('A cat meets a dog! Birds sing.')
  expect(snippetOf(text, [term('bird')])).toBe('Birds sing.')
})

test('characters and bigrams of Chinese count by what they weigh', () => {
  const text = '本产品很好。保修期为两年。请保管发票，修改无效。'
  expect(snippetOf(text, [term('保修', 3), term('保'), term('修')])).toBe('保修期为两年。请保管发票，修改无效。')
})

test('a text that holds none of it begins at its beginning', () => {
  expect(snippetOf('One. Two.', [term('three')])).toBe('One. Two.')
})

test('the share of a question that stands in one sentence counts each word once, and no more than all of it', () => {
  const reader = createSentenceReader([term('cat', 3), term('dog', 1)], 4)
  expect(reader.shareOf('Cats cats cats. The dog sleeps.')).toBe(0.75)
  expect(reader.shareOf('Birds sing.\nA cat meets a dog.')).toBe(1)
  expect(reader.shareOf('Birds sing.')).toBe(0)
  expect(createSentenceReader([term('cat', 3)], 2).shareOf('A cat.')).toBe(1)
  expect(createSentenceReader([], 0).shareOf('A cat.')).toBe(0)
})
