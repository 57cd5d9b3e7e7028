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

test('a question of the text stands over what follows in its paragraph, or over the next one where it stands alone', () => {
  const over = (text: string) =>
    candidatesOf([
      { documentId: 'd', title: 'T', start: 0, end: text.length, text, parent: { start: 0, end: text.length, text } } as Passage,
    ])
      .filter(({ kind }) => kind === 'sentence')
      .map(({ quote, asked, context }) => [quote, asked, context])
  expect(over('Where do I park? In the yard. Not at the gate.\n\nSpaces are numbered.')).toEqual([
    ['In the yard.', 'Where do I park?', 'T › Where do I park?'],
    ['Not at the gate.', 'Where do I park?', 'T › Where do I park?'],
    ['Spaces are numbered.', undefined, 'T'],
  ])
  expect(over('Q1: 可以停车吗？\n\n可以停在院里。\n\n车位有编号。')).toEqual([
    ['可以停在院里。', '可以停车吗？', 'T › 可以停车吗？'],
    ['车位有编号。', undefined, 'T'],
  ])
})

test('how a letter begins and ends is nothing to quote, nor is a line that only opens a brace', () => {
  expect(of('Dear Imogen,\nThe policy renews on 1 April.\nKind regards,')).toEqual([['sentence', 'The policy renews on 1 April.']])
  expect(of('苗老师您好：\n口罩每盒 11.2 元。\n此致')).toEqual([['sentence', '口罩每盒 11.2 元。']])
  expect(of('"wifi": {\n"password": "x1"')).toEqual([
    ['heading', '"wifi": {'],
    ['sentence', '"password": "x1"'],
  ])
})

test('a line in capitals is a heading', () => {
  expect(of('5. NETWORK AND REMOTE ACCESS\nThe guest network is separate.')).toEqual([
    ['heading', 'NETWORK AND REMOTE ACCESS'],
    ['sentence', 'The guest network is separate.'],
  ])
  expect(of('ERR_OOM is fixed.')[0]![0]).toBe('sentence')
})
