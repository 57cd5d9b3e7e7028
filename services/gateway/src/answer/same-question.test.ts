import { expect, test } from 'vitest'
import { normalQuestion } from './same-question.ts'

test.for([
  ['保修期是多久？', '请问保修期是多久'],
  ['保修期是多久？', '保修期是多久呢？？'],
  ['退貨需要什麼？', '退货需要什么'],
  ['How long is the warranty?', 'how long is warranty'],
  ['How long is the warranty?', 'Please: HOW LONG is the warranty'],
  ['X100 的保修期？', '请问x100的保修期'],
  ['What are the fees?', 'what are the fee'],
])('%s is the same as %s', ([a, b]) => expect(normalQuestion(a!)).toBe(normalQuestion(b!)))

test.for([
  ['X100 的保修期？', 'X200 的保修期？'],
  ['Can I return it?', 'Can I not return it?'],
  ['可以退货吗？', '不可以退货吗？'],
  ['A 比 B 贵吗？', 'B 比 A 贵吗？'],
  ['Is 1.5 allowed?', 'Is 15 allowed?'],
  ['Is it > 5?', 'Is it < 5?'],
  ['What is C?', 'What is C++?'],
])('%s is another question than %s', ([a, b]) => expect(normalQuestion(a!)).not.toBe(normalQuestion(b!)))

test('a question of signs only has no form', () => expect(normalQuestion('？！…')).toBe(''))
