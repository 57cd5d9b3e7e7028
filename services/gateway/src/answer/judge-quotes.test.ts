import { NAMED_NOWHERE } from '@docent/core/passage'
import { expect, test } from 'vitest'
import { byGate, isForModel, isWorthReading, judgeQuotes } from './judge-quotes.ts'
import type { Signs } from './quote-signs.ts'

const found = (score: number, answerable = score >= 1, language: 'zh' | 'en' = 'en') => ({
  answerable,
  gate: { answerable: score >= 1, score, threshold: 1, language, reason: '' },
})
const signs = (over: Partial<Signs> = {}): Signs => ({ words: 0.6, stands: 0.1, isAcross: false, lacks: false, ...over })
const judged = (score: number, over?: Partial<Signs>) => judgeQuotes(found(score), signs(over)).judgement

test('words and meaning of the quotations decide with the gate', () => {
  expect(judged(1.8)).toBe('sure')
  expect(judged(1.1, { words: 0.5, stands: 0.08 })).toBe('doubtful')
  expect(judged(1.1, { words: 0.1, stands: 0.04 })).toBe('unsaid')
})

test('a sentence that fits well answers where the gate is just short of its threshold', () => {
  expect(judged(0.9, { words: 0.9, stands: 0.12 })).toBe('sure')
})

test('what holds no sum where one was asked for is no sure answer, however near it is', () => {
  expect(judged(1.8, { lacks: true })).not.toBe('sure')
})

test('a quotation that lacks what was asked for is never a sure answer, whatever else speaks for it', () => {
  expect(judged(3, { words: 1, stands: 0.2, lacks: true })).toBe('doubtful')
  expect(judged(3, { words: 1, stands: 0.2, names: 'missing' })).toBe('doubtful')
  expect(judged(3, { words: 1, stands: 0.2, isUnnamed: true })).toBe('doubtful')
})

test('the identifier that was asked for speaks for its row, and no other row stands in for it', () => {
  const row = { words: 0.5, stands: 0.06 }
  expect(judged(1, row)).not.toBe('sure')
  expect(judged(1, { ...row, names: 'held' })).toBe('sure')
  expect(judged(1.8, { ...row, names: 'missing' })).toBe('unsaid')
  // of the row that was asked for, too, something else may be asked
  expect(judged(1.8, { ...row, names: 'held', lacks: true })).not.toBe('sure')
})

test.each(['zh', 'en'] as const)('each sign in favour raises the odds, in %s and across', (language) => {
  for (const isAcross of [false, true]) {
    const odds = (score: number, over: Partial<Signs>) => judgeQuotes(found(score, true, language), signs({ isAcross, ...over })).odds!
    expect(odds(1.5, {})).toBeGreaterThan(odds(1.2, {}))
    expect(odds(1.5, { words: 0.7 })).toBeGreaterThan(odds(1.5, {}))
    expect(odds(1.5, { stands: 0.12 })).toBeGreaterThan(odds(1.5, {}))
    expect(odds(1.5, { lacks: true })).toBeLessThan(odds(1.5, {}))
  }
})

test('without meaning the gate decides, and quotations without the words, or lacking what was asked for, are in doubt', () => {
  const byWords = (score: number, over: Partial<Signs>) => {
    const { stands, ...rest } = signs(over)
    return judgeQuotes(found(score), rest)
  }
  expect(byWords(1.2, {})).toEqual({ judgement: 'sure' })
  expect(byWords(0.8, {}).judgement).toBe('doubtful')
  expect(byWords(0.7, {}).judgement).toBe('unsaid')
  expect(byWords(1.2, { words: 0.2 }).judgement).toBe('doubtful')
  expect(byWords(0.8, { words: 0.2 }).judgement).toBe('unsaid')
  expect(byWords(1.2, { words: 0.2, isAcross: true }).judgement).toBe('sure')
  expect(byWords(1.2, { lacks: true }).judgement).toBe('doubtful')
})

test('an attached file that answers counts as a gate that is passed', () => {
  const attached = judgeQuotes(found(0.2, true), signs())
  expect(attached).toEqual(judgeQuotes(found(1), signs()))
  expect(isWorthReading(found(0.2, true))).toBe(true)
})

test('sentences are read from half of the threshold on', () => {
  expect([0.49, 0.5, 1].map((score) => isWorthReading(found(score)))).toEqual([false, true, true])
})

test('a model reads what sentences are read of, but not where the code that was asked for stands nowhere', () => {
  expect([0.49, 0.5, 1].map((score) => isForModel(found(score)))).toEqual([false, true, true])
  const nowhere = found(0.6)
  expect(isForModel({ ...nowhere, gate: { ...nowhere.gate, reason: NAMED_NOWHERE } })).toBe(false)
})

test('where a handful of documents in the other language gave the gate nothing to judge by, their sentences are judged', () => {
  const few = { answerable: false, gate: { answerable: false, score: 0, threshold: 0, language: 'zh' as const, reason: '' } }
  expect(isWorthReading(few)).toBe(true)
  expect(judgeQuotes(few, signs({ isAcross: true, words: 0.7, stands: 0.09 })).judgement).toBe('sure')
  expect(judgeQuotes(few, signs({ isAcross: true, words: 0.2, stands: 0.04 })).judgement).toBe('unsaid')
})

test('of a follow-up the gate decides, but not that another row stands in for the one it names', () => {
  expect(byGate(found(1.8))).toBe('sure')
  expect(byGate(found(1.8), { names: 'held', lacks: false })).toBe('sure')
  expect(byGate(found(1.8), { names: 'missing', lacks: false })).toBe('unsaid')
  expect(byGate(found(1.8), { lacks: true })).toBe('doubtful')
})
