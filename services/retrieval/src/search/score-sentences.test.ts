import { expect, test } from 'vitest'
import { planQuery } from './plan-query.ts'
import { createSentenceReader } from './read-sentences.ts'
import { coverage, wantedByDictionary, wantedOf } from './score-sentences.ts'

const plain = (texts: string[]) => texts.map((text) => ({ text, context: '' }))
const flat = { idf: () => 1, frequency: () => 1 }

test('the share of the question that a sentence holds, long ones a little less', () => {
  const { terms } = planQuery({ query: 'How long is the battery warranty?' }, flat)
  const [all, half, none, long] = coverage(
    wantedOf(terms),
    plain([
      'The battery warranty is long.',
      'A battery.',
      'Nothing here.',
      `The battery warranty is long ${'and other things '.repeat(30)}`,
    ]),
  )
  expect(all).toBeCloseTo(1)
  expect(half).toBeGreaterThan(0.2)
  expect(half).toBeLessThan(0.5)
  expect(none).toBe(0)
  expect(long).toBeLessThan(all!)
  expect(long).toBeGreaterThan(half!)
})

test('what the headings say a sentence need not say again', () => {
  const { terms } = planQuery({ query: 'At what height should the Hub H2 be mounted?' }, flat)
  const context = 'Hub H2 guide › Mounting height'
  const [bare, under, echo] = coverage(wantedOf(terms), [
    { text: 'Between 1.2 m and 1.8 m above the floor.', context: '' },
    { text: 'Between 1.2 m and 1.8 m above the floor.', context },
    { text: 'The Hub H2 is a gateway.', context: 'Hub H2 guide' },
  ])
  expect(under).toBeGreaterThan(bare!)
  expect(under).toBeGreaterThan(echo!)
})

test('a question that only asks is measured by what it has', () => {
  expect(coverage(wantedOf(planQuery({ query: '什么' }, flat).terms), plain(['这是什么', '没有']))[0]).toBeGreaterThan(0)
  expect(coverage([], plain(['anything']))).toEqual([0])
})

test('in the other language any translation of a word says it, a phrase by the share of it that is there', () => {
  const meanings = [
    { weight: 1, alternatives: [['leav'], ['vacation']] },
    { weight: 1, alternatives: [['work', 'day']] },
  ]
  const wanted = wantedByDictionary(meanings, () => 1)
  const [both, one, half, none] = coverage(
    wanted,
    plain(['Leave of ten working days', 'A long vacation here', 'Every day counts here', 'Nothing']),
  )
  expect(both).toBeGreaterThan(one!)
  expect(one).toBeCloseTo(0.5, 1)
  expect(half).toBeCloseTo(0.25, 1)
  expect(none).toBe(0)
})

test('the snippet starts at the sentence that fits and never cuts a pair of surrogates', () => {
  const { terms } = planQuery({ query: '保修期' }, flat)
  expect(createSentenceReader(terms, 1).snippetOf('公司简介在前面。保修期为两年。之后另有说明。')).toBe('保修期为两年。之后另有说明。')
  const cut = createSentenceReader(terms, 1).snippetOf('😀'.repeat(300))
  expect(cut.length).toBeLessThanOrEqual(240)
  expect(cut.isWellFormed()).toBe(true)
})
