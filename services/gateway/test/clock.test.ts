import { expect, test } from 'vitest'
import { openMockUpstream } from '../../lib/testkit/src/mock-upstream.ts'
import { until } from '../../lib/testkit/src/until.ts'
import { startChild } from './child.ts'
import { follow } from './follow.ts'
import { adminKey, openPlace, post, textOf } from './harness.ts'

const hour = 3_600_000
const jumps = {
  'an hour ahead': `+${hour}`,
  'an hour back': `-${hour}`,
  '10 years ahead': `+${10 * 365 * 24 * hour}`,
  'back to 1970': '1000',
}

test.concurrent.for(Object.entries(jumps))(
  'the clock of a gateway jumps %s: the running answer ends whole, the history keeps its order, a provider that paused is asked again',
  { timeout: 120_000 },
  async ([, to]) => {
    await using scope = new AsyncDisposableStack()
    const place = await openPlace(scope)
    const pieces = Array.from({ length: 60 }, (_, i) => `词${i} `)
    const model = scope.use(await openMockUpstream({ mode: 'slow', pieceMs: 20, pieces }))
    const gateway = await startChild(place, scope, {
      LLM_BASE_URL: model.url,
      LLM_MODEL: 'mock',
      NODE_OPTIONS: `--import ${new URL('./clock-that-jumps.mjs', import.meta.url).href}`,
      CLOCK_JUMP_TO: to,
    })
    const timestamp = async () => {
      const { timestamp: told } = (await (await fetch(`${gateway.url}/api/health`)).json()) as { timestamp: string }
      return Date.parse(told)
    }

    const begun = await post(`${gateway.url}/api/v1/answers`, { question: '先问的', async: true })
    const { eventsUrl, conversationId } = (await begun.json()) as { eventsUrl: string; conversationId: string }
    const reader = follow(gateway.url + eventsUrl)
    await until('it has text', () => textOf(reader.events) !== '' || undefined)
    // longer than anybody waits: the documents are quoted, and the provider is left alone for that time
    Object.assign(model, { mode: 'status', status: 429, headers: { 'retry-after': '4' } })
    await post(`${gateway.url}/api/v1/ask`, { question: '暂停' })
    model.mode = 'good'
    const before = await timestamp()
    gateway.process.kill('SIGUSR2')
    await until('the clock has jumped', async () => Math.abs((await timestamp()) - before) > hour / 2 || undefined)

    await reader.closed
    expect(reader.events.at(-1)!.type).toBe('done')
    expect(textOf(reader.events)).toBe(pieces.join(''))
    const asked = model.requests.length
    await until('the provider is asked again', async () => {
      expect((await post(`${gateway.url}/api/v1/ask`, { question: '后问的', conversationId })).status).toBe(200)
      return model.requests.length > asked || undefined
    })
    const messages = await fetch(`${gateway.url}/api/v1/conversations/${conversationId}/messages`)
    const { items } = (await messages.json()) as { items: { role: string; text: string }[] }
    const questions = items.filter(({ role }) => role === 'question').map(({ text }) => text)
    expect([questions[0], ...new Set(questions.slice(1))]).toEqual(['先问的', '后问的'])
    const made = await post(`${gateway.url}/api/v1/keys`, { name: 'k', scopes: ['chat'] }, { authorization: `Bearer ${adminKey}` })
    const { key } = (await made.json()) as { key: string }
    expect((await post(`${gateway.url}/api/v1/ask`, { question: '有钥匙' }, { authorization: `Bearer ${key}` })).status).toBe(200)
  },
)
