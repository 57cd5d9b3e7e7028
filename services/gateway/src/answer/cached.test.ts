import type { Passage } from '@docent/core/passage'
import { afterEach, expect, test, vi } from 'vitest'
import { createAnswerCache } from '../store/answer-cache.ts'
import { lookAhead } from './cached.ts'
import { buildPrompt, today } from './prompt.ts'

afterEach(() => vi.useRealTimers())

type Asked = Parameters<typeof lookAhead>[0]
const asked = {
  question: 'Is the quote still valid?',
  settings: { version: 1, settings: { topK: 3 } },
  persona: { id: 'neutral', version: 1 },
  tongue: 'en',
  emotion: 'neutral',
} as unknown as Asked

test('the prompt names the day, and what was said on one day is not looked for on another', () => {
  vi.useFakeTimers({ toFake: ['Date'] })
  const keys = ['2026-11-22T12:00:00', '2026-11-22T13:00:00', '2026-11-23T12:00:00'].map((at) => {
    vi.setSystemTime(new Date(at))
    const [system] = buildPrompt({
      persona: 'Be brief.',
      question: asked.question,
      tongue: 'en',
      passages: [],
      history: [],
      historyTokens: 0,
    })
    expect(system?.content.split('\n')[1]).toBe(`Today is ${today()}.`)
    expect(today()).toMatch(new RegExp(`^${at.slice(0, 10)} \\(.+\\)$`))
    const cache = { ...createAnswerCache({ status: 'end' } as never), find: async () => undefined }
    return lookAhead(asked, { cache, providers: [] }, [] as Passage[]).hash
  })
  expect(keys[0]).toBe(keys[1])
  expect(keys[2]).not.toBe(keys[0])
})
