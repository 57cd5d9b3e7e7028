import { expect, test } from 'vitest'
import { cpuMs } from '../../../testkit/src/cpu-ms.ts'
import { fold } from './fold.ts'
import { stem } from './stem.ts'
import { questionTerms, tokensOf } from './tokens.ts'

test('folding: width, case, accents, invisible characters, traditional to simplified', () => {
  expect(fold('ＡＢＣ１２３')).toBe('abc123')
  expect(fold('Café Ångström')).toBe('cafe angstrom')
  expect(fold('密\u200b碼')).toBe('密码')
  expect(fold('臺灣的軟體說明書裡寫著')).toBe('台湾的软体说明书里写着')
  expect(fold('手机充电')).toBe('手机充电')
  expect(fold('ガギグ')).toBe('ガギグ') // the marks of kana stay
})

test('a text folds alike whether character by character or as a whole', () => {
  const ranges = [
    [0x20, 0x7e],
    [0xa1, 0x24f],
    [0x300, 0x36f],
    [0x2000, 0x205e],
    [0x3000, 0x30ff],
    [0x4e00, 0x9fff],
    [0xff01, 0xffe6],
    [1, 0xffff],
  ]
  let state = 1
  const below = (most: number) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0
    return Math.floor(((state >>> 0) / 2 ** 32) * most)
  }
  for (let n = 0; n < 5_000; n++) {
    const text = Array.from({ length: 1 + below(8) }, () => {
      const [low, high] = ranges[(n + below(2)) % ranges.length] as [number, number]
      return String.fromCharCode(low + below(high - low + 1))
    }).join('')
    // the sign folds into three characters, which is only done as a whole
    expect(`${fold(text)} a/c`, [...text].map((char) => char.charCodeAt(0).toString(16)).join(' ')).toBe(fold(`${text} ℀`))
  }
})

test('folding twice changes nothing', () => {
  const all = Array.from({ length: 0x9fff - 0x3400 }, (_, i) => String.fromCharCode(0x3400 + i)).join('')
  expect(fold(fold(all))).toBe(fold(all))
})

test('Chinese: characters and bigrams across the run, not across punctuation', () => {
  expect(tokensOf('保修期，两年')).toEqual(['保', '保修', '修', '修期', '期', '两', '两年', '年'])
  expect(tokensOf('3個月WiFi密碼')).toEqual(['3', '个', '个月', '月', 'wifi', '密', '密码', '码'])
  expect(tokensOf('𠮷野')).toEqual(['𠮷', '𠮷野', '野'])
})

test.each([
  ['cities', 'city'],
  ['boxes', 'box'],
  ['running', 'runs'],
  ['stopped', 'stop'],
  ['making', 'makes'],
  ['warranties', 'warranty'],
  ['used', 'using'],
  ['refunded', 'refunds'],
  ['classes', 'class'],
])('%s and %s meet', (a, b) => {
  expect(stem(a)).toBe(stem(b))
})

test.each(['string', 'bed', 'news', 'bus', 'this', 'is', 'as', 'gas'])('%s keeps its meaning', (word) => {
  expect(stem(word)).toBe(word)
})

test('identifiers are found whole and in parts', () => {
  expect(tokensOf('RFC-9457')).toEqual(['rfc-9457', 'rfc', '9457'])
  expect(tokensOf('v2.3.1')).toEqual(['v2.3.1', 'v', '2', '3', '1'])
  expect(tokensOf('ERR_OOM')).toEqual(['err_oom', 'err', 'oom'])
  expect(tokensOf('10,000 items')).toEqual(['10000', 'item'])
  expect(tokensOf('C++ and C#')).toEqual(['c++', 'c', 'and', 'c#', 'c'])
  expect(tokensOf("the company's state-of-the-art")).toEqual(['the', 'compani', 'stat', 'of', 'the', 'art'])
})

test('other scripts are words', () => {
  expect(tokensOf('Привет мир')).toEqual(['привет', 'мир'])
  expect(tokensOf('👍🏽 \u200b …')).toEqual([])
})

test('words that only ask are told from content', () => {
  const content = (question: string) => questionTerms(question).flatMap((term) => (term.content ? [term.term] : []))
  expect(content('How long is the warranty of the RFC-9457 router?')).toEqual(['long', 'warranti', 'rfc', '9457', 'router'])
  expect(content('保修期是多久？')).toEqual(['保', '保修', '修', '修期', '期'])
  expect(content('請問保固多久')).toEqual(['保', '保固', '固'])
  expect(content('为什么')).toEqual([])
  expect(content('可以退货吗')).toEqual(content('退货'))
  expect(content('年假有几天')).toEqual(['年', '年假', '假', '天'])
  expect(questionTerms('test test')[0]).toMatchObject({ term: 'test', count: 2 })
})

test.each([
  ['one word', 'a'.repeat(300_000)],
  ['joiners', 'a-'.repeat(150_000)],
  ['digits and commas', '1,'.repeat(150_000)],
  ['plus signs', 'a+'.repeat(150_000)],
  ['Chinese', '中'.repeat(300_000)],
  ['accents', 'e\u0301'.repeat(150_000)],
  ['asking', '什'.repeat(300_000)],
])('linear on %s', (_, text) => {
  // of this thread's processor, the least of three: a busy machine or a collection of garbage makes nothing longer
  const time = (part: string) => Math.min(...[1, 2, 3].map(() => cpuMs(() => questionTerms(part))))
  const tenth = Math.max(2, time(text.slice(0, 30_000)))
  expect(time(text)).toBeLessThan(tenth * 60) // quadratic would be 100
})
