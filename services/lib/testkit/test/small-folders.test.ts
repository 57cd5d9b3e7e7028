import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Answer } from '@docent/core/answer-event'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { startStack } from '../src/start-stack.ts'
import { until } from '../src/until.ts'

type Question = { id: string; folder: string; kind: 'there' | 'absent'; q: string }
const { folders, questions } = JSON.parse(readFileSync(new URL('../golden/small.json', import.meta.url), 'utf8')) as {
  folders: Record<string, Record<string, string>>
  questions: Question[]
}

// forty notes of a sentence or two in two languages, as a newcomer tries it; without a model. What was seen, and three more.
describe.each([
  ['office', 'it was tuned with', { answeredThough: 4, doubted: 4 }],
  ['club', 'held out', { answeredThough: 19, doubted: 8 }],
] as const)('a small folder, %s, %s', (name, _, floors) => {
  const scope = new AsyncDisposableStack()
  const answers = new Map<string, Answer>()
  const list = questions.filter(({ folder }) => folder === name)
  const of = (kind: Question['kind']) => list.filter((one) => one.kind === kind)
  const isAnswered = ({ id }: Question) => answers.get(id)!.answerable

  beforeAll(async () => {
    const stack = await startStack(inject('stores'), scope)
    const notes = Object.entries(folders[name]!)
    for (const [title, text] of notes) writeFileSync(join(stack.folder, `${title}.txt`), `${text}\n`)
    await until('the notes are indexed', async () => (await stack.documents()).counts.ready === notes.length, 120_000)
    for (const { id, q } of list) answers.set(id, await stack.ask(q))
  }, 240_000)
  afterAll(() => scope.disposeAsync())

  test('what no note says is seldom answered as if one did', () => {
    const said = of('absent').filter(isAnswered)
    expect(of('absent')).toHaveLength(40)
    expect(said.length, said.map(({ q }) => q).join(' | ')).toBeLessThanOrEqual(floors.answeredThough)
  })

  test('what a note says is answered without a doubt', () => {
    const missed = of('there').filter((one) => !isAnswered(one))
    expect(of('there')).toHaveLength(40)
    expect(missed.length, missed.map(({ q }) => q).join(' | ')).toBeLessThanOrEqual(floors.doubted)
  })
})
