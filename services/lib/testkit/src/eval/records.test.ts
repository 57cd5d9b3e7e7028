import { expect, test } from 'vitest'
import { bootstrap, type Line } from './ask-set.ts'
import { commandOf, compare, EvalRecord, gateTable, recordOf, table } from './records.ts'

const asked = (id: string, rank: number | null, ndcg: number) => ({
  id,
  q: `question ${id}`,
  rank,
  ndcg,
  answerable: true,
  score: 1,
  threshold: 0.5,
})
const line = (list: ReturnType<typeof asked>[]): Line => ({
  set: 'zh',
  configuration: 'fused',
  configVersion: 'abc',
  dataHash: 'def',
  questions: list.length,
  ndcg10: list.reduce((sum, one) => sum + one.ndcg, 0) / list.length,
  interval: [0.5, 1],
  recall1: 0.5,
  recall5: 1,
  recall10: 1,
  mrr10: 0.75,
  answerable: 1,
  searchMsP50: 1,
  searchMsP95: 2,
  degraded: 0,
  asked: list,
})

test('a record names the command without the places of one machine', () => {
  expect(commandOf(['--suite', 'core', '--out', '/tmp/x/core.json', '--ladder', '--render'])).toBe('npm run eval -- --suite core --ladder')
  expect(commandOf(['--out=core.json'])).toBe('npm run eval')
})

test('comparing names the questions that lost most, worst first', () => {
  const a = recordOf('core', 'a', 'model', [line([asked('1', 1, 1), asked('2', 1, 1), asked('3', 2, 0.63)])], [])
  const b = recordOf('core', 'b', 'model', [line([asked('1', null, 0), asked('2', 2, 0.63), asked('3', 1, 1)])], [])
  const text = compare(EvalRecord.parse(JSON.parse(JSON.stringify(a))), b)
  expect(text).toContain('| zh | fused | 87.67 | 54.33 | -33.33 (')
  expect(text).toContain('2 questions lost places')
  expect(text.indexOf('1 → –  question 1')).toBeLessThan(text.indexOf('1 → 2  question 2'))
})

test('the table gives the floor where there is one; the interval holds the mean', () => {
  const text = table([line([asked('1', 1, 1)])], ({ set }) => (set === 'zh' ? { of: 'R@5', at: 0.97 } : undefined))
  expect(text.split('\n')).toHaveLength(3)
  expect(text).toContain('| R@5 97.00 |')
  const [low, high] = bootstrap([0, 1, 1, 1, 0.5, 1, 1, 0])
  expect(low).toBeLessThan(0.69)
  expect(high).toBeGreaterThan(0.69)
  expect(bootstrap([0, 1, 1])).toEqual(bootstrap([0, 1, 1]))
})

test('the gate is told by a set and the questions of another that were asked of its documents, also where that set is measured itself', () => {
  const scored = (scores: number[]) => scores.map((score, i) => ({ ...asked(`${i}`, null, 0), score, threshold: 1 }))
  const other = { ...line(scored([0.1, 0.2])), set: 'cmrc', outsideOf: ['zh'] }
  const inside = line(scored([0.9, 1.2]))
  const itself = { ...line(scored([2, 3])), set: 'cmrc' }
  const against = { ...line(scored([0.5, 2.5])), outsideOf: ['cmrc'] }
  const text = gateTable([other, inside, against, itself])
  expect(text).toContain('| zh | cmrc | 2 / 2 | 1.000 |')
  expect(text).toContain('| cmrc | zh | 2 / 2 | 0.750 |')
  expect(gateTable([inside])).toBe('')
  expect(table([other, inside], () => undefined)).not.toContain('cmrc')
})
