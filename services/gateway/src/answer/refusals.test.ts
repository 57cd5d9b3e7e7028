import { expect, test } from 'vitest'
import { citationsOf } from './cite.ts'
import { isAboutLack, isRefusal } from './refusals.ts'

const sources = new Map([[1, '陪产假 20 天。Revenue in 2025 was CNY 86.2 million.']])
const refuses = (text: string, own?: string) => isRefusal(text, citationsOf(text, sources), own)

test.each([
  '抱歉，提供的资料中没有关于产假天数的信息。',
  '根据提供的资料，没有提到公司员工的总人数 [1]。',
  '您好！很抱歉，文档里没有找到相关内容。',
  '文档中没有找到这个问题的答案。最接近的是：陪产假 20 天 [1]。',
  '根據資料，沒有記載這項資訊。',
  "I'm sorry, but the sources do not contain information about who the CEO of Kestrel is.",
  'The sources do not mention the CEO of Kestrel [1].',
  'The documents do not contain an answer to this question. They give the revenue of 2025: CNY 86.2 million [1].',
  'ソースには BX-300 の保証期間は記載されていません。',
])('says that it is not there: %s', (text) => expect(refuses(text)).toBe(true))

test.each([
  '陪产假 20 天 [1]。',
  '陪产假有 20 天。',
  '资料中没有说明地点。陪产假 20 天 [1]。',
  'Revenue in 2025 was CNY 86.2 million [1]; 2023 is not given.',
  '试用期员工不得远程办公。',
  'No, probation staff may not work from home.',
  '没有押金。',
])('answers: %s', (text) => expect(refuses(text)).toBe(false))

test('a persona’s own words for it are known', () => {
  expect(refuses('这里没有，请问前台。', '这里没有，请问前台')).toBe(true)
  expect(refuses('请问前台。')).toBe(false)
})

test.each([
  '自行拆机不予保修',
  'Business class needs consent',
  '未拆封产品签收后 10 天内可以退货',
  'Batteries are not covered by the warranty',
])('is a statement about the thing itself: %s', (text) => expect(isAboutLack(text)).toBe(false))
