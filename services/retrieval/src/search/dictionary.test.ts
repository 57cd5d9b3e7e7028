import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { createDictionary } from './dictionary.ts'

const translate = createDictionary()
const termsOf = (question: string, language: 'zh' | 'en') =>
  translate(question, language).map(({ alternatives }) => alternatives.map((terms) => terms.join(' ')))

test('a Chinese question: the longest word at each place, without what only asks', () => {
  const [leave] = termsOf('年假有几天？', 'zh')
  expect(leave).toContain('annual leav')
  expect(termsOf('什么？', 'zh')).toEqual([])
})

test('an English question: the longest phrase, and each word may also stand as it is', () => {
  const [[own, ...chinese]] = termsOf('What about annual leave?', 'en') as [string[]]
  expect(own).toBe('annual leav')
  expect(chinese).toContain('年假')
  expect(termsOf('price', 'en')[0]).toEqual(expect.arrayContaining(['pric', '价格']))
})

test('names, codes and numbers are written alike in both languages, in either script', () => {
  expect(termsOf('Hub H2 的保固期', 'zh')).toEqual(expect.arrayContaining([['hub'], ['h'], ['2']]))
  expect(termsOf('網關', 'zh')).toEqual(termsOf('网关', 'zh'))
  expect(termsOf('board.md', 'en')).toEqual([['board'], ['md']])
  expect(termsOf('Flibbertone', 'en')).toEqual([['flibberton']])
})

test('a long text is not looked up word for word', () => {
  expect(translate('保修期限'.repeat(900), 'zh').length).toBeLessThanOrEqual(24)
  expect(translate('warranty period '.repeat(200), 'en').length).toBeLessThanOrEqual(24)
})

test('the file holds keys in the order of their bytes, as the index makes its terms', () => {
  const file = gunzipSync(readFileSync(new URL('../../dictionary/zh-en.txt.gz', import.meta.url)))
  const lines = file.toString('utf8').trimEnd().split('\n')
  expect(lines.length).toBeGreaterThan(100_000)
  expect(lines.filter((line, i) => i > 0 && Buffer.compare(Buffer.from(lines[i - 1]!), Buffer.from(line)) >= 0)).toEqual([])
  for (const word of ['vacations', 'policies', 'batteries', 'invoices', 'working'])
    expect(termsOf(word, 'en')[0]!.length, word).toBeGreaterThan(1)
})
