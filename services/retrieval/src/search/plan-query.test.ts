import { expect, test } from 'vitest'
import { planQuery } from './plan-query.ts'

const known = new Set(['保修', '保', '修', '期', '修期', 'warranti', 'refund', '范围', '进水'])
const index = { idf: (term: string) => (known.has(term) ? 2 : 5), frequency: (term: string) => (known.has(term) ? 3 : 0) }
const weightOf = (plan: ReturnType<typeof planQuery>, term: string) => plan.terms.find((one) => one.term === term)?.weight

test('language, script and what the index knows of the question', () => {
  const plan = planQuery({ query: '保修期是多久？' }, index)
  expect(plan).toMatchObject({ language: 'zh', script: 'hans', known: 1, followUp: false, embedText: '保修期是多久？' })
  expect(planQuery({ query: 'Where is the zebra refund?' }, index).known).toBeCloseTo(2 / 7)
  expect(planQuery({ query: '保固期是多久？這個' }, index).script).toBe('hant')
})

test('words that only ask weigh less', () => {
  const plan = planQuery({ query: 'How long is the warranty?' }, index)
  expect(weightOf(plan, 'warranti')).toBe(1)
  expect(weightOf(plan, 'how')).toBeLessThan(0.5)
})

test('asking at more length makes no question less known: words that only ask and that no document says count for nothing', () => {
  const short = planQuery({ query: '保修期是多少？' }, index)
  expect(planQuery({ query: '保修期应该是多少？' }, index).idfTotal).toBe(short.idfTotal)
  expect(planQuery({ query: '请问保修期一共大概是多少呢？' }, index).idfTotal).toBe(short.idfTotal)
  expect(planQuery({ query: '斑马期是多少？' }, index).idfTotal).toBeGreaterThan(short.idfTotal)
})

test('a number, a code or a file name that the documents hold is noticed', () => {
  const holds = { idf: () => 2, frequency: (term: string) => (['9457', 'rfc', 'board.md', 'zebra'].includes(term) ? 1 : 0) }
  const codeIn = (query: string) => planQuery({ query }, holds).code
  expect([codeIn('rfc 9457'), codeIn('board.md'), codeIn('What does RFC-9457 say?')]).toEqual([true, true, true])
  expect([codeIn('zebra'), codeIn('What of 1991?'), codeIn('斑马'), codeIn('')]).toEqual([false, false, false, false])
})

test('a follow-up holds the turn before, its own words twice', () => {
  const plan = planQuery({ query: '进水呢', previous: '保修范围' }, index)
  expect(plan.followUp).toBe(true)
  expect(weightOf(plan, '进水')).toBe(2)
  expect(weightOf(plan, '保修')).toBe(1)
  expect(plan.embedText).toBe('保修范围\n进水呢')
  expect(planQuery({ query: '进水呢', previous: '  ' }, index).followUp).toBe(false)
})

test('a question without a word is a plan without terms', () => {
  expect(planQuery({ query: '👍' }, index)).toMatchObject({ terms: [], idfTotal: 0, known: 0 })
})
