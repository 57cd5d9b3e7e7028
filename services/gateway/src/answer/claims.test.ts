import { expect, test } from 'vitest'
import { claimsOf } from './claims.ts'

const of = (text: string) => claimsOf(text).map(({ said, numbers }) => [said, ...numbers])

test.each<[string, string, unknown[]]>([
  [
    'the sentence before it',
    '保修 24 个月 [1]。电池 12 个月。[2]',
    [
      ['保修 24 个月', 1],
      ['电池 12 个月。', 2],
    ],
  ],
  [
    'an item of a list without its number',
    '1. **Open** the screws [1].\n- Replace it [2]',
    [
      ['**Open** the screws', 1],
      ['Replace it', 2],
    ],
  ],
  ['markers side by side share it', 'A lasts 24 months [1][3] and [2].', [['A lasts 24 months', 1, 3, 2]]],
  [
    'what follows it at the beginning of a line',
    '[1] 陪产假有 20 天。\n[2] 病假有 12 天。',
    [
      ['陪产假有 20 天。', 1],
      ['病假有 12 天。', 2],
    ],
  ],
  [
    'what follows a word that leads to it',
    '根据[1]，保修 36 个月。According to [2], it is 48 months.',
    [
      ['保修 36 个月。', 1],
      ['it is 48 months.', 2],
    ],
  ],
  ['the whole clause around it', '陪产假 [1] 为 15 天，须在 6 个月内休完。', [['陪产假 为 15 天', 1]]],
  ['not the clause after it', '有效期至 4 月 15 日 [2]，已过期 7 个月。', [['有效期至 4 月 15 日', 2]]],
  [
    'a clause of its own after another marker',
    '国内 36 个月 [1]；海外 48 个月 [3]。',
    [
      ['国内 36 个月', 1],
      ['海外 48 个月', 3],
    ],
  ],
  ['brackets around a marker', '36 个月（[1]）。', [['36 个月', 1]]],
  [
    'a row of a table',
    '| 容积 | 30 升 | [2] |\n| 净重 | 11.5 公斤 [2] |',
    [
      ['容积 | 30 升', 2],
      ['净重 | 11.5 公斤', 2],
    ],
  ],
  ['a line of its own under a list', '1. 电量高于 40%。\n2. 不要拔线。\n[2]', [['不要拔线。', 2]]],
  ['no code', 'Use `a[1]`:\n```\nx[2] = 3\n```\nIt works [3].', [['It works', 3]]],
])('a marker stands for %s', (_name, text, claims) => {
  expect(of(text)).toEqual(claims)
})

test('a line that heads a list or a table stands for its items, as far as they have no markers', () => {
  expect(claimsOf('区别如下 [2]：\n\n| 项目 | M30 |\n|---|---|\n| 容积 | 30 升 |\n| 除霜 | 自动 [3] |')[0]!.rest).toEqual([
    '项目 | M30',
    '容积 | 30 升',
  ])
  expect(claimsOf('**加班** [3]\n- 休息日 2 倍\n\n其他').map(({ rest }) => rest)).toEqual([['休息日 2 倍']])
  expect(claimsOf('保修 24 个月 [3]\n- 休息日 2 倍').map(({ rest }) => rest)).toEqual([[]])
})

test('its span is text that ends before the marker, or holds it', () => {
  const spans = (text: string) => claimsOf(text).map(({ start, end }) => text.slice(start, end))
  expect(spans('1. 保修 24 个月 [1]。')).toEqual(['保修 24 个月'])
  expect(spans('根据[1]，保修 36 个月。')).toEqual(['根据[1]，保修 36 个月。'])
  expect(spans('[1] 保修 36 个月。')).toEqual(['[1] 保修 36 个月。'])
})
