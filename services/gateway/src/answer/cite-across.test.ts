import { describe, expect, test } from 'vitest'
import { compareAcross, isAcross } from './cite-across.ts'

const rma = 'Ask support for an RMA number first. The RMA number is valid for 30 days. Pack the unit in its box.'
const leave = 'Paternity leave is twenty days. Sick leave is paid for 12 weeks.'
const zhLeave =
  '陪产假二十天，须在孩子出生后 1 年内休完。\n\nBX-300 的目录价为 1.5 万元，自 2026 年 3 月 5 日起执行。\n晚班从下午五点半开始。'

describe('what both languages write alike', () => {
  test.each([
    ['a figure with its unit and a name in one sentence', 'RMA 号的有效期为 30 天', rma],
    ['figures as words', 'RMA 号三十天内有效', rma],
    ['a code and a price, in tens of thousands', 'The list price of the BX-300 is CNY 15,000 as of 5 March 2026', zhLeave],
    ['a month by its name', '本合同于 2028 年 4 月 30 日到期', 'The agreement ends on 30 April 2028.'],
    ['two figures', 'Paternity leave is 20 days and must be taken within 12 months', zhLeave],
  ])('%s: it stands there', (_name, claim, source) => {
    expect(compareAcross(claim, source)).toBe('stands')
  })

  test.each([
    ['another figure', 'RMA 号的有效期为 60 天', rma],
    ['another figure in words', 'RMA 号九十天内有效', rma],
    ['another unit', '陪产假共有二十周', 'Paternity leave is twenty days.'],
    ['another code', 'The BX-400 costs CNY 15,000', zhLeave],
    ['another date', 'The BX-300 costs CNY 15,000 as of 5 May 2026', zhLeave],
  ])('%s: it differs', (_name, claim, source) => {
    expect(compareAcross(claim, source)).toBe('differs')
  })

  test.each([
    ['one figure alone, which may count something else', '病假为 20 天', leave],
    ['no figure', '员工可以休陪产假', leave],
    ['a name alone, whatever is said of it', 'RMA 号不需要申请', rma],
    ['a number word that counts nothing', '陪产假可以和年假一起休，万一不够可以再申请', leave],
    ['figures of two sentences', 'RMA 号的有效期为 30 天，病假 12 周', `${rma}\n${leave}`],
    ['units of one family', '病假为 84 天', leave],
    ['a time of day, written in two ways', 'The late shift begins at 17:30', '晚班从下午 5:30 开始。'],
  ])('%s: it is not known', (_name, claim, source) => {
    expect(compareAcross(claim, source)).toBe('unknown')
  })
})

test('two languages meet also where only part of the source is in the other', () => {
  expect(isAcross('RMA 号的有效期为 30 天', rma)).toBe(true)
  expect(isAcross('The RMA number is valid for 30 days', rma)).toBe(false)
  expect(isAcross('The warranty is 24 months', '保修期为二十四个月。')).toBe(true)
  expect(isAcross('保修期为二十四个月', '保修期为二十四个月（warranty period）。')).toBe(false)
  expect(isAcross('保修期为两年', `退货须知：请保留包装。\n${rma}`)).toBe(true)
})
