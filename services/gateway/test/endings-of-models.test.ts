import type { Answer } from '@docent/core/answer-event'
import { beforeEach, describe, expect, test } from 'vitest'
import { post } from './harness.ts'
import { withModel } from './with-model.ts'

const sse = (...events: (object | string)[]) => ({
  body: {
    type: 'text/event-stream',
    text: events.map((event) => `data: ${typeof event === 'string' ? event : JSON.stringify(event)}\n\n`).join(''),
  },
})
const piece = (content: string, finish_reason: string | null = null) => ({ choices: [{ index: 0, delta: { content }, finish_reason }] })
const json = (content: string, finish_reason: string) => ({
  body: { type: 'application/json', text: JSON.stringify({ choices: [{ message: { role: 'assistant', content }, finish_reason }] }) },
})

/** As servers of models end, besides well: what a reader is told of it. */
describe('how a model ends', () => {
  const { model, gateway } = withModel({ breaker: { failures: 1_000 } })
  let asked = 0
  beforeEach(() => {
    model.reply = undefined
  })
  const ask = async (reply: ReturnType<typeof sse>, question = '保修期是多久？') => {
    model.reply = () => reply
    return (await (await post(`${gateway.url}/api/v1/ask`, { question: `${question} 第 ${++asked} 次` })).json()) as Answer
  }
  const said = '保修期为 24 个月 [1]。另外'

  test.for([
    ['its provider’s filter', sse(piece(said), piece('', 'content_filter'), '[DONE]'), 'filtered', '不完整'],
    ['its greatest length', sse(piece(said), piece('', 'length'), '[DONE]'), 'length', '截断'],
    ['its provider’s filter, told in one piece', json(said, 'content_filter'), 'filtered', '不完整'],
    ['its greatest length, told in one piece', json(said, 'length'), 'length', '截断'],
  ] as const)('a text that %s cut says so in the language of the question', async ([, reply, code, words]) => {
    const answer = await ask(reply)
    expect(answer).toMatchObject({ state: 'done', text: said, warnings: [{ code, message: expect.stringContaining(words) }] })
    expect(answer.citations).toMatchObject([{ source: 1, verified: true }])
  })

  test.for([
    ['finish_reason error', sse(piece('保修期'), piece('', 'error'), '[DONE]')],
    ['an object that is an error', sse(piece('保修期'), { object: 'error', message: 'EngineDeadError' }, '[DONE]')],
  ] as const)(
    'a text broken off by %s is no answer: who wrote it is told, and nobody is blamed for a marker that did not come',
    async ([, reply]) => {
      const answer = await ask(reply)
      expect(answer).toMatchObject({ state: 'error', text: '保修期', model: 'mock', error: { code: 'upstream_failed' } })
      expect(answer.warnings).toBeUndefined()
    },
  )

  test.for([
    ['white space alone', sse(piece('\n\n'), piece(' ', 'stop'), '[DONE]')],
    ['reasoning alone', sse(piece('<think>保修期是 99 年 [1]'), piece('</think>\n', 'stop'), '[DONE]')],
    ['nothing but the filter', sse(piece('', 'content_filter'), '[DONE]')],
  ] as const)('%s is no word: the documents are quoted', async ([, reply]) => {
    const answer = await ask(reply)
    expect(answer).toMatchObject({ state: 'done', degraded: ['model'], model: 'extractive' })
    expect(answer.text).toContain('24 个月')
    expect(answer.text).not.toContain('99')
  })

  test('reasoning in front of the text is neither shown nor read for markers', async () => {
    const answer = await ask(sse(piece('<think>也许 99 年 [2]'), piece('</think>\n\n保修期为 24 个月 [1]。', 'stop'), '[DONE]'))
    expect(answer).toMatchObject({ text: '保修期为 24 个月 [1]。', citations: [{ start: 0, source: 1, verified: true }] })
    expect(answer.warnings).toBeUndefined()
  })
})
