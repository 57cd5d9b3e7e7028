import { fold } from '@docent/core/text/fold'
import { expect, test } from 'vitest'
import { answersKind } from './asked-kind.ts'

test.each([
  ['A1 多少钱？', '零售价: ¥899', '整机重量: 1.85 kg'],
  ['企業版一年多少錢', '价格为 9,800 元', '最多 500 台'],
  ['How much is the Arc A1?', 'Price: $129', 'Weight: 1.85 kg'],
  ['What does the repair cost?', 'a handling fee of EUR 25', 'within 25 days'],
  ['员工每年有多少天年假？', 'two paid days a year', '6,000 yuan per person per year'],
  ['年假有几天', '15 个工作日', '18 元'],
  ['How many vacation days do employees get?', '每年 15 天', '补贴 65 美元'],
  ['几个月后到期？', '24 个月', '24 台'],
])('%s: by “%s”, not by “%s”', (question, yes, no) => {
  const holds = answersKind(fold(question))!
  expect([holds(fold(yes)), holds(fold(no))]).toEqual([true, false])
})

test('where the form says nothing, any sentence may answer', () => {
  for (const question of ['How much does it weigh?', 'How much memory do I need?', '显色指数是多少？', '谁是主持人？', 'What is covered?'])
    expect(answersKind(fold(question))).toBeUndefined()
})
