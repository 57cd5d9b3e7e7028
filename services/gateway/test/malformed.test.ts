import { randomUUID } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { finals } from './follow.ts'
import { allEvents, post, textOf } from './harness.ts'
import { withModel } from './with-model.ts'

type Case = { name: string; text: string; type?: string; says: string | 'quoted'; ends: 'done' | 'error' }

const line = (payload: unknown) => `data: ${JSON.stringify(payload)}\n\n`
const choice = (delta: unknown, finish: string | null = null, index = 0) => ({ index, delta, finish_reason: finish })
const piece = (content: unknown) => line({ choices: [choice({ content })] })
const end = `${line({ choices: [choice({}, 'stop')] })}data: [DONE]\n\n`
const tool = line({
  choices: [choice({ tool_calls: [{ index: 0, id: 'c', type: 'function', function: { name: 'rm', arguments: '{}' } }] })],
})

/** PROMISES row 42: what a provider may send in place of a stream. `quoted`: nothing was said, so the documents are. */
const cases: Case[] = [
  {
    name: 'a line that is not JSON, in mid-text',
    text: `${piece('甲')}data: {"choices":[}\n\n${piece('乙')}${end}`,
    says: '甲',
    ends: 'error',
  },
  { name: 'a line that is not JSON, before the first word', text: `data: {oops\n\n${piece('乙')}${end}`, says: 'quoted', ends: 'done' },
  { name: 'lines that end in CR', text: `${piece('甲')}${piece('乙')}${end}`.replaceAll('\n', '\r'), says: '甲乙', ends: 'done' },
  { name: 'no space behind the colon', text: `${piece('甲')}${end}`.replaceAll('data: ', 'data:'), says: '甲', ends: 'done' },
  { name: 'a line of more than 10 MB', text: `${piece('甲')}data: ${'x'.repeat(11 * 1024 * 1024)}\n\n${end}`, says: '甲', ends: 'error' },
  {
    name: 'comments and other fields',
    text: `: hi\n\nevent: x\nid: 7\nretry: 1\n${piece('甲')}: again\n\n${end}`,
    says: '甲',
    ends: 'done',
  },
  { name: 'a byte order mark', text: `\ufeff${piece('甲')}${end}`, says: '甲', ends: 'done' },
  {
    name: 'an error object in place of a stream',
    text: '{"error":{"message":"x"}}',
    type: 'application/json',
    says: 'quoted',
    ends: 'done',
  },
  { name: 'an error object as the first event', text: line({ error: { message: 'x', code: 503 } }), says: 'quoted', ends: 'done' },
  {
    name: 'an error object in mid-text',
    text: `${piece('甲')}${line({ error: { message: 'x', code: 503 } })}${piece('乙')}`,
    says: '甲',
    ends: 'error',
  },
  {
    name: 'two choices in one event',
    text: `${line({ choices: [choice({ content: '甲' }), choice({ content: '丙' }, null, 1)] })}${end}`,
    says: '甲',
    ends: 'done',
  },
  {
    name: 'two choices in events of their own',
    text: `${piece('甲')}${line({ choices: [choice({ content: '丙' }, null, 1)] })}${piece('乙')}${end}`,
    says: '甲乙',
    ends: 'done',
  },
  {
    name: 'empty deltas',
    text: `${piece('')}${piece(null)}${line({ choices: [] })}${line({})}${piece('甲')}${piece('')}${end}`,
    says: '甲',
    ends: 'done',
  },
  { name: 'content that is no text', text: `${piece(7)}${piece({ a: 1 })}${piece('甲')}${end}`, says: '甲', ends: 'done' },
  { name: 'payloads that are no objects', text: `data: null\n\ndata: 7\n\ndata: []\n\n${piece('甲')}${end}`, says: '甲', ends: 'done' },
  {
    name: 'a call of a tool that nobody offered',
    text: `${tool}${line({ choices: [choice({}, 'tool_calls')] })}data: [DONE]\n\n`,
    says: 'quoted',
    ends: 'done',
  },
  { name: '[DONE] twice, and text behind it', text: `${piece('甲')}${end}${piece('乙')}data: [DONE]\n\n`, says: '甲', ends: 'done' },
  { name: 'a page of HTML', text: '<html><body>Bad gateway</body></html>', type: 'text/html', says: 'quoted', ends: 'done' },
  {
    name: 'NUL and halves of surrogate pairs',
    text: `${piece('甲\u0000')}${'data: {"choices":[{"index":0,"delta":{"content":"\\ud83d"}}]}\n\n'}${piece('乙')}${end}`,
    says: '甲\ufffd乙',
    ends: 'done',
  },
]

describe('a provider whose stream is not as it should be', () => {
  const { model, gateway } = withModel({ env: { LLM_FIRST_TOKEN_S: '5' }, breaker: { failures: 1_000 } })

  test.for(cases)('$name: $ends', async ({ text, type = 'text/event-stream', says, ends }) => {
    model.reply = () => ({ body: { type, text } })
    const before = model.requests.length
    const question = `保修期是多久？${randomUUID()}`
    const events = await allEvents(await post(`${gateway.url}/api/v1/answers`, { question }, { accept: 'text/event-stream' }))
    expect(events.filter((event) => finals.includes(event.type)).map((event) => event.type)).toEqual([ends])
    if (says === 'quoted') {
      expect(events.find((event) => event.type === 'warning')?.data).toMatchObject({ code: 'degraded', step: 'model' })
      expect(textOf(events)).toContain('24 个月')
    } else expect(textOf(events)).toBe(says)
    expect(model.requests.length - before).toBe(1)
    const { answerId } = events[0]!.data as { answerId: string }
    expect(await (await fetch(`${gateway.url}/api/v1/answers/${answerId}`)).json()).toMatchObject({ state: ends, text: textOf(events) })
  })
})
