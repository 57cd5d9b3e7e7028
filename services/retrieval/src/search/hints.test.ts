import { expect, test } from 'vitest'
import { cpuMs } from '../../../lib/testkit/src/cpu-ms.ts'
import { hints, raiseNamed } from './hints.ts'

const entry = (id: string, fused: number, path: string, title = '', heading = '') => ({
  chunk: { id, document: { path, title }, heading },
  scores: { fused },
  ranks: { fused: 0 },
})
const first = (query: string, list: ReturnType<typeof entry>[], tuned = hints) =>
  raiseNamed(
    list.map((one, i) => ({ ...one, ranks: { fused: i + 1 } })),
    { query },
    tuned,
  )

test('a year or a version of the question lifts the document that bears it, a little', () => {
  const reports = [entry('a', 0.9, 'report-2023.pdf'), entry('b', 0.85, 'report-2024.pdf'), entry('c', 0.2, 'plan-2024.pdf')]
  const list = first('2024年的营收是多少？', reports)
  expect(list.map(({ chunk }) => chunk.id)).toEqual(['b', 'a', 'c'])
  expect(list.map(({ hints, ranks }) => [hints, ranks.fused])).toEqual([
    [['date'], 1],
    [undefined, 2],
    [['date'], 3],
  ])
  expect(first('How did it do in v2.3.1?', [entry('a', 0.9, 'x.md'), entry('b', 0.88, 'notes.md', '', 'Release 2.3.1')])[0]!.chunk.id).toBe(
    'b',
  )
  expect(first('What is 20245?', reports)[0]!.chunk.id).toBe('a')
})

test('this year is a year, too', () => {
  const lists = [entry('a', 0.9, 'prices-2025.xlsx'), entry('b', 0.85, 'prices-2026.xlsx')]
  const on = (query: string, day: string) => raiseNamed(lists, { query, now: new Date(day) })[0]!.chunk.id
  expect(on('今年血常规收多少钱？', '2026-11-22')).toBe('b')
  expect(on("What is this year's price?", '2025-11-22')).toBe('a')
  expect(on("What was last year's price?", '2027-11-22')).toBe('b')
})

test('so does its name or its title, when all of it is said', () => {
  const files = [entry('a', 0.9, 'sales/other.md'), entry('b', 0.85, 'sales/price-list.md'), entry('c', 0.84, 'x.md', '差旅报销制度')]
  expect(first('What does the price list say of returns?', files)[0]!.chunk.id).toBe('b')
  expect(first('差旅报销制度里住宿标准是多少？', files)[0]!.chunk.id).toBe('c')
  expect(first('What is the price?', files)[0]!.chunk.id).toBe('a')
})

test('0 leaves it out, and a question that names nothing changes nothing', () => {
  const reports = [entry('a', 0.9, 'report-2023.pdf'), entry('b', 0.85, 'report-2024.pdf')]
  expect(first('2024?', reports, { name: 0, date: 0 } as unknown as typeof hints)[0]!.chunk.id).toBe('a')
  expect(first('营收？', reports).every((one) => one.hints === undefined)).toBe(true)
})

test('a long question full of numbers is read at once', () => {
  expect(cpuMs(() => first('1.'.repeat(2_000), [entry('a', 1, '1.'.repeat(2_000))]))).toBeLessThan(1_000)
})

test('a passage that holds a rare identifier of the question goes first', () => {
  const list = [entry('a', 1, 'x.md'), entry('b', 0.6, 'y.md')].map((one, i) => ({ ...one, ranks: { fused: i + 1 } }))
  const raised = raiseNamed(list, { query: 'Where is KOALA-55?', holders: new Set(['b']) })
  expect(raised.map(({ chunk, hints }) => [chunk.id, hints])).toEqual([
    ['b', ['code']],
    ['a', undefined],
  ])
})
