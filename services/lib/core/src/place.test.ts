import { expect, test } from 'vitest'
import { isSamePlace, placeOf, placeWords, spanPlace } from './place.ts'

test('a place is told in words, from the outside in, in both languages', () => {
  expect(placeWords({ page: 3 }, 'zh')).toBe('第 3 页')
  expect(placeWords({ slide: 2 }, 'zh')).toBe('第 2 张幻灯片')
  expect(placeWords({ sheet: '销售', row: 2, lastRow: 9 }, 'zh')).toBe('工作表“销售”，第 2–9 行')
  expect(placeWords({ sheet: 'Sales', row: 2, lastRow: 9 }, 'en')).toBe('sheet “Sales”, rows 2–9')
  expect(placeWords({ sheet: 'Sales', row: 2 }, 'en')).toBe('sheet “Sales”, row 2')
  expect(placeWords({ attachment: 'mail.eml › plan.pdf', page: 1 }, 'en')).toBe('attachment mail.eml › plan.pdf, page 1')
  expect(placeWords({ attachment: '计划.pdf', page: 1 }, 'zh')).toBe('附件 计划.pdf，第 1 页')
  expect(placeWords({ chapter: 'One' }, 'en')).toBe('chapter “One”')
  expect(placeWords({ chapter: '第一章' }, 'zh')).toBe('章节“第一章”')
  expect(placeWords({}, 'en')).toBe('')
})

test('rows span, everything else must be the same', () => {
  const a = { sheet: 'A', row: 2, lastRow: 4 }
  const b = { sheet: 'A', row: 5, lastRow: 9 }
  expect(isSamePlace(a, b)).toBe(true)
  expect(isSamePlace(a, { ...b, sheet: 'B' })).toBe(false)
  expect(spanPlace([a, b])).toEqual({ sheet: 'A', row: 2, lastRow: 9 })
  expect(spanPlace([{ row: 3 }, { row: 3 }])).toEqual({ row: 3 })
  // the sheet's heading has no row of its own
  expect(spanPlace([{ sheet: 'A' }, a, { sheet: 'A' }])).toEqual(a)
  expect(spanPlace([{ page: 1 }])).toEqual({ page: 1 })
  expect(placeOf({ ...a, page: undefined, slide: 1 })).toEqual({ slide: 1, sheet: 'A', row: 2, lastRow: 4 })
})
