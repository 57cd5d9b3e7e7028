import type { Passage, SearchResponse } from '@docent/core/passage'
import { expect, test } from 'vitest'
import { followed, isElliptic, leansOn, rightBefore, standsAlone } from './follow-up.ts'

test.each([
  ['那 X200 呢？', true],
  ['And the daily allowance?', true],
  ['它的重量是多少？', true],
  ['How much is the rent there?', true],
  ['负责人是谁？', true],
  ['押金是多少？', true],
  ['What is its battery life?', true],
  ['提前解约要付多少违约金？', false],
  ['How often must the M60 be defrosted?', false],
  ['客服电话是多少？', false],
])('“%s” leans on what was said before: %s', (question, leans) => {
  expect(leansOn(question)).toBe(leans)
})

test('only a question with another before it can ask the same of another thing', () => {
  expect(isElliptic({ query: '那 M30 呢？', previous: 'M60 能保温多久？' })).toBe(true)
  expect(isElliptic({ query: '那 M30 呢？' })).toBe(false)
  expect(isElliptic({ query: 'And who is responsible for it?', previous: 'When?' })).toBe(false)
})

test('a question that only asks something else of the same is read with what it followed itself', () => {
  expect(followed(['专家号多少钱？', '和慈心诊所的转诊协议是哪天签的？', '有效期多久？'])).toBe(
    '和慈心诊所的转诊协议是哪天签的？\n有效期多久？',
  )
  expect(followed(['Who runs the night clinic?', 'When does the footbridge open?'])).toBe('When does the footbridge open?')
  // what names another thing takes its place
  expect(followed(['What is the rate of a director?', 'And of a technician?'])).toBe('And of a technician?')
  expect(followed(['押金？', '租期？', '地址？', '电话？'])).toBe('租期？\n地址？\n电话？')
  expect(rightBefore(followed(['押金？', '租期\n是多久？'])!)).toBe('租期 是多久？')
  expect(followed([])).toBeUndefined()
})

const found = (texts: string[], score = 2): SearchResponse => ({
  passages: texts.map((text) => ({ text, path: 'a.md', title: 'A' }) as Passage),
  answerable: score >= 1,
  gate: { answerable: score >= 1, score, threshold: 1, language: 'en', reason: '' },
  degraded: [],
  tookMs: 1,
  indexed: 9,
  configVersion: 'test',
})

test('a new subject is searched by itself; where a passage speaks of both questions, they belong together', () => {
  const wanted = { query: 'How often must the M60 be defrosted?', previous: 'What does error PV-1007 mean?' }
  const defrost = 'The M60 must be defrosted every two weeks, often at night.'
  const key = 'PV-1007: this error means that the key has expired.'
  expect(standsAlone(wanted, found([key, defrost]), found([defrost]))).toBe(true)
  expect(standsAlone(wanted, found([`${key} ${defrost}`]), found([defrost]))).toBe(false)
  // alone it finds nothing
  expect(standsAlone(wanted, found([key]), found([key], 0.3))).toBe(false)
})
