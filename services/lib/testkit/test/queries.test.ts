import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Answer } from '@docent/core/answer-event'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { openMockUpstream } from '../src/mock-upstream.ts'
import { type Stack, startStack } from '../src/start-stack.ts'

const scope = new AsyncDisposableStack()
let stack: Stack
/** what the model makes of the next question */
let wordings: string[] = []

const lamps = ['Aster', 'Birke', 'Cedar', 'Dahlia', 'Efeu', 'Fichte', 'Ginkgo', 'Hasel', 'Iris', 'Jasmin']

beforeAll(async () => {
  const model = scope.use(await openMockUpstream({ pieces: ['Aster [1].'] }))
  model.reply = ({ messages }) =>
    messages[0]!.content.startsWith('You prepare the last question') ? { pieces: [JSON.stringify(wordings)] } : undefined
  stack = await startStack(inject('stores'), scope, { env: { LLM_BASE_URL: model.url, LLM_MODEL: 'mock-stack-queries' } })
  const write = (path: string, text: string) => writeFileSync(join(stack.folder, path), text)
  for (const [i, name] of lamps.entries()) {
    write(`${name}.md`, `# ${name}\n\nThe lamp ${name} weighs ${800 + 37 * i} grams and stands ${30 + i} cm high.\n`)
    await stack.settled(`${name}.md`, 'ready')
  }
  mkdirSync(join(stack.folder, 'hr'))
  write('hr/_docent.yml', 'collection: hr\n')
  write('hr/pay.md', '# 工资\n\n装配工的月工资是 8,700 元，每年一月调整。\n')
  await stack.settled('hr/pay.md', 'ready')
}, 120_000)
afterAll(() => scope.disposeAsync())

const call = async (path: string, method: string, body: object, key = stack.adminKey) => {
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' }
  const response = await fetch(`${stack.url}/api/v1/${path}`, { method, headers, body: JSON.stringify(body) })
  expect(response.status).toBeLessThan(300)
  return (await response.json()) as Answer & { key: string }
}
const paths = ({ sources }: Answer) => sources.map(({ path }) => path)

test('a follow-up whose subject only an answer named is found when it is written out', async () => {
  const { conversationId } = await stack.ask('Which of the lamps is the favourite of our customers?')
  const bare = await stack.ask('And how much does it weigh, in grams?', { conversationId })
  // all lamps weigh something: the one that is meant is not among those shown
  const meant = lamps.find((name) => !paths(bare).includes(`${name}.md`))!
  await call('settings', 'PATCH', { queries: 'rewrite' })
  wordings = [`How many grams does the lamp ${meant} weigh?`]
  const written = await stack.ask('And what does it weigh, in grams?', { conversationId })
  expect(written).toMatchObject({ answerable: true, degraded: [] })
  expect(paths(written)).toContain(`${meant}.md`)
})

test('a wording in the other language finds what is written in it, and only where its asker may read', async () => {
  await call('settings', 'PATCH', { queries: 'several' })
  wordings = ['What does a fitter earn a month?', 'monthly pay of fitters', '装配工的月工资是多少元？']
  const free = await stack.ask('What does a fitter earn in a month?')
  expect(paths(free)).toContain('hr/pay.md')
  const { key } = await call('keys', 'POST', { name: 'lamps only', scopes: ['chat'], collections: ['default'] })
  const bound = await call('ask', 'POST', { question: 'What does a fitter earn in one month?' }, key)
  expect(bound.degraded).toEqual([])
  expect(JSON.stringify(bound)).not.toMatch(/hr\/pay|8,700/)
})
