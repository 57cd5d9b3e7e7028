import { expect, test } from 'vitest'
import { fold } from './fold.ts'
import { identifiersOf } from './identifiers.ts'

const keysOf = (text: string) => identifiersOf(text).map(({ key }) => key)
const stands = (name: string, text: string) => identifiersOf(name).every(({ pattern }) => pattern.test(fold(text)))

test.each([
  ['Where is KOALA-55?', ['koala-55']],
  ['KOALA-55 在哪个货架？', ['koala-55']],
  ['工号E10233的人在哪？', ['e10233']],
  ['What does ERR_OOM mean?', ['err_oom']],
  ['Is v2.3.1 or 2.4.0 newer?', ['v2.3.1', '2.4.0']],
  ['Who is ann.lee@norden.example?', ['ann.lee@norden.example']],
  ['What is RFC 9457 about?', ['rfc 9457']],
  ['订单 DD20240315-0042 发货了吗？', ['dd20240315-0042']],
  ['2025年3月8日是谁巡检的？', ['2025年3月8日']],
  ['2025 年 3 月 8 日是谁巡检的？', ['2025 年 3 月 8 日']],
  ['Who was there on 8 March 2025?', ['8 march 2025']],
  ['Who was there on Mar. 8th, 2025?', ['mar. 8th, 2025']],
  ['Where is order 4830091?', ['4830091']],
  ['ｆ－２０３ 是什么故障？', ['f-203']],
])('what stands for one thing: %s', (text, keys) => {
  expect(keysOf(text)).toEqual(keys)
})

test.each([
  'How many of the 10,000 rooms have 12V lamps in the 19th century or the mid-1990s, for 5-year-old children or 10-20 of them?',
  'What costs 4.5 euros and/or 3/4 of it in 2024 or 2024-25?',
  'How long is the well-known warranty of the A1 under /api/v1?',
  '三月份有 25 天吗？',
])('amounts, years and words stand for nothing: %s', (text) => {
  expect(keysOf(text)).toEqual([])
})

test.each([
  ['KOALA-55', '| KOALA-55 | shelf 7 |', true],
  ['KOALA-55', 'koala 55', true],
  ['KOALA-5', '| KOALA-55 | shelf 7 |', false],
  ['KOALA-55', 'KOALA-155, KOALA-55-2', false],
  ['RFC-9457', '见 rfc9457。', true],
  ['F-203', 'F-203表示水泵过热', true],
  ['v2.3.1', 'Version 2.3.1.', true],
  ['v2.3.1', 'v2.3.10 and 12.3.1 and 2.3.1.4', false],
  ['2024-03-05', '2024/3/5, 2024年3月5日', true],
  ['2024-03-05', 'on 5 March 2024', true],
  ['2024 年 3 月 5 日', '2024-03-05', true],
  ['2024-03-05', '2024 年 3 月 5 日', true],
  ['5 March 2024', '会议纪要 2024-03-05', true],
  ['March 5, 2024', '2024-03-15', false],
  ['2024-03-05', 'on March 5, 2024', true],
  ['2024-03-05', '2024-03-05T08:31:07Z', true],
  ['2024-03-05', '15 March 2024, 2024-03-15', false],
  ['ann@norden.example', 'ann@norden.example, joann@norden.example', true],
  ['ann@norden.example', 'joann@norden.example, ann@norden.example.org', false],
] as const)('%s in “%s”: %s', (name, text, is) => {
  expect(stands(name, text)).toBe(is)
})

test('a long text without any takes no time, and no more than a handful are kept', () => {
  expect(keysOf('a-'.repeat(20_000))).toEqual([])
  expect(keysOf(Array.from({ length: 50 }, (_, i) => `AB-${i}`).join(' '))).toHaveLength(8)
})
