import { expect, test } from 'vitest'
import { Settings } from '../store/settings.ts'
import { greatestUse, searchWishes } from './tune.ts'

test('a search is told what the settings change, and nothing else', () => {
  expect(searchWishes(Settings.parse({}))).toEqual({})
  expect(searchWishes(Settings.parse({ gate: 1.2, rerank: true, retrieval: { perDocument: 2, gate: { cross: 0.1 } } }))).toEqual({
    rerank: true,
    tuning: { perDocument: 2, gate: { cross: 0.1, factor: 1.2 } },
  })
})

test('what is reserved covers the persona and the rules; without a model nothing is', () => {
  const persona = { id: 'p', version: 1, title: '', prompt: 'x'.repeat(1_000), settings: {}, collections: null }
  const settings = Settings.parse({ prompt: 'y'.repeat(1_000) })
  expect(
    greatestUse(settings, persona, 1).inputTokens - greatestUse(Settings.parse({}), { ...persona, prompt: '' }, 1).inputTokens,
  ).toBeGreaterThanOrEqual(1_600)
  expect(greatestUse(settings, persona, 0)).toEqual({ inputTokens: 0, outputTokens: 0 })
})

test('for reranking by the language model retrieval finds more, and does not rerank', () => {
  expect(searchWishes(Settings.parse({ rerank: true, rerankBy: 'model' }))).toEqual({ limit: 20 })
  expect(searchWishes(Settings.parse({ rerankBy: 'reranker' }))).toEqual({})
})
