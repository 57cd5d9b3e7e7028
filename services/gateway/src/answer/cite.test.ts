import { expect, test } from 'vitest'
import { citationsOf } from './cite.ts'

const sources = new Map([
  [1, 'The warranty lasts 24 months. Batteries are covered for 12 months.'],
  [2, '整机保修期为 24 个月。'],
])
const of = (text: string) =>
  citationsOf(text, sources).map(({ start, end, source, verified }) => [text.slice(start, end), source, verified])

test('a marker claims the sentence before it, and a wrong figure is not verified', () => {
  expect(of('The warranty lasts 24 months [1]. Batteries have 36 months [1].')).toEqual([
    ['The warranty lasts 24 months', 1, true],
    ['Batteries have 36 months', 1, false],
  ])
})

test('a word between two markers claims nothing of its own', () => {
  expect(of('The warranty lasts 24 months [1] and [2].')).toEqual([
    ['The warranty lasts 24 months', 1, true],
    ['The warranty lasts 24 months', 2, false],
  ])
  expect(of('保修期为 24 个月【1】、【2】。').map(([claim, source]) => [claim, source])).toEqual([
    ['保修期为 24 个月', 1],
    ['保修期为 24 个月', 2],
  ])
})

test('a source that was not given is no citation', () => {
  expect(of('See the manual [7].')).toEqual([])
})

const leave = '三、休假\n\n假别 | 天数 | 说明\n陪产假 | 20 天 | 须在孩子出生后 6 个月内休完\n丧假 | 3 天 | 直系亲属'
const quote = '报价有效期至 2026 年 4 月 15 日。CoolBox M60 共 8 台，单价 4,092 元。电话 400-820-6677。预算 380 万元。'
const battery =
  'Open the two screws at the back with a T8 screwdriver. Replace the battery within 90 seconds. The BX-300 lists at EUR 248, the probe at 27.'
const box = '规格\n\n项目 | M30 | M60\n断电保温时间 | 18 小时 | 30 小时\n净重 | 11.5 公斤 | 19.2 公斤\n\nM60 需每两周除霜，开盖 1 小时。'
const prices =
  'price-list-2026.csv\nSKU | Product | EUR | Min order\nBX-200 | Logger BX-200 | 89 | 10\nBX-300 | Logger BX-300 | 248 | 5\nPRB-T5 | Probe | 27 | 20'
const lines = '月份 | 产线 | 产量 | 直通率\n1月 | 二号线 | 3180 | 97.2%\n2月 | 一号线 | 2950 | 98.7%\n2月 | 二号线 | 2415 | 97.9%'
const alarms = '若显示 E3，表示压缩机过热，请断电 40 分钟后重试。若显示 E7，表示温度传感器断线，请联系售后。'
const work = '研发与市场岗位每周最多可远程办公 2 天，须在前一个工作日 17:00 前登记。试用期员工不得远程办公。'
const given = '订单 12 台多少钱？ Today is 2026-11-22.'
const judged = (text: string, ...bodies: string[]) =>
  citationsOf(text, new Map(bodies.map((body, i) => [i + 1, body])), given).map(({ verified, unchecked }) => unchecked ?? verified)

