import { expect, test } from 'vitest'
import { tongueOf } from './phrases.ts'

test.each([
  ['保証期間はどのくらいですか？', undefined, 'en'],
  ['保証期間は何年間ですか？', 'zh', 'zh'],
  ['보증 기간은 얼마나 되나요?', 'zh-Hant', 'zh-Hant'],
  ['Каков гарантийный срок?', undefined, 'en'],
  ['保修期是多久？', 'en', 'zh'],
  ['保固期是多久？請問', 'en', 'zh-Hant'],
  ['优の良品多少钱？', 'en', 'zh'],
  ['β 系数是多少？', 'en', 'zh'],
  ['How long is the warranty of the ルンバ robot?', 'zh', 'en'],
] as const)('%s, asked by a program that wants %s, is answered in %s', (question, wanted, tongue) => {
  expect(tongueOf(question, wanted)).toBe(tongue)
})
