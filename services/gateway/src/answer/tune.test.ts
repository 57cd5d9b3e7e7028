import { expect, test } from 'vitest'
import { Settings } from '../store/settings.ts'
import { greatestUse, searchWishes, withRules } from './tune.ts'

test('a search is told what the settings change, and nothing else', () => {
  expect(searchWishes(Settings.parse({}))).toEqual({})
  expect(searchWishes(Settings.parse({ gate: 1.2, rerank: true, retrieval: { perDocument: 2, gate: { minGroup: 4 } } }))).toEqual({
    rerank: true,
    tuning: { perDocument: 2, gate: { minGroup: 4, factor: 1.2 } },
  })
})

const persona = {
  id: 'p',
  version: 1,
  title: '',
  prompt: 'x'.repeat(1_000),
  settings: {},
  collections: null,
  tone: null,
  greeting: null,
  refusal: null,
  answersWithoutSources: false,
}
test('what is reserved covers the persona and the rules; without a model nothing is', () => {
  const settings = Settings.parse({ prompt: 'y'.repeat(1_000) })
  expect(
    greatestUse(settings, persona, 1).inputTokens - greatestUse(Settings.parse({}), { ...persona, prompt: '' }, 1).inputTokens,
  ).toBeGreaterThanOrEqual(1_600)
  expect(greatestUse(settings, persona, 0)).toEqual({ inputTokens: 0, outputTokens: 0 })
})

test('what is reserved covers a tone, and the longer of greeting and refusal in their longer language', () => {
  const reserved = (words: object) => greatestUse(Settings.parse({}), { ...persona, ...words }, 1).inputTokens
  const before = reserved({})
  expect(reserved({ tone: 'z'.repeat(500) }) - before).toBe(400)
  expect(reserved({ greeting: 'z'.repeat(500), refusal: { zh: 'z'.repeat(100), en: 'z'.repeat(1_000) } }) - before).toBe(800)
})

test('the tone stands under the prompt, the rules of all under both', () => {
  const rules = Settings.parse({ prompt: 'Be brief.' })
  expect(withRules({ ...persona, prompt: 'You are P.', tone: 'dry' }, rules).prompt).toBe('You are P.\nTone: dry\nBe brief.')
  expect(withRules({ ...persona, prompt: 'You are P.' }, Settings.parse({})).prompt).toBe('You are P.')
})

test('for reranking by the language model retrieval finds more, and does not rerank', () => {
  expect(searchWishes(Settings.parse({ rerank: true, rerankBy: 'model' }))).toEqual({ limit: 20 })
  expect(searchWishes(Settings.parse({ rerankBy: 'reranker' }))).toEqual({})
})
