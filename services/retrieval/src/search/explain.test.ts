import { expect, test } from 'vitest'
import type { HeldChunk } from '../index/chunk-index.ts'
import { type Candidates, sayWhy } from './explain.ts'
import type { Plan } from './plan-query.ts'

const plan: Plan = {
  query: '',
  language: 'en',
  script: 'hans',
  terms: [],
  idfTotal: 1,
  known: 1,
  code: true,
  identifiers: [],
  embedText: '',
  followUp: false,
}
const gate = { answerable: true, score: 1.6, threshold: 1.3, language: 'en' as const, reason: 'words and meaning fit' }
const candidate = (hints: ('name' | 'date' | 'code')[]) => ({
  // of a chunk nothing is read here
  entry: { chunk: {} as HeldChunk, scores: { lexical: 1, fused: 1 }, ranks: { lexical: 1, fused: 1 }, hints },
  kept: true,
  why: 'kept',
})
const say = (hints: ('name' | 'date' | 'code')[], more: Partial<Parameters<typeof sayWhy>[0]> = {}) => {
  const choices: Candidates = [candidate(hints)]
  return sayWhy({ plan, weight: 0.4, odds: undefined, choices, gate, degraded: [], reranked: false, ...more })
}

test('a passage is said to stand higher for what raised it, and for nothing else', () => {
  expect(say(['code'])).toContain('1 stand higher: they hold what few passages hold')
  expect(say(['code'])).not.toMatch(/name of their document|year or version/)
  expect(say(['name'])).toContain('the name of their document is in the question')
  expect(say(['date'])).toContain('the year or version of the question')
  expect(say([])).not.toContain('higher')
})

test('where each language has its list, the one that stands lower is named', () => {
  expect(say([])).not.toContain('list')
  expect(say([], { odds: 2 })).toContain('the answer is likelier in English, so Chinese ones stand lower')
  expect(say([], { odds: -2 })).toContain('the answer is likelier in Chinese, so English ones stand lower')
  expect(say([], { odds: -2, plan: { ...plan, language: 'zh' } })).toContain('答案更可能是英文的，所以中文段落靠后')
})

test('the verdict is said to be of passages, and that quotations are judged again', () => {
  expect(say([])).toContain(
    'The passages found seem enough to answer the question (1.6, where 1.3 is needed). The sentences quoted from them',
  )
  const refused = { ...gate, answerable: false, score: 1 }
  expect(say([], { gate: refused })).toContain('seem not enough to answer the question (1, where 1.3 is needed)')
  expect(say([], { gate: refused, plan: { ...plan, language: 'zh' } })).toContain('不足以回答这个问题（得分 1，至少要 1.3）')
})
