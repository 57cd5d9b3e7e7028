import { expect, test } from 'vitest'
import { type OcrItem, ocrLines } from './ocr-lines.ts'

const item = (text: string, x: number, y: number, width: number, height: number): OcrItem => ({
  text,
  x,
  y,
  width,
  height,
  confidence: 0.93,
})
const textsOf = (items: OcrItem[]) => ocrLines(items).map(({ text }) => text)

// as Tesseract read three pictures of the same four lines
test.each([
  [
    [
      item('机 房 巡 检 记 录', 29.5, 47.2, 113.8, 18),
      item('每 月检查 一 次 柴油 发电机', 29.9, 74.9, 145.8, 19.4),
      item('，', 177.8, 85.7, 2.2, 4.3),
      item('柴油 储量 不 得 低 于 八 百 升', 29.5, 100.4, 146.5, 12.6),
      item('。', 177.5, 109.1, 3.6, 4.0),
      item('值班 工程 师: 林 晓 峰', 29.5, 123.1, 119.9, 19.4),
    ],
    '机房巡检记录',
  ],
  [
    [
      item('机 房 巡 检 记 录', 29.2, 47.2, 113.8, 18),
      item('每月检查 一', 29.5, 80.3, 101.2, 26.6),
      item('次 柴油发电机', 132.8, 80.3, 106.9, 26.6),
      item('，', 242.6, 93.2, 4.0, 6.8),
      item('柴油 储量 不 得 低', 29.5, 116.3, 145.4, 18.0),
      item('于 八', 183.2, 117.7, 17.6, 16.2),
      item('百', 210.2, 117.0, 9.4, 17.3),
      item('升', 228.6, 116.6, 10.4, 17.6),
      item('。', 242.3, 127.4, 4.7, 6.5),
      item('值班 工程 师: 林 晓 峰', 29.5, 149.4, 171.0, 26.6),
    ],
    '机房巡检记录',
  ],
  // one character was not seen
  [
    [
      item('机 房 巡', 29.5, 45.4, 50.4, 16.2),
      item('记 录', 100.4, 45.7, 31.3, 15.5),
      item('每', 29.5, 70.2, 14.8, 9.7),
      item('月', 43.9, 68.4, 9.7, 16.2),
      item('检查 一', 53.3, 70.2, 33.8, 9.7),
      item('次 柴油发', 86.8, 68.4, 42.8, 16.2),
      item('电机', 129.2, 70.2, 14.4, 9.7),
      item('，', 145.8, 77.8, 1.8, 3.2),
      item('柴油 储量 不 得 低 于 八 百升', 29.2, 87.5, 117.4, 16.2),
      item('。', 146.2, 95.8, 2.2, 3.2),
      item('值班 工程 师: 林 晓 峰', 29.2, 106.6, 94.3, 15.8),
    ],
    '机房巡记录',
  ],
])('marks stay with their sentences, and nothing is left between Chinese characters', (items, heading) => {
  expect(textsOf(items)).toEqual([heading, '每月检查一次柴油发电机，', '柴油储量不得低于八百升。', '值班工程师:林晓峰'])
})

test('a full stop below the line it ends is no line, and what stands far apart is two', () => {
  expect(textsOf([item('一 二 一', 10, 20, 40, 4), item('。', 52, 30, 3, 4), item('第二行', 10, 50, 40, 12)])).toEqual([
    '一二一。',
    '第二行',
  ])
  expect(textsOf([item('左边一栏', 10, 20, 48, 12), item('右边一栏', 200, 20, 48, 12)])).toEqual(['左边一栏', '右边一栏'])
})

test('blanks and marks between Latin words stay', () => {
  expect(textsOf([item('Engineer : Lin, tel. 12', 10, 20, 140, 12)])).toEqual(['Engineer : Lin, tel. 12'])
})
