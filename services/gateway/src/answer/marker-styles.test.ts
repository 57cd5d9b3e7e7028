import { expect, test } from 'vitest'
import { createPlainMarkers } from './marker-styles.ts'

/** What is shown of a text that comes in pieces of `size`, where there are sources 1 to 3. */
function cleaned(text: string, size: number): string {
  let out = ''
  const markers = createPlainMarkers(
    (n) => n >= 1 && n <= 3,
    () => out,
  )
  for (let at = 0; at < text.length; at += size) out += markers.push(text.slice(at, at + size))
  return out + markers.end()
}

test.each([
  ['footnotes', '36 个月[^1]。48 个月[^3]。\n\n[^1]: 保修条款', '36 个月[1]。48 个月[3]。\n\n[1] 保修条款'],
  ['a word in the brackets', '36 个月[来源1]，48 个月【资料 3】', '36 个月[1]，48 个月[3]'],
  ['English words', 'EUR 230 [Source 1], EUR 70 [sources 1 and 2], [citation:3]', 'EUR 230 [1], EUR 70 [1][2], [3]'],
  ['round brackets with a word', '20 天（来源 1）。6 个月（来源：1、3）。EUR 5 (source: 2).', '20 天[1]。6 个月[1][3]。EUR 5 [2].'],
  ['brackets in brackets', '48 个月（来源：[3]）。36 [[1]].', '48 个月[3]。36 [1].'],
  ['how OpenAI marks them', 'EUR 230 per night【1†source】【3†L1-L5】.', 'EUR 230 per night[1][3].'],
  ['a range', '海外为 48 个月 [1-3]。', '海外为 48 个月 [1][2][3]。'],
  ['wide brackets', '20 天［1］', '20 天[1]'],
  [
    'a source named before what it says',
    '根据资料1，有 20 天。According to Source 2, it is 230.',
    '根据[1]，有 20 天。According to [2], it is 230.',
  ],
])('%s: the reader gets plain markers, however the pieces fall', (_name, said, shown) => {
  for (const size of [1, 2, 3, 5, 100]) expect(cleaned(said, size)).toBe(shown)
})

test.each([
  '20 天 [1]，6 个月 [1][3]，见 [1, 2] 与【1】【2】。',
  'arr[0] = x[10]; (see 3) (2026) [2024] [a](http://x.example/1) （1）第一步 (3 个月)',
  '资料1：营业执照；资料 2：身份证',
  'An unclosed [bracket that goes on and on for longer than any marker does, and (another one',
  '- [ ] open\n- [x] done',
  'Digits [0-9], [4-6] and [3-1], [[4]], ［7］, (document 4), (Ref. 12), according to source 8.',
  'Match `[^1]` or `[[1]]`:\n```js\nconst re = /[1-3]/, at = x[[2]] // (source 1)\n```\nand ~~~ so.',
  '~~~\n[来源1]\n~~~\n',
])('what is no such marker stays as it is: %s', (said) => {
  for (const size of [1, 3, 100]) expect(cleaned(said, size)).toBe(said)
})

test('a number that stands for no source is shown as a marker where it can be nothing else', () => {
  expect(cleaned('20 天[^9]，30 天[来源 9]，40【9†L1】。', 2)).toBe('20 天[9]，30 天[9]，40[9]。')
  expect(cleaned('```\n[^1]\n```\n20 天[^1]', 3)).toBe('```\n[^1]\n```\n20 天[1]')
})

// with time that grows by half with each digit it would never end
test('a long number is no marker, and is passed over at once', () => {
  for (const said of [`(doc ${'1'.repeat(200)} a`, `[source ${'12 '.repeat(300)}x]`, `[source 1${' '.repeat(2_000)}x]`])
    expect(cleaned(said, 5_000)).toBe(said)
})
