import { beforeEach, describe, expect, test } from 'vitest'
import { until } from '../../lib/testkit/src/until.ts'
import { adminKey, allEvents, eventsOf, openPlace, passage, post, type Received, startAt, textOf, warrantyText } from './harness.ts'
import { withModel } from './with-model.ts'

const finals = ['done', 'stopped', 'interrupted', 'error']

describe('asking a model', () => {
  const { scope, place, model, gateway } = withModel({
    env: { LLM_FIRST_TOKEN_S: '0.6', LLM_SILENCE_S: '0.6', LLM_PRICE_INPUT: '1', LLM_PRICE_OUTPUT: '2' },
    stream: { abandonMs: 700, snapshotMs: 200 },
    breaker: { failures: 1_000 }, // failures follow each other here; the breaker has tests of its own
  })
  let asked = 0
  beforeEach(() => {
    model.mode = 'good'
    model.pieces = ['保修期为 ', '24 个月', ' [1]。', '由火星', '政府承保[1]。']
    model.pieceMs = 0
  })

  // a question of its own each time: the answer cache must not answer for the model
  const ask = () => post(`${gateway.url}/api/v1/answers`, { question: `保修期是多久？第 ${++asked} 问` }, { accept: 'text/event-stream' })
  const endOf = (events: Received[]) => events.filter(({ type }) => finals.includes(type))
  const stored = async (events: Received[]) => {
    const { answerId } = events[0]!.data as { answerId: string }
    return (await (await fetch(`${gateway.url}/api/v1/answers/${answerId}`)).json()) as {
      text: string
      state: string
      citations: { verified: boolean; source: number }[]
      usage: object
      degraded: string[]
    }
  }

  test('its text is streamed with markers, citations are checked, tokens and money are booked', async () => {
    const events = await allEvents(await ask())
    expect(endOf(events)).toMatchObject([{ type: 'done' }])
    expect(textOf(events)).toBe('保修期为 24 个月 [1]。由火星政府承保[1]。')
    const answer = await stored(events)
    expect(answer.text).toBe(textOf(events))
    expect(answer.citations.map(({ verified }) => verified)).toEqual([true, false])
    expect(answer.usage).toEqual({ inputTokens: 11, outputTokens: 7, cost: 0.000025, currency: 'USD' })
  })

  test('a marker that stands for no source is said to be one', async () => {
    model.pieces = ['保修期为 24 个月 [1]。', '火星也一样 [1、7]。']
    const events = await allEvents(await ask())
    expect(events.filter(({ type }) => type === 'warning').map(({ data }) => data)).toEqual([
      { code: 'unknown_source', message: '模型标注了不存在的来源：[7]' },
    ])
    expect((await stored(events)).citations.every(({ source }) => source === 1)).toBe(true)
  })

  test('the prompt fences the sources and names the language', async () => {
    const sent = model.requests.at(-1)!
    expect(sent).toMatchObject({ model: 'mock', stream: true, temperature: 0.7 })
    expect(sent.messages[0]!.content).toContain('Simplified Chinese')
    const boundary = /two lines "([\w-]+)"/.exec(sent.messages[0]!.content)![1]!
    expect(sent.messages.at(-1)!.content.split(boundary)).toHaveLength(3)
    expect(sent.messages.at(-1)!.content).toContain(warrantyText)
  })

  test('an answer in another language than its source is compared by figures, and what cannot be compared is no gap', async () => {
    type Told = {
      id: string
      conversationId: string
      answerable: boolean
      citations: { verified: boolean; unchecked?: string }[]
      warnings?: { code: string }[]
    }
    const say = async (...pieces: string[]) => {
      model.pieces = pieces
      return (await (await post(`${gateway.url}/api/v1/ask`, { question: `How long is it? ${pieces.join(' ')}` })).json()) as Told
    }
    const gaps = async () => {
      const headers = { authorization: `Bearer ${adminKey}` }
      const { items } = (await (await fetch(`${gateway.url}/api/v1/gaps`, { headers })).json()) as {
        items: { examples: { answerId: string }[] }[]
      }
      return items.flatMap(({ examples }) => examples.map(({ answerId }) => answerId))
    }
    const honest = await say('The warranty covers a period of two years [1].')
    expect(honest.citations).toMatchObject([{ verified: false, unchecked: 'language' }])
    const wrong = await say('The warranty lasts 60 months [1].')
    expect(wrong.citations).toEqual([expect.not.objectContaining({ unchecked: 'language' })])
    expect(wrong.citations).toMatchObject([{ verified: false }])
    const bare = await say('The warranty lasts 24 months.')
    expect(bare.warnings).toMatchObject([{ code: 'uncited' }])
    expect(((await (await fetch(`${gateway.url}/api/v1/answers/${bare.id}`)).json()) as Told).warnings).toEqual(bare.warnings)
    const invented = await say('The warranty lasts 24 months [9].')
    expect(invented.warnings).toMatchObject([{ code: 'unknown_source' }, { code: 'uncited' }])
    expect(honest.warnings).toBeUndefined()
    const { items } = (await (await fetch(`${gateway.url}/api/v1/conversations/${bare.conversationId}/messages`)).json()) as {
      items: Told[]
    }
    expect(items.at(-1)!.warnings).toEqual(bare.warnings)
    const refused = await say('The sources do not mention it [1].')
    expect(refused).toMatchObject({ answerable: false, citations: [] })
    expect(refused.warnings).toBeUndefined()
    const weak = await gaps()
    expect(weak).toContain(refused.id)
    expect(weak).toEqual(expect.arrayContaining([wrong.id]))
    expect(weak).not.toContain(honest.id)
    const record = await fetch(`${gateway.url}/api/v1/records/${bare.id}`, { headers: { authorization: `Bearer ${adminKey}` } })
    expect(JSON.stringify(await record.json())).toContain('"isUncited":true')
  })

  test('a sentence without a marker beside others is quoted where its figures stand in no source, from the cache too', async () => {
    type Told = { id: string; conversationId: string; warnings?: { code: string; message: string }[] }
    const tell = async (question: string, ...pieces: string[]) => {
      model.pieces = pieces
      return (await (await post(`${gateway.url}/api/v1/ask`, { question })).json()) as Told
    }
    const sound = ['保修期为 24 个月 [1]。', '也就是两年。X200 为 36 个月。如有疑问，请联系客服。']
    expect((await tell('无标注的一句之一？', ...sound)).warnings).toBeUndefined()
    const invented = ['保修期为 24 个月 [1]。', '延长到 60 个月需付 250 元。', '如有疑问，请联系客服。']
    const told = [{ code: 'unsupported', message: expect.stringMatching(/请自行核对：“延长到 60 个月需付 250 元。”$/) }]
    const first = await tell('无标注的一句之二？', ...invented)
    expect(first.warnings).toEqual(told)
    const record = await fetch(`${gateway.url}/api/v1/records/${first.id}`, { headers: { authorization: `Bearer ${adminKey}` } })
    expect(await record.json()).toMatchObject({ record: { unsupported: [{ start: 15, end: 33 }] } })
    // who comes back to the conversation is told, too
    const kept = await (await fetch(`${gateway.url}/api/v1/conversations/${first.conversationId}`)).json()
    expect(kept).toMatchObject({ messages: [{ role: 'question' }, { role: 'answer', warnings: told }] })
    await until('it is told from the cache', async () => {
      const requests = model.requests.length
      expect((await tell('无标注的一句之二？', ...invented)).warnings).toEqual(told)
      return model.requests.length === requests || undefined
    })
    // what the question says is known
    expect((await tell('延长到 60 个月需付 250 元吗？', ...invented)).warnings).toBeUndefined()
  })

  test('a source named in another style is shown as a marker and checked; code stays as it is', async () => {
    model.pieces = ['保修期为 24 个月[', '^1]。见 `x[', '[1]]`。']
    const told = (await (await post(`${gateway.url}/api/v1/ask`, { question: '别的写法的保修期？' })).json()) as {
      text: string
      citations: object[]
    }
    expect(told.text).toBe('保修期为 24 个月[1]。见 `x[[1]]`。')
    expect(told.citations).toMatchObject([{ source: 1, start: 0, end: 10 }])
  })

  test('an equal question is answered from the cache until a source changes', async () => {
    const question = { question: '缓存里的保修期？' }
    const before = model.requests.length
    const first = (await (await post(`${gateway.url}/api/v1/ask`, question)).json()) as { text: string }
    await until('the answer is in the cache', async () => {
      const again = (await (await post(`${gateway.url}/api/v1/ask`, question)).json()) as { text: string; usage: { inputTokens: number } }
      expect(again.text).toBe(first.text)
      return again.usage.inputTokens === 0 || undefined
    })
    const cached = model.requests.length
    expect(cached).toBeGreaterThan(before)
    place.neighbours.passages = [passage(warrantyText, { version: 2 })]
    await post(`${gateway.url}/api/v1/ask`, question)
    expect(model.requests.length).toBe(cached + 1)
  })

  for (const [mode, status] of [
    ['status', 401],
    ['status', 402],
    ['silent', 0],
    ['empty', 0],
  ] as const) {
    test(`a model that fails before its first word (${mode} ${status || ''}) is replaced by quotations, said to be so`, async () => {
      model.mode = mode
      model.status = status
      const before = model.requests.length
      const events = await allEvents(await ask())
      expect(endOf(events)).toMatchObject([{ type: 'done' }])
      expect(events.find(({ type }) => type === 'warning')?.data).toMatchObject({ code: 'degraded', step: 'model' })
      expect(textOf(events)).toContain('文档中的原文')
      expect((await stored(events)).degraded).toEqual(['model'])
      expect(model.requests.length - before).toBe(1)
    })
  }

  for (const status of [500, 502, 503]) {
    test(`a ${status} is tried again twice before the documents are quoted`, async () => {
      model.mode = 'status'
      model.status = status
      const before = model.requests.length
      const events = await allEvents(await ask())
      expect(model.requests.length - before).toBe(3)
      expect(textOf(events)).toContain('文档中的原文')
    })
  }

  for (const mode of ['cut', 'reset', 'half', 'no-done', 'error', 'stall'] as const) {
    test(`a model that breaks off in mid-text (${mode}) ends in one error; what was shown is kept; nobody else is asked`, async () => {
      model.mode = mode
      const before = model.requests.length
      const events = await allEvents(await ask())
      expect(endOf(events)).toMatchObject([{ type: 'error' }])
      expect(textOf(events)).not.toBe('')
      expect(textOf(events)).not.toContain('\ufffd')
      expect(await stored(events)).toMatchObject({ state: 'error', text: textOf(events) })
      expect(model.requests.length - before).toBe(1)
    })
  }

  test('what was shown before a break or a stop is checked and cited as ever', async () => {
    for (const mode of ['cut', 'no-done', 'stall', 'slow'] as const) {
      model.mode = mode
      model.pieces = ['保修期为 24 个月 [1]。', '由火星政府承保[1]。', ...Array.from({ length: 8 }, (_, i) => `词${i} `)]
      model.pieceMs = mode === 'slow' ? 100 : 0
      const events: Received[] = []
      for await (const event of eventsOf(await ask())) {
        events.push(event)
        if (mode !== 'slow' || !textOf(events).includes('词0')) continue
        model.pieceMs = 5_000
        await post(`${gateway.url}/api/v1/answers/${(events[0]!.data as { answerId: string }).answerId}/stop`, {})
      }
      expect([mode, events.at(-1)!.type]).toEqual([mode, mode === 'slow' ? 'stopped' : 'error'])
      const { citations, text } = await stored(events)
      expect([mode, ...citations.map(({ verified, source }) => [verified, source])]).toEqual([mode, [true, 1], [false, 1]])
      expect(events.filter(({ type }) => type === 'citation').map(({ data }) => data)).toEqual(citations)
      expect(text).toBe(textOf(events))
    }
  })

  test('a server that hangs after its finish_reason does not hang the answer', async () => {
    model.mode = 'hang-after-finish'
    expect(endOf(await allEvents(await ask()))).toMatchObject([{ type: 'done' }])
  })

  test('stop closes the upstream within a second, in mid-text and before the first word', async () => {
    for (const mode of ['slow', 'silent'] as const) {
      model.mode = mode
      model.pieces = Array.from({ length: 200 }, (_, i) => `词${i} `)
      model.pieceMs = 20
      const response = await ask()
      const events: Received[] = []
      const before = model.hangUps.length
      let stopped = 0
      for await (const event of eventsOf(response)) {
        events.push(event)
        if (!stopped && event.type === (mode === 'slow' ? 'delta' : 'sources')) {
          await until('the model is asked', () => model.open() > 0 || undefined)
          stopped = performance.now()
          const { answerId } = events[0]!.data as { answerId: string }
          expect(await (await post(`${gateway.url}/api/v1/answers/${answerId}/stop`, {})).json()).toMatchObject({ state: 'stopped' })
        }
      }
      expect(endOf(events)).toMatchObject([{ type: 'stopped' }])
      await until('the model saw the hang-up', () => model.hangUps.length > before || undefined)
      expect(model.hangUps.at(-1)! - stopped).toBeLessThan(1_000)
      expect((await stored(events)).text).toBe(textOf(events))
    }
  })

  test('an answer nobody reads is stopped, unless it was asked to go on', async () => {
    model.mode = 'slow'
    model.pieces = Array.from({ length: 120 }, (_, i) => `词${i} `)
    model.pieceMs = 20
    const start = async (onDisconnect: string) => {
      const leave = new AbortController()
      const response = await fetch(`${gateway.url}/api/v1/answers`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
        body: JSON.stringify({ question: `离开 ${++asked}`, onDisconnect }),
        signal: leave.signal,
      })
      const id = response.headers.get('location')!
      for await (const event of eventsOf(response)) if (event.type === 'delta') break
      leave.abort()
      return id
    }
    const [left, kept] = await Promise.all([start('cancel'), start('detach')])
    const stateOf = async (path: string) => ((await (await fetch(gateway.url + path)).json()) as { state: string }).state
    expect(await until('the left answer ends', async () => ((await stateOf(left)) === 'streaming' ? undefined : stateOf(left)))).toBe(
      'stopped',
    )
    expect(await until('the kept answer ends', async () => ((await stateOf(kept)) === 'streaming' ? undefined : stateOf(kept)))).toBe(
      'done',
    )
  })

  test('the same Idempotency-Key gives the same answer with one upstream call; another body is refused', async () => {
    const headers = { 'idempotency-key': 'key-1', 'x-client-id': 'idem' }
    const before = model.requests.length
    const body = { question: '幂等的保修期？' }
    const ids = await Promise.all(
      [1, 2, 3].map(async () => ((await (await post(`${gateway.url}/api/v1/ask`, body, headers)).json()) as { id: string }).id),
    )
    expect(new Set(ids).size).toBe(1)
    expect(model.requests.length - before).toBe(1)
    const other = await post(`${gateway.url}/api/v1/ask`, { question: '别的问题' }, headers)
    expect(other.status).toBe(422)
    expect(await other.json()).toMatchObject({ code: 'idempotency_mismatch' })
  })

  test('the day’s budget holds for parallel questions and survives a restart', async () => {
    const poor = await openPlace(scope)
    const env = { LLM_BASE_URL: model.url, LLM_MODEL: 'mock', DAILY_TOKEN_BUDGET: '20000' }
    await using first = new AsyncDisposableStack()
    const small = await startAt(poor, first, env)
    const answers = await Promise.all(Array.from({ length: 12 }, (_, i) => post(`${small.url}/api/v1/ask`, { question: `预算 ${i}` })))
    const degraded = async (response: Response) => ((await response.json()) as { degraded: string[] }).degraded
    const said = (await Promise.all(answers.map(degraded))).map(String)
    expect(new Set(said)).toEqual(new Set(['', 'budget']))
    // what was reserved and not used is free again
    expect(await degraded(await post(`${small.url}/api/v1/ask`, { question: '还有预算吗' }))).toEqual([])
    const usage = async (url: string) =>
      (
        (await (await fetch(`${url}/api/v1/usage`, { headers: { authorization: `Bearer ${adminKey}` } })).json()) as {
          items: { principal: string; inputTokens: number }[]
        }
      ).items.find(({ principal }) => principal === '*')!.inputTokens
    const used = await usage(small.url)
    expect(used).toBeGreaterThan(0)
    await first.disposeAsync()
    const again = await startAt(poor, scope, { ...env, DAILY_TOKEN_BUDGET: '7200' })
    expect(await usage(again.url)).toBe(used)
    expect(await degraded(await post(`${again.url}/api/v1/ask`, { question: '重启之后' }))).toEqual(['budget'])
  })
})
