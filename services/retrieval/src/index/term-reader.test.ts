import { tokensOf } from '@docent/core/text/tokens'
import { expect, test } from 'vitest'
import { first, hashTerm, second } from './term-hash.ts'
import { createTermReader } from './term-reader.ts'

function hashesOf(term: string): [number, number] {
  hashTerm(term)
  return [first, second]
}

test.each([
  '保修期，两年 3個月WiFi密碼 𠮷野𠮷 ガギ 한국어',
  "The ERR_OOM error's RFC-9457, v2.3.1 costs 10,000 — don't; 100 dogs 无线 a",
  '一丁一 12 34 中a文 b中',
  '',
])('a text says each of its terms once, in the order of the first time, and no other: %s', (text) => {
  const reader = createTermReader()
  reader.read({ header: 'what was read before', text: '读过的文字', path: 'a/b.md' })
  const { firsts, seconds, count } = reader.readText(text)
  const terms = [...new Set(tokensOf(text))]
  expect(Array.from({ length: count }, (_, i) => [firsts[i], seconds[i]])).toEqual(terms.map(hashesOf))
  for (const term of terms) expect(reader.says(...hashesOf(term)), term).toBe(true)
  for (const term of ['读过', 'befor', 'nowhere', '丁保', '文']) expect(reader.says(...hashesOf(term)), term).toBe(terms.includes(term))
})