test.each([
  ['items of a numbered list', '1. Open the two screws with a T8 screwdriver [1].\n2. Replace the battery within 90 seconds [1].', battery],
  ['the day it is', '已失效：今天是 2026-11-22，报价有效期至 2026-04-15 [1]。', quote],
  ['a figure written out', '预算为 3,800,000 元 [1]。', quote],
  ['a product of two figures', 'Twelve BX-300 at EUR 248 list at 12 × 248 = EUR 2,976 [1].', battery],
  [
    'a sum of what was calculated before',
    'The BX-300: 12 × 248 = 2,976 [1]. The probe: 12 × 27 = 324 [1]. Probe and BX-300: 3,300 [1].',
    battery,
  ],
  ['a number in words and a product', 'Twelve probes of the BX-300 at EUR 27 cost EUR 324 [1].', battery],
  ['kilograms for grams', 'The BX-300 weighs 165 g (0.165 kg) [1].', 'Weight of the BX-300: 165 g; weighs little.'],
  ['the line that is named', '二号线 2 月的直通率为 97.9%，一号线 98.7% [1]。', lines],
  ['a header that is repeated', 'It was EUR 248 then [1].', `${prices}\n${prices.slice(20)}`],
  ['two rows in a row', '陪产假 20 天、丧假 3 天（直系亲属）[1]。', leave],
  ['what the code means', 'E7 表示温度传感器断线，请联系售后；E3 表示压缩机过热，断电 40 分钟 [1]。', alarms],
  ['each column under its name', 'M30 的断电保温时间为 18 小时，M60 为 30 小时，比 M30 长；M60 净重 19.2 公斤 [1]。', box],
  ['two columns at once', 'M30 和 M60 的断电保温时间分别为 18 小时和 30 小时 [1]。', box],
  ['what stands beside the table', 'M60 断电保温时间 30 小时，M60 除霜时开盖 1 小时 [1]。', box],
  [
    'the row that is named',
    'In 2026 the BX-300 costs EUR 248 (min order 5), the probe 27 [1]. The probe of the BX-300 costs EUR 27 [1]. 12 BX-300: 12 × 248 = EUR 2,976 [1].',
    prices,
  ],
  ['the year of a file', 'In 2025 it was EUR 248, the BX-300 [1].', prices.replace('2026', '2025')],
  ['words with one between them', '确认电量高于 40% [1]。', '电量须高于 40%。更新约需 4 分钟。'],
  ['a part of a list', 'The HLC-45 is USD 38.50 per piece [1].', 'HLC-45: USD 38.50 per piece; HLC-70: USD 51.20 per piece, until 2026.'],
  ['what is allowed', '研发与市场岗位可以远程办公，每周 2 天 [1]。', work],
  ['two years for 24 months', '整机保修 2 年 [1]。', '整机保修 24 个月。'],
  ['an hour of the afternoon', '晚班从下午 3:30 到 11:30 [1]。', '晚班 15:30 至 23:30，每两周轮换。'],
  ['the other script', '请到大楼后方停车场 C3 柱旁集合 [1]。', '集合地點：大樓後方停車場 C3 柱旁。'],
  ['the table that a line heads', '陪产假与丧假如下 [1]：\n\n| 假别 | 天数 |\n|---|---|\n| 陪产假 | 20 天 |\n| 丧假 | 3 天 |', leave],
  ['what follows its marker', '[1] 陪产假有 20 天，须在孩子出生后 6 个月内休完。', leave],
  ['what follows “according to”', '根据[1]，陪产假有 20 天。', leave],
  ['a telephone number', '报价电话是 400-820-6677 [1]。', quote],
])('%s: it stands in the source', (_name, text, body) => {
  expect(new Set(judged(text, body))).toEqual(new Set([true]))
})

test.each([
  ['another figure', '陪产假有 15 天 [1]。', leave],
  ['a figure that is part of another', '丧假 9 天，陪产假 2 天 [1]。', leave],
  ['another figure after the marker', '陪产假 [1] 为 15 天。', leave],
  ['another unit', '陪产假有 20 周 [1]。', leave],
  ['a wrong product', 'Twelve BX-300 at EUR 248 list at 12 × 248 = EUR 2,876 [1].', battery],
  ['per cent for minutes', '更新约需 40 分钟 [1]。', '电量须高于 40%。更新约需 4 分钟。'],
  [
    'the price of another part of a list',
    'The HLC-45 is USD 51.20 per piece [1].',
    'HLC-45: USD 38.50 per piece; HLC-70: USD 51.20 per piece, until 2026.',
  ],
  ['the figure of another line', '二号线 2 月的直通率为 98.7% [1]。', lines],
  ['what another code means', 'E3 表示温度传感器断线 [1]。', alarms],
  ['two columns taken for each other', 'M30 的断电保温时间为 30 小时，M60 为 18 小时 [1]。', box],
  ['the price of another row', 'The logger BX-200 costs EUR 248 [1].', prices],
  ['what the source forbids', '试用期员工可以远程办公，每周最多 2 天 [1]。', work],
  ['what the source allows', 'Guests must not use the Wi-Fi [1].', 'Guests may use the Wi-Fi. Staff must not share it.'],
  ['another code', 'The BX-400 lists at EUR 248 [1].', battery],
  ['another telephone number', '报价电话是 400-820-6678 [1]。', quote],
  ['a row that is not there', '假别如下 [1]：\n- 陪产假 20 天\n- 丧假 5 天', leave],
  ['the question’s figure alone', '订单 12 台 [1]。', quote],
])('%s: it does not', (_name, text, body) => {
  expect(new Set(judged(text, body))).toEqual(new Set([false]))
})

test('what two sources say together is supported by both, what neither says by none', () => {
  expect(judged('整机保修 24 个月，陪产假 20 天 [1][2]。', '整机保修 24 个月。', leave)).toEqual([true, true])
  expect(judged('整机保修 36 个月，陪产假 20 天 [1][2]。', '整机保修 24 个月。', leave)).toEqual([false, false])
})

test('that a source does not say something is no claim on it', () => {
  expect(judged('资料中没有提到产假的天数 [1][2]。', leave, quote)).toEqual([])
  expect(judged('The sources do not mention the CEO [1].', battery)).toEqual([])
  expect(judged('没有规定的，陪产假为 20 天，须在孩子出生后 6 个月内休完 [1]。', leave)).toEqual([true])
})

test('a statement in a third language is not checked by words', () => {
  expect(judged('Die Schrauben werden mit dem Werkzeug geöffnet [1].', battery)).toEqual(['language'])
  expect(judged('Der BX-300 kostet 999 Euro [1].', battery)).toEqual([false])
})
