import type { Passage } from '@docent/core/passage'
import { expect, test } from 'vitest'
import { candidatesOf } from './candidates.ts'
import { promptText } from './table-lines.ts'

/** The passage from `start` to `end` of a document, its section from `from` to `to`. */
function passageOf(
  text: string,
  [start, end]: [number, number],
  [from, to]: [number, number] = [0, text.length],
  more: Partial<Passage> = {},
) {
  const parent = { start: from, end: to, text: text.slice(from, to) }
  return { documentId: 'd', title: 'T', start, end, text: text.slice(start, end), parent, ...more } as Passage
}
const rowsOf = (passage: Passage) =>
  candidatesOf([passage])
    .filter(({ kind }) => kind === 'row')
    .map(({ quote }) => quote)
const all = (text: string, more: Partial<Passage> = {}) => rowsOf(passageOf(text, [0, text.length], [0, text.length], more))

const header = 'sku | name | price_eur | stock | warehouse'
const row = (n: number) => `SKU-${n} | Widget model ${n} | ${n}.50 | ${n - 1000} | ${n % 2 ? 'Lyon' : 'Basel'}`
const block = (from: number) => [header, ...Array.from({ length: 8 }, (_, i) => row(from + i))].join('\n')
const csv = Array.from({ length: 20 }, (_, i) => block(1000 + 8 * i)).join('\n\n')

test('a row is named by the header of its own block, wherever its section begins', () => {
  const start = csv.indexOf(block(1048))
  const at: [number, number] = [start, start + block(1048).length]
  const expected = 'sku: SKU-1051; name: Widget model 1051; price_eur: 1051.50; stock: 51; warehouse: Lyon'
  for (let from = start - 700; from <= start; from += 1) {
    if (csv[from - 1] !== '\n') continue
    const passage = passageOf(csv, at, [from, csv.lastIndexOf('\n', from + 1_950)], { row: 50, lastRow: 57 })
    const rows = rowsOf(passage)
    expect(rows).toHaveLength(8)
    expect(rows[3]).toBe(expected)
    // a model reads no row without its header above it
    for (const part of promptText(passage).trim().split('\n\n')) expect(part.split('\n')[0]).toBe(header)
    expect(promptText(passage)).toContain(passage.text)
    for (const { start: place, from: quoted } of candidatesOf([passage])) expect(csv.slice(place, place + quoted.length)).toBe(quoted)
  }
})

test('two tables of a section keep their own names', () => {
  const two = '船名 | 泊位\n海鸥号 | 3\n\n会员类型 | 年费\n高级会员 | 950元'
  expect(all(two)).toEqual(['船名: 海鸥号；泊位: 3', '会员类型: 高级会员；年费: 950元'])
  const marked = '| A | B |\n| --- | --- |\n| 1 | 2 |\n\nText.\n\n| C | D |\n| --- | --- |\n| 3 | 4 |'
  expect(all(marked)).toEqual(['A: 1; B: 2', 'C: 3; D: 4'])
})

test('where the header is not known a row is quoted as it stands', () => {
  const text = `${'x | 1\n'.repeat(400)}last | 9\n\nC | D\n3 | 4`
  const from = 600
  const cut = passageOf(text, [text.indexOf('last'), text.length], [from, text.length])
  expect(rowsOf(cut)).toEqual(['last | 9', 'C: 3; D: 4'])
  // after a line between them, a row may be of another table; a merged cell moves those after it
  expect(all('A | B\n1 | 2\nThe others:\nC | D\n3 | 4')).toEqual(['A: 1; B: 2', 'C | D', '3 | 4'])
  expect(all('A | B | C\n1 | 2 | 3\n5 | 6')).toEqual(['A: 1; B: 2; C: 3', '5 | 6'])
  expect(all('A | B | C\n1 | 2 | 3\n5 | 6', { row: 2 })).toEqual(['A: 1; B: 2; C: 3', 'A: 5; B: 6'])
  expect(all('one | line')).toEqual(['one | line'])
  expect(rowsOf(passageOf(text, [from, from + 100], [from, from + 100 + 1_700]))[0]).toBe('x | 1')
})

test('an edited neighbour cuts the section at its end: a row after it is no header', () => {
  const text = 'A | B\n1 | 2\n3 | 4\n5 | 6\n\nC | D\n7 | 8'
  const at = text.indexOf('3 |')
  expect(rowsOf(passageOf(text, [at, text.length], [at - 1, text.length]))).toEqual(['3 | 4', '5 | 6', 'C: 7; D: 8'])
  const next = text.indexOf('C |')
  expect(rowsOf(passageOf(text, [next, text.length], [next - 2, text.length]))).toEqual(['C: 7; D: 8'])
})

test('a cell with a full stop and an empty first cell keep the columns', () => {
  expect(all('型号 | 备注 | 价格\nA1 | 三种颜色。同价。 | 5元\n| 新款。 | 6元\nA3 | 旧款 |')).toEqual([
    '型号: A1；备注: 三种颜色。同价。；价格: 5元',
    '备注: 新款。；价格: 6元',
    '型号: A3；备注: 旧款',
  ])
})
