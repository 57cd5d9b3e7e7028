import type { ChatPart, Hear } from '@docent/models/chat-model'
import { afterEach, expect, test, vi } from 'vitest'
import { type Attempt, generate } from './generate.ts'
import type { Provider } from './providers.ts'

afterEach(() => vi.useRealTimers())

/** A provider that says `part` for ever; a part takes it `ms`. */
function endless(part: ChatPart, ms: number): Provider & { said: number; closed: boolean } {
  const provider = {
    name: 'endless',
    model: 'm',
    price: undefined,
    said: 0,
    closed: false,
    mayAsk: () => true,
    async ask(_request: unknown, _signal: unknown, hear: Hear) {
      do {
        vi.advanceTimersByTime(ms)
        provider.said++
      } while (hear(part))
      provider.closed = true
      return undefined
    },
    view: () => {
      throw new Error('is not looked at')
    },
  }
  return provider
}

async function ask(provider: Provider, maxTokens: number) {
  const attempts: Attempt[] = []
  let text = ''
  const outcome = await generate([provider], { messages: [], temperature: 0, maxTokens }, new AbortController().signal, {
    asking: () => undefined,
    text: (part) => {
      text += part
    },
    attempted: (attempt) => attempts.push(attempt),
  })
  return { outcome, text, attempts }
}

test('a model that never ends is cut after ten minutes, and its stream is closed', async () => {
  vi.useFakeTimers({ toFake: ['performance'] })
  const provider = endless({ text: '.' }, 1_000)
  const { outcome, attempts } = await ask(provider, 32_000)
  expect(outcome).toMatchObject({ provider: 'endless', finish: 'length' })
  expect(provider).toMatchObject({ said: 601, closed: true })
  expect(attempts).toMatchObject([{ outcome: 'answered', ms: 601_000 }])
})

test('one that says more than its tokens can hold is cut by length', async () => {
  vi.useFakeTimers({ toFake: ['performance'] })
  const provider = endless({ text: 'x'.repeat(100) }, 0)
  const { outcome, text } = await ask(provider, 16)
  expect(outcome).toMatchObject({ finish: 'length' })
  expect(text).toHaveLength(300)
  expect(provider.closed).toBe(true)
})
