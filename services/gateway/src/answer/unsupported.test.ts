import { expect, test } from 'vitest'
import { citationsOf } from './cite.ts'
import { unsupportedIn } from './unsupported.ts'

const source = [
  'The warranty of the PX-40 is 36 months. Seals are covered for 6 months. The pump moves 120 litres per minute at 4 bar.',
  'Hotline: +49 30 5550 1234, Monday to Friday from 8:00 to 17:30. A visit costs 1.290 EUR. Empty the tank every 14 days.',
  '入职满一年的员工每年有 12 天年假。须提前 5 个工作日申请。目录价为 1.5 万元，2026-03-05 起执行。',
].join('\n')
const flagged = (text: string, more = '') =>
  unsupportedIn(text, citationsOf(text, new Map([[1, source]])), () => `${source}\n${more}`).map(({ start, end }) => text.slice(start, end))

test.for([
  ['The warranty is 36 months [1]. An extension to 60 months is possible.', 'An extension to 60 months is possible.'],
  ['The warranty is 36 months [1]. Shipping costs 9 EUR.', 'Shipping costs 9 EUR.'],
  ['The warranty is 36 months [1]. See form RMA-77.', 'See form RMA-77.'],
  ['每年有 12 天年假 [1]。满十年的员工有二十天年假。', '满十年的员工有二十天年假。'],
  ['每年有 12 天年假 [1]。\n- 病假按 80% 发放', '- 病假按 80% 发放'],
] as const)('of %j the reader is told of %j', ([text, expected]) => {
  expect(flagged(text)).toEqual([expected])
})

test.for([
  'Hello! I am glad to help with 2 or 3 things. The warranty is 36 months [1]. Do ask if anything is unclear.',
  'The manual says:\n\n1. The warranty is 36 months\n2. Seals: 6 months\n3. Empty the tank every 14 days [1]\n\nIn short: 3 years.',
  'Step 12: call the hotline. Its number is +493055501234, from 8 am to 5:30 pm. The rest is in the manual [1].',
  'A visit costs €1,290. It moves 120 l/min [1].',
  '综上，年假共十二天，须提前一周左右申请 [1]。目录价 15,000 元，自 2026 年 3 月 5 日起。一共有三点要注意，十分重要。',
  'I am 100% sure that the PX-40 is covered [1]. Thanks!',
  '| Part | Months |\n|---|---|\n| Pump | 36 | [1]\n| Seals | 6 |',
])('nobody is alarmed by %j', (text) => {
  expect(flagged(text)).toEqual([])
})

test('a faithful sentence in another language than its source is not told of', () => {
  const over = (text: string, known: string) => unsupportedIn(text, [], () => known)
  expect(over('Interest rose again in the 1990s.', '自 20 世纪 90 年代以来兴趣再度升温。')).toEqual([])
  expect(over('Water with oxygen-16 evaporates at a faster rate.', '含有氧-16的海水蒸发得更快。')).toEqual([])
  expect(over('Interest rose again in the 1980s.', '自 20 世纪 90 年代以来兴趣再度升温。')).toHaveLength(1)
})

test('what the question, the day or a tool gave is known, too', () => {
  const text = 'The PX-40 moves 120 litres per minute [1]. In 45 minutes that makes 5400 litres.'
  expect(flagged(text)).toEqual(['In 45 minutes that makes 5400 litres.'])
  expect(flagged(text, 'How much is it in 45 minutes?')).toHaveLength(1)
  expect(flagged(text, 'How much is it in 45 minutes?\n5400')).toEqual([])
})

test('the sum of what cited sentences calculated is no news, another one is', () => {
  const texts = new Map([[1, source]])
  const after = (sum: string) => {
    const text = `The pump moves 3 × 120 = 360 litres [1]. The other pump moves 2 × 120 = 240 litres [1]. Total: ${sum} litres.`
    const derived: number[] = []
    const cited = citationsOf(text, texts, 'How much in 3 and 2 minutes?', derived)
    return unsupportedIn(text, cited, () => `${source}\nHow much in 3 and 2 minutes?`, derived).map(({ start, end }) =>
      text.slice(start, end),
    )
  }
  expect(after('600')).toEqual([])
  expect(after('620')).toEqual(['Total: 620 litres.'])
})
