import { expect, test } from 'vitest'
import { likeliest } from './attached.ts'

const chunk = (ordinal: number, text: string, header = '') => ({ attachment: 'a', ordinal, text, header })

test('the chunks that hold the rare words of the question come first, whatever their place', () => {
  const all = Array.from({ length: 100 }, (_, i) => chunk(i, `房客支付租金，第 ${i} 条。`))
  all[90] = chunk(90, '押金为三千元。')
  all[70] = chunk(70, '租金如下。', '押金')
  const found = likeliest('房客的押金是多少？', all)
  expect(found).toHaveLength(16)
  expect(
    found
      .slice(0, 2)
      .map(({ ordinal }) => ordinal)
      .sort(),
  ).toEqual([70, 90])
})

test('a question that shares no word gets the first chunks; few are all taken', () => {
  const all = Array.from({ length: 40 }, (_, i) => chunk(i, `房客支付租金，第 ${i} 条。`))
  expect(likeliest('summary', all).map(({ ordinal }) => ordinal)).toEqual(Array.from({ length: 16 }, (_, i) => i))
  expect(likeliest('summary', all.slice(0, 3))).toEqual(all.slice(0, 3))
})
