import { randomUUID } from 'node:crypto'
import type { Answer } from '@docent/core/answer-event'
import { beforeEach, describe, expect, test } from 'vitest'
import type { MockReply, MockUpstream } from '../../lib/testkit/src/mock-upstream.ts'
import { until } from '../../lib/testkit/src/until.ts'
import { adminKey, allEvents, passage, post, startAt, textOf, warrantyText } from './harness.ts'
import { asking, withModel } from './with-model.ts'

type Asked = MockUpstream['requests'][number] & {
  messages: { role: string; content: string; tool_call_id?: string; tool_calls?: unknown[] }[]
}
type ToolRecord = {
  offered: string[]
  calls: { name: string; arguments: string; ok: boolean; chars: number; ms: number }[]
  refusedBy: string[]
  ignored: number
}
const owner = { authorization: `Bearer ${adminKey}` }
const batteryText = '# 电池\n\n电池的保修期为 6 个月。'

describe('tools before an answer', () => {
  // a name of its own: answers cached here must not reach the tests beside
  const { scope, place, model, gateway } = withModel({ env: { LLM_MODEL: 'mock-tools', TOOLS_ENABLED: 'true' } })
  beforeEach(() => {
    Object.assign(place.neighbours, { passages: [passage(warrantyText)], answerable: true, gateScore: 0.1 })
    place.neighbours.searches.length = 0
    place.neighbours.seen.length = 0
    place.neighbours.find = undefined
    Object.assign(model, { mode: 'good', pieces: ['保修期为 24 个月 [1]。'], reply: undefined, pieceMs: 0 })
    model.requests.length = 0
  })

  const env = (more: Record<string, string> = {}) => ({ ...asking(model), LLM_MODEL: 'mock-tools', ...more })
  const me = { 'x-client-id': randomUUID() }
  const ask = async (question: string, url = gateway.url, headers: Record<string, string> = me) =>
    (await (await post(`${url}/api/v1/ask`, { question }, headers)).json()) as Answer
  const recordOf = async (answerId: string) =>
    ((await (await fetch(`${gateway.url}/api/v1/records/${answerId}`, { headers: owner })).json()) as { record: Record<string, unknown> })
      .record
  const toolsOf = async (answerId: string) => (await recordOf(answerId)).tools as ToolRecord
  const asked = () => model.requests as Asked[]
  /** The rounds of the model, one after the other. */
  const rounds = (...replies: MockReply[]) => {
    let round = 0
    model.reply = () => replies[round++]
  }
  const call = (name: string, given: unknown = {}) => ({ name, arguments: typeof given === 'string' ? given : JSON.stringify(given) })

  test('what a second search finds is a source like the others: numbered on, cited, verified, told once before the first word', async () => {
    place.neighbours.find = async ({ query }) =>
      query.includes('电池') ? [passage(batteryText, { chunkId: 'c2', path: 'battery.md' }), passage(warrantyText)] : undefined
    rounds({ calls: [call('search', { query: '电池 保修' })] }, { pieces: ['整机 24 个月 [1]。', '电池的保修期为 6 个月 [2]。'] })
    const response = await post(`${gateway.url}/api/v1/ask`, { question: '保修期是多久？' }, { ...me, accept: 'text/event-stream' })
    const events = await allEvents(response)
    expect(textOf(events)).toBe('整机 24 个月 [1]。电池的保修期为 6 个月 [2]。')
    const sources = events.filter(({ type }) => type === 'sources')
    expect(sources).toMatchObject([
      {
        data: {
          sources: [
            { n: 1, path: 'manual.md' },
            { n: 2, path: 'battery.md' },
          ],
          answerable: true,
        },
      },
    ])
    expect(events.findIndex(({ type }) => type === 'sources')).toBeLessThan(events.findIndex(({ type }) => type === 'delta'))
    expect(events.filter(({ type }) => type === 'citation').map(({ data }) => data)).toMatchObject([
      { source: 1 },
      { source: 2, verified: true },
    ])
    const { answerId } = events[0]!.data as { answerId: string }
    expect(await toolsOf(answerId)).toMatchObject({
      offered: ['search', 'calculator', 'date'],
      calls: [{ name: 'search', arguments: '{"query":"电池 保修"}', ok: true }],
      ignored: 0,
    })
    expect(place.neighbours.searches.map(({ query }) => query)).toEqual(['保修期是多久？', '电池 保修'])
    // both rounds are booked
    expect(events.find(({ type }) => type === 'usage')!.data).toMatchObject({ inputTokens: 22, outputTokens: 14 })
    const [first, second] = asked()
    expect(first).toMatchObject({ tool_choice: 'auto', tools: [{ function: { name: 'search' } }, {}, {}] })
    expect(second!.messages.slice(-2)).toMatchObject([
      { role: 'assistant', tool_calls: [{ id: 'call-0' }] },
      { role: 'tool', tool_call_id: 'call-0' },
    ])
    expect(second!.messages.at(-1)!.content).toContain('[2] Manual (battery.md)')
    expect(second!.messages.at(-1)!.content).toContain('Also found: [1]')
    const [, cited] = (sources[0]!.data as { sources: { citationId: string }[] }).sources
    expect((await fetch(`${gateway.url}/api/v1/citations/${cited!.citationId}`)).status).toBe(200)
  })

  test('a search again has the rights and the filters of the question', async () => {
    const made = await post(`${gateway.url}/api/v1/keys`, { name: 't', scopes: ['chat'], collections: ['public'] }, owner)
    const { key, id } = (await made.json()) as { key: string; id: string }
    rounds({ calls: [call('search', { query: '秘密', filters: { collection: 'secret' } })] }, { pieces: ['没有 [1]。'] })
    const body = { question: '保修期是多久？', filters: { pathPrefix: 'a/' } }
    await post(`${gateway.url}/api/v1/ask`, body, { authorization: `Bearer ${key}` })
    const searches = place.neighbours.seen.filter(({ url }) => url === '/search')
    expect(searches).toHaveLength(2)
    for (const { headers, body: sent } of searches) {
      const principal = JSON.parse(Buffer.from(String(headers['x-docent-principal']), 'base64url').toString()) as object
      expect(principal).toMatchObject({ id: `key:${id}`, collections: ['public'] })
      expect(JSON.parse(sent)).toMatchObject({ filters: { pathPrefix: 'a/' } })
    }
  })

  test('calculator and date answer what no document holds; without a call the honest “not found” stays', async () => {
    Object.assign(place.neighbours, { answerable: false })
    rounds(
      { calls: [call('calculator', { expression: '24 * 30' }), call('date', { timeZone: 'Asia/Shanghai' })] },
      { pieces: ['24 × 30 = 720。'] },
    )
    const sum = await ask('24 乘 30 是多少？')
    expect(sum).toMatchObject({ text: '24 × 30 = 720。', answerable: true, sources: [] })
    const results = asked()[1]!
      .messages.filter(({ role }) => role === 'tool')
      .map(({ content }) => content)
    expect(results[0]).toBe('720')
    expect(results[1]).toMatch(/20\d\d.*GMT\+08:00 \(Asia\/Shanghai\)/)

    model.reply = undefined
    model.pieces = ['我记得是巴黎。']
    const unknown = await ask('法国的首都是哪里？')
    expect(unknown).toMatchObject({ answerable: false, degraded: [] })
    expect(unknown.text).toContain('没有找到')
    expect(unknown.text).not.toContain('巴黎')
    expect(unknown.usage.inputTokens).toBe(11)
    // nor does a search that finds nothing, or a calculation that fails, let the model guess
    rounds({ calls: [call('search', { query: '首都' }), call('calculator', { expression: '1/0' })] }, { pieces: ['巴黎。'.repeat(50)] })
    const again = await ask('法国的首都是哪里呢？')
    expect(again.text).not.toContain('巴黎')
    expect(again.answerable).toBe(false)
    expect((await toolsOf(again.id)).calls).toMatchObject([
      { name: 'search', ok: true },
      { name: 'calculator', ok: false },
    ])
  })

  test('three calls at most, the last round must answer; what a model does wrong is told to it', async () => {
    rounds(
      { calls: [call('shell', { command: 'ls' }), call('calculator', '{"expression":')] },
      { calls: [call('calculator', { expression: '1+1' }), call('calculator', { expression: '2+2' })] },
      { pieces: ['好的 [1]。'] },
    )
    const answer = await ask('保修期是多久？')
    expect(answer.text).toBe('好的 [1]。')
    const { calls } = await toolsOf(answer.id)
    expect(calls.map(({ name, ok }) => `${name} ${ok}`)).toEqual(['shell false', 'calculator false', 'calculator true'])
    const [, second, third] = asked()
    expect(second!.messages.at(-2)!.content).toContain('There is no tool "shell"')
    expect(second!.messages.at(-1)!.content).toContain('not JSON')
    expect(JSON.stringify(second!.messages)).not.toContain('{\\"expression\\":"')
    expect(third!.messages.at(-1)!.content).toContain('no more calls')
    expect(third).toMatchObject({ tool_choice: 'none' })
    expect(asked()).toHaveLength(3)
  })

  test('a few words before a call are not shown; once text was shown no call makes the model be asked again', async () => {
    rounds({ pieces: ['让我查一下。'], calls: [call('date')] }, { pieces: ['保修期为 24 个月 [1]。'] })
    expect((await ask('保修期是多久？')).text).toBe('保修期为 24 个月 [1]。')
    expect(asked()).toHaveLength(2)

    model.requests.length = 0
    const long = '本产品的保修期为 24 个月，自购买之日起计算，人为损坏不在保修范围内 [1]。'.repeat(3)
    rounds({ pieces: [long, ' '], calls: [call('date')] })
    const answer = await ask('保修期多久？')
    expect(answer.text).toBe(`${long} `)
    expect(asked()).toHaveLength(1)
    expect(await toolsOf(answer.id)).toMatchObject({ calls: [], ignored: 1 })
  })

  test('a provider that refuses tools answers without them, is not asked with them again, and the record says so', async () => {
    const refusing = await startAt(place, scope, env({ TOOLS_ENABLED: 'true' }))
    model.reply = ({ tools }) => (tools ? { status: 400 } : undefined)
    const answer = await ask('保修期是多久？', refusing.url)
    expect(answer).toMatchObject({ text: '保修期为 24 个月 [1]。', degraded: [] })
    expect(await toolsOf(answer.id)).toMatchObject({ refusedBy: ['llm'], calls: [] })
    expect(asked()).toHaveLength(2)
    const next = await ask('保修期多久？', refusing.url)
    expect(asked()).toHaveLength(3)
    expect(await toolsOf(next.id)).toMatchObject({ refusedBy: ['llm'] })
  })

  test('a model that fails between its calls is replaced by quotations with their sources; where nothing was found it is said', async () => {
    rounds({ calls: [call('date')] }, { status: 401 })
    const quoted = await ask('保修期是多久？')
    expect(quoted).toMatchObject({ degraded: ['model'], sources: [{ n: 1 }], answerable: true })
    expect(quoted.text).toContain('24 个月')
    // the round before the failure is booked
    expect(quoted.usage.inputTokens).toBe(11)
    Object.assign(place.neighbours, { answerable: false })
    rounds({ status: 401 })
    expect(await ask('保修期呢？')).toMatchObject({ degraded: ['tools'], answerable: false })
  })

  test('stopped between two rounds, an answer ends, and what was used is booked', async () => {
    model.pieceMs = 0
    let isSecond = false
    model.reply = () => {
      if (!isSecond) {
        isSecond = true
        return { calls: [call('date')] }
      }
      model.mode = 'silent'
      return {}
    }
    const begun = (await (
      await post(`${gateway.url}/api/v1/answers`, { question: '保修期？', async: true }, { ...me, accept: 'application/json' })
    ).json()) as { id: string }
    await until('the second round was asked', () => asked().length === 2 || undefined)
    await post(`${gateway.url}/api/v1/answers/${begun.id}/stop`, {}, me)
    const answer = await until('it has ended', async () => {
      const seen = (await (await fetch(`${gateway.url}/api/v1/answers/${begun.id}`)).json()) as Answer
      return seen.state === 'streaming' ? undefined : seen
    })
    expect(answer).toMatchObject({ state: 'stopped', sources: [{ n: 1 }] })
    expect(answer.usage.inputTokens).toBeGreaterThan(11)
  })

  test('settings say which tools are offered; without the flag none are, and its older name works', async () => {
    const patch = (tools: string[]) =>
      fetch(`${gateway.url}/api/v1/settings`, {
        method: 'PATCH',
        headers: { ...owner, 'content-type': 'application/json' },
        body: JSON.stringify({ tools }),
      })
    expect((await patch(['shell'])).status).toBe(400)
    await patch(['date'])
    rounds({ calls: [call('calculator', { expression: '1+1' })] }, {})
    const answer = await ask('保修期是多久？')
    expect(await toolsOf(answer.id)).toMatchObject({ offered: ['date'], calls: [{ name: 'calculator', ok: false }] })
    await patch([])
    await ask('保修期是多久？')
    expect(asked().at(-1)).not.toHaveProperty('tools')
    await patch(['search', 'calculator', 'date'])

    const off = await startAt(place, scope, env())
    const plain = await ask('保修期是多久呢？', off.url)
    expect(asked().at(-1)).not.toHaveProperty('tools')
    expect(await recordOf(plain.id)).not.toHaveProperty('tools')
    const agent = await startAt(place, scope, env({ AGENT_ENABLED: 'true', RAG_ENABLED: 'false' }))
    await ask('你好', agent.url)
    expect(asked().at(-1)!.tools).toMatchObject([{ function: { name: 'calculator' } }, { function: { name: 'date' } }])
  })
})
