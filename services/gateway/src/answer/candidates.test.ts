import type { Passage } from '@docent/core/passage'
import { expect, test } from 'vitest'
import { candidatesOf } from './candidates.ts'

const of = (text: string) =>
  candidatesOf([
    { documentId: 'd', title: 'T', start: 0, end: text.length, text, parent: { start: 0, end: text.length, text } } as Passage,
  ]).map(({ kind, quote }) => [kind, quote])

test('a numbered line without an end is a heading in Chinese', () => {
  expect(of('三、库存')).toEqual([['heading', '三、库存']])
  expect(of('三、库存低于安全值时须补货。')).toEqual([['sentence', '三、库存低于安全值时须补货。']])
})

test('the few words that begin a line belong to the sentence after them; a sentence of Chinese is no such words', () => {
  expect(of('5. Penalty. A breach costs EUR 50,000.')).toEqual([['sentence', 'Penalty. A breach costs EUR 50,000.']])
  expect(of('违约金。每次违约五万欧元。')).toEqual([['sentence', '违约金。每次违约五万欧元。']])
  expect(of('把硅胶垫贴在桌夹内侧。玻璃桌面请勿使用桌夹。')).toEqual([
    ['sentence', '把硅胶垫贴在桌夹内侧。'],
    ['sentence', '玻璃桌面请勿使用桌夹。'],
  ])
})

test('the number of an item is taken off, that of a section and a figure are not cut', () => {
  expect(of('3. Press the button.')).toEqual([['sentence', 'Press the button.']])
  expect(of('2.1 A password must have at least 14 characters.')).toEqual([['sentence', '2.1 A password must have at least 14 characters.']])
  expect(of('1.2 Nm is the torque of the screws.')).toEqual([['sentence', '1.2 Nm is the torque of the screws.']])
  expect(of('24 months are covered.')).toEqual([['sentence', '24 months are covered.']])
})

test('a line in capitals is a heading', () => {
  expect(of('5. NETWORK AND REMOTE ACCESS\nThe guest network is separate.')).toEqual([
    ['heading', 'NETWORK AND REMOTE ACCESS'],
    ['sentence', 'The guest network is separate.'],
  ])
  expect(of('ERR_OOM is fixed.')[0]![0]).toBe('sentence')
})
