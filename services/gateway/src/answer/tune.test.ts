import { expect, test } from 'vitest'
import { Settings } from '../store/settings.ts'
import { greatestUse, regated } from './tune.ts'

const passage = { text: 'x' } as never
const found = (score: number, threshold: number, answerable: boolean) => ({
  passages: [passage],
  answerable,
  gate: { answerable, score, threshold, language: 'en' as const, reason: 'r' },
  degraded: [],
  tookMs: 1,
})

test('the gate moves with its factor, both ways', () => {
  expect(regated(found(1.4, 1.3, true), 1.2).answerable).toBe(false)
  expect(regated(found(1.2, 1.3, false), 0.9).answerable).toBe(true)
  expect(regated(found(1.2, 1.3, false), 0.9).gate).toMatchObject({ answerable: true, reason: expect.stringContaining('× 0.9') })
})

test('a verdict without a threshold stays', () => {
  expect(regated(found(0, 0, true), 4).answerable).toBe(true)
})

test('what is reserved covers the persona and the rules; without a model nothing is', () => {
  const persona = { id: 'p', version: 1, title: '', prompt: 'x'.repeat(1_000) }
  const settings = Settings.parse({ prompt: 'y'.repeat(1_000) })
  expect(
    greatestUse(settings, persona, 1).inputTokens - greatestUse(Settings.parse({}), { ...persona, prompt: '' }, 1).inputTokens,
  ).toBeGreaterThanOrEqual(1_600)
  expect(greatestUse(settings, persona, 0)).toEqual({ inputTokens: 0, outputTokens: 0 })
})
