import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Answer } from '@docent/core/answer-event'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { type Stack, startStack } from '../src/start-stack.ts'
import { until } from '../src/until.ts'

type Question = { id: string; kind: 'plain' | 'cross' | 'follow' | 'switch' | 'absent'; q: string; previous?: string; match?: string }
type Verdict = 'right' | 'doubted' | 'refused' | 'wrong'
const { documents, questions } = JSON.parse(readFileSync(new URL('../golden/company.json', import.meta.url), 'utf8')) as {
  documents: Record<string, string>
  questions: Question[]
}

// the papers of a firm, asked by somebody who knows them, without a model; what was seen, and three or four more
const scope = new AsyncDisposableStack()
const verdicts = new Map<Question, Verdict>()
let stack: Stack

beforeAll(async () => {
  stack = await startStack(inject('stores'), scope)
  for (const [path, text] of Object.entries(documents)) {
    mkdirSync(dirname(join(stack.folder, path)), { recursive: true })
    writeFileSync(join(stack.folder, path), text)
  }
  await until('the papers are indexed', async () => (await stack.documents()).counts.ready === Object.keys(documents).length, 120_000)
  for (const question of questions) {
    const before = question.previous ? await stack.ask(question.previous) : undefined
    verdicts.set(question, verdictOf(question, await stack.ask(question.q, before ? { conversationId: before.conversationId } : {})))
  }
}, 240_000)
afterAll(() => scope.disposeAsync())

function verdictOf({ match }: Question, { answerable, text }: Answer): Verdict {
  const isRight = match !== undefined && new RegExp(match).test(text)
  return answerable ? (isRight ? 'right' : 'wrong') : isRight ? 'doubted' : 'refused'
}

const asked = (kind: Question['kind'], verdict: Verdict) => questions.filter((one) => one.kind === kind && verdicts.get(one) === verdict)
const list = (some: readonly Question[]) => some.map(({ previous, q }) => (previous ? `${previous} → ${q}` : q)).join(' | ')

test.each([
  ['plain', 109, { right: 88, wrong: 3 }],
  ['cross', 27, { right: 15, wrong: 4 }],
  ['follow', 30, { right: 20, wrong: 6 }],
  // a new subject in the same conversation
  ['switch', 24, { right: 21, wrong: 1 }],
] as const)('of %s questions (%i) most are answered by what the papers say', (kind, count, floors) => {
  expect(questions.filter((one) => one.kind === kind)).toHaveLength(count)
  const wrong = asked(kind, 'wrong')
  expect(asked(kind, 'right').length, list([...asked(kind, 'refused'), ...asked(kind, 'doubted'), ...wrong])).toBeGreaterThanOrEqual(
    floors.right,
  )
  expect(wrong.length, list(wrong)).toBeLessThanOrEqual(floors.wrong)
})

test('what the papers do not say is seldom answered as if they did', () => {
  const said = asked('absent', 'wrong')
  expect(questions.filter(({ kind }) => kind === 'absent')).toHaveLength(34)
  expect(said.length, list(said)).toBeLessThanOrEqual(12)
})
