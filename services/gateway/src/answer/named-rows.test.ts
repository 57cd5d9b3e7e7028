import { expect, test } from 'vitest'
import { namingsOf, shareOfCodes, versionsNotIn } from './named-rows.ts'

const table = (header: string[], ...rows: string[][]) => rows.map((row) => row.map((cell, i) => ({ column: header[i]!, cell })))
const models = table(
  ['型号', '名称', '零售价', '备注'],
  ['A1', 'Arc 智能台灯', '¥899', '三种颜色同价'],
  ['A1 Pro', 'Arc 智能台灯（无线充电底座）', '¥1,299', ''],
  ['A10', '灯臂', '¥99', '适用于 A1'],
  ['H2', 'Hub 网关', '¥1,680', ''],
)

test('a row is asked for by a whole cell, and one whose name has more or less to it is another', () => {
  expect(namingsOf('A1 台灯零售价是多少？', models)).toEqual(['asked', 'other', undefined, undefined])
  expect(namingsOf('a1 pro多少钱', models)).toEqual(['other', 'asked', undefined, undefined])
  expect(namingsOf('A1Pro 多少钱', models)).toEqual(['other', 'asked', undefined, undefined])
  expect(namingsOf('A1 和 A1 Pro 哪个贵？', models)).toEqual(['asked', 'asked', undefined, undefined])
  expect(namingsOf('Arc 智能檯燈多少錢', models)[3]).toBeUndefined()
  expect(namingsOf('多少钱？', models)).toEqual([undefined, undefined, undefined, undefined])
})

test('names need not be codes', () => {
  const plans = table(['Plan', 'Price'], ['Care', '$9'], ['Care Plus', '$19'], ['Family Care', '$29'], ['Careful', '$1'])
  expect(namingsOf('How much is Care?', plans)).toEqual(['asked', 'other', 'other', undefined])
  expect(namingsOf('How much is care plus?', plans)).toEqual(['other', 'asked', undefined, undefined])
  const editions = table(['版本', '价格'], ['基础版', '¥10'], ['基础版（年付）', '¥100'])
  expect(namingsOf('基礎版多少錢', editions)).toEqual(['asked', 'other'])
  expect(namingsOf('年付基础版', [undefined, ...editions])).toEqual([undefined, 'asked', 'other'])
})

test('a code counts where it stands for itself', () => {
  expect(shareOfCodes(['a1'], 'A10; PA1')).toBe(0)
  expect(shareOfCodes(['a1', 'h2'], 'A1台灯')).toBe(0.5)
  expect(shareOfCodes(['12'], 'a 12V supply')).toBe(1)
  expect(shareOfCodes(['12'], '120')).toBe(0)
  expect(shareOfCodes([], 'A1')).toBe(0)
})

test('a version is held where it stands as it is, not as part of another', () => {
  expect(versionsNotIn('When was Kestrel 4.3 released?', ['4.2 (12 March)', 'Kestrel 4.3.1', '14.3'])).toEqual(['4.3'])
  expect(versionsNotIn('Kestrel 4.3 什么时候发布？', ['v4.3（3 月）'])).toEqual([])
  expect(versionsNotIn('between 4.1 and 4.2.', ['since 4.1', 'release 4.2.'])).toEqual([])
  expect(versionsNotIn('Is 10.0.0.12 the printer?', ['10.0.0.1 and 10.0.0.123'])).toEqual(['10.0.0.12'])
  expect(versionsNotIn('How long is the warranty of the A1 in 2025?', [''])).toEqual([])
})
