import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Answer } from '@docent/core/answer-event'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { type Stack, startStack } from '../src/start-stack.ts'
import { until } from '../src/until.ts'

type Golden = {
  id: string
  lang: 'zh' | 'en'
  kind: 'mono' | 'cross' | 'followup' | 'unanswerable'
  q: string
  previous?: string
  doc?: string
  answer?: string
}

/** as a newcomer asks, in words that the documents do not use; any of the answers is right */
type Natural = { id: string; half: 'tune' | 'held'; kind: Golden['kind']; q: string; answers: string[] }
/** beside facts of the folder: what it does not say, and what it does */
type Near = Omit<Natural, 'kind'> & { kind: 'absent' | 'there' }

const read = (name: string) => JSON.parse(readFileSync(new URL(`../golden/${name}.json`, import.meta.url), 'utf8')) as unknown
const { questions } = read('sample') as { questions: Golden[] }
const { questions: natural } = read('natural') as { questions: Natural[] }
const { questions: near } = read('near') as { questions: Near[] }
const documents = fileURLToPath(new URL('../../../../documents', import.meta.url))
const scope = new AsyncDisposableStack()
const answers = new Map<string, Answer>()
let stack: Stack

beforeAll(async () => {
  stack = await startStack(inject('stores'), scope, { folder: documents })
  await until('the sample folder is indexed', async () => (await stack.documents()).counts.ready === 12, 120_000)
  for (const { id, q, previous } of questions) {
    const conversationId = previous ? (await stack.ask(previous)).conversationId : undefined
    answers.set(id, await stack.ask(q, conversationId ? { conversationId } : {}))
  }
  for (const { id, q } of [...natural, ...near]) answers.set(id, await stack.ask(q))
}, 400_000)
afterAll(() => scope.disposeAsync())

const squeeze = (text: string) =>
  text
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[\s|]+/g, '')
const of = (kind: Golden['kind'], lang?: Golden['lang']) => questions.filter((one) => one.kind === kind && (!lang || one.lang === lang))
const hasSource = ({ id, doc }: Golden) => answers.get(id)!.sources.some((source) => source.path === doc)
const hasAnswer = ({ id, answer }: Golden) => squeeze(answers.get(id)!.text).includes(squeeze(answer!))
const missed = (list: Golden[], holds: (one: Golden) => boolean) => list.filter((one) => !holds(one)).map((one) => `${one.id} ${one.q}`)

// floors, not goals: what the default a newcomer sees must at least do, without a key
test.each([
  ['mono', 'zh', 0, 0],
  ['mono', 'en', 0, 1],
  ['cross', 'zh', 0, 1],
  ['cross', 'en', 1, 1],
  ['followup', 'zh', 0, 0],
  ['followup', 'en', 0, 1],
] as const)('quotes: %s %s questions', (kind, lang, sourcesMissed, answersMissed) => {
  const list = of(kind, lang)
  expect(list.length).toBeGreaterThanOrEqual(7)
  expect(missed(list, hasSource).slice(sourcesMissed)).toEqual([])
  expect(missed(list, hasAnswer).slice(answersMissed)).toEqual([])
})

test('what is not in the documents is refused', () => {
  const wrong = missed(of('unanswerable'), ({ id }) => answers.get(id)!.answerable === false)
  expect(wrong.slice(1)).toEqual([])
})

// what was seen, less two questions; the held half was not looked at while tuning
test.each([
  ['tune', 0.57],
  ['held', 0.62],
] as const)('natural questions, %s half: the quotations hold the fact', (half, floor) => {
  const list = natural.filter((one) => one.half === half && one.answers.length > 0)
  const isRight = ({ id, answers: right }: Natural) => right.some((fact) => squeeze(answers.get(id)!.text).includes(squeeze(fact)))
  const wrong = list.filter((one) => !isRight(one)).map(({ q }) => q)
  expect(list).toHaveLength(70)
  expect(1 - wrong.length / list.length, `missed: ${wrong.join(' | ')}`).toBeGreaterThanOrEqual(floor)
})

test('natural questions that the folder does not answer: most are refused', () => {
  const list = natural.filter(({ kind }) => kind === 'unanswerable')
  const said = list.filter(({ id }) => answers.get(id)!.answerable).map(({ q }) => q)
  expect(list).toHaveLength(20)
  expect(said.length, said.join(' | ')).toBeLessThanOrEqual(4)
})

// what was seen, and three more; the held half was not looked at while tuning
test.each([
  ['tune', 15],
  ['held', 20],
] as const)('near-topic questions without an answer, %s half: at most %i of 40 are answered as if it were there', (half, most) => {
  const list = near.filter((one) => one.half === half && one.kind === 'absent')
  const said = list.filter(({ id }) => answers.get(id)!.answerable).map(({ q }) => q)
  expect(list).toHaveLength(40)
  expect(said.length, said.join(' | ')).toBeLessThanOrEqual(most)
})

test.each(['tune', 'held'] as const)(
  'questions about the facts beside them, %s half: most are answered without a doubt, by the fact',
  (half) => {
    const list = near.filter((one) => one.half === half && one.kind === 'there')
    const holds = ({ id, answers: right }: Near) => right.some((fact) => squeeze(answers.get(id)!.text).includes(squeeze(fact)))
    const missed = list.filter((one) => !answers.get(one.id)!.answerable || !holds(one)).map(({ q }) => q)
    expect(list).toHaveLength(20)
    expect(missed.length, missed.join(' | ')).toBeLessThanOrEqual(8)
  },
)

test('a follow-up in English is answered in English where that holds it, though the question before it was answered in Chinese', async () => {
  const { conversationId } = await stack.ask('Is the warranty transferable?')
  const { text } = await stack.ask('And for batteries?', { conversationId })
  expect(text).toContain('Batteries and remote controls; Warranty: 12 months')
  expect(text).not.toMatch(/\p{Script=Han}/u)
})

test('every quotation stands in its source, word for word', () => {
  const citations = [...answers.values()].flatMap((answer) => answer.citations)
  expect(citations.length).toBeGreaterThan(100)
  expect(citations.filter((citation) => !citation.verified)).toEqual([])
})
