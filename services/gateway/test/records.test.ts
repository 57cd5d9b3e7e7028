import { beforeEach, describe, expect, test } from 'vitest'
import { until } from '../../lib/testkit/src/until.ts'
import { adminKey, openPool, passage, post, warrantyText } from './harness.ts'
import { withModel } from './with-model.ts'

const owner = { authorization: `Bearer ${adminKey}`, 'content-type': 'application/json' }
type Item = {
  answerId: string
  question: string
  text: string
  settingsVersion: number
  rating: number | null
  record: Record<string, unknown>
}

describe('records and settings', () => {
  const { place, model, gateway } = withModel({
    env: { LLM_PRICE_INPUT: '1', LLM_PRICE_OUTPUT: '2', DEEPSEEK_API_KEY: 'never-asked-0123456789' },
  })
  let asked = 0
  beforeEach(() => {
    model.mode = 'good'
    model.pieces = ['保修期为 ', '24 个月', ' [1]。']
    place.neighbours.passages = [passage(warrantyText)]
    place.neighbours.degraded = []
  })

  const get = async <T>(path: string) => (await (await fetch(gateway.url + path, { headers: owner })).json()) as T
  const send = (method: string, path: string, body: unknown, headers: Record<string, string> = {}) =>
    fetch(gateway.url + path, { method, headers: { ...owner, ...headers }, body: JSON.stringify(body) })
  async function ask(
    question = `保修期是多久？第 ${++asked} 问`,
    extra: object = {},
  ): Promise<{ id: string; conversationId: string; text: string }> {
    return (await (await post(`${gateway.url}/api/v1/ask`, { question, ...extra })).json()) as {
      id: string
      conversationId: string
      text: string
    }
  }

  test('a record names configuration, model, sources, cache, timings, tokens, money and the end', async () => {
    const answer = await ask('记录里有什么？')
    await until('it is cached', async () => {
      await ask('记录里有什么？')
      const { items } = await get<{ items: Item[] }>('/api/v1/records?limit=1')
      return items[0]?.record.cache === 'hit' ? items[0] : undefined
    })
    const { record, ...row } = await get<Item>(`/api/v1/records/${answer.id}`)
    expect(row).toMatchObject({ question: '记录里有什么？', text: answer.text, settingsVersion: expect.any(Number), rating: null })
    expect(record).toMatchObject({
      state: 'done',
      provider: 'llm',
      model: 'mock',
      persona: 'neutral',
      personaVersion: 0,
      cache: 'miss',
      degraded: [],
      answerable: true,
      settings: { topK: 3, temperature: 0.7 },
      usage: { inputTokens: 11, outputTokens: 7, cost: 0.000025, currency: 'USD' },
      sources: [{ n: 1, path: 'manual.md', chunkId: 'c1', version: 1, scores: { fused: 0.9 } }],
      timings: {
        condenseMs: expect.any(Number),
        retrievalMs: expect.any(Number),
        modelMs: expect.any(Number),
        ttftMs: expect.any(Number),
        totalMs: expect.any(Number),
      },
    })
  })

  test('records are filtered by state, time, model, version, degraded step, rating and text, and paged without a gap', async () => {
    const from = new Date().toISOString()
    const first = await ask('独角兽的保修期 100%_?')
    place.neighbours.degraded = ['dense']
    const second = await ask()
    place.neighbours.degraded = []
    model.mode = 'cut'
    const third = await ask()
    await post(`${gateway.url}/api/v1/feedback`, { answerId: second.id, rating: -1 })
    const ids = async (query: string) =>
      (await get<{ items: Item[] }>(`/api/v1/records?from=${encodeURIComponent(from)}&${query}`)).items.map(({ answerId }) => answerId)
    expect(await ids('')).toEqual([third.id, second.id, first.id])
    expect(await ids('state=error')).toEqual([third.id])
    expect(await ids('degraded=dense')).toEqual([second.id])
    expect(await ids('degraded=any')).toEqual([second.id])
    expect(await ids('degraded=none')).toEqual([third.id, first.id])
    expect(await ids('rating=-1')).toEqual([second.id])
    expect(await ids(`text=${encodeURIComponent('100%_')}`)).toEqual([first.id])
    expect(await ids('text=%25%25')).toEqual([])
    expect(await ids('model=nobody')).toEqual([])
    expect(await ids('settingsVersion=1')).toEqual([third.id, second.id, first.id])
    expect(await ids(`to=${encodeURIComponent(from)}`)).toEqual([])
    const paged: string[] = []
    let next: string | undefined = ''
    do {
      const page: { items: Item[]; next?: string } = await get(
        `/api/v1/records?limit=1&from=${encodeURIComponent(from)}${next ? `&cursor=${next}` : ''}`,
      )
      paged.push(...page.items.map(({ answerId }) => answerId))
      next = page.next
    } while (next)
    expect(paged).toEqual([third.id, second.id, first.id])
    for (const query of ['cursor=x', 'state=fine', 'from=yesterday', 'nonsense=1', 'limit=0'])
      expect((await fetch(`${gateway.url}/api/v1/records?${query}`, { headers: owner })).status).toBe(400)
  })

  test('records are exported whole as CSV and JSON lines', async () => {
    await ask('=1+1 是多少？')
    const csv = await fetch(`${gateway.url}/api/v1/records?format=csv&text=${encodeURIComponent('=1+1')}`, { headers: owner })
    expect(csv.headers.get('content-type')).toContain('text/csv')
    expect(csv.headers.get('content-disposition')).toContain('records.csv')
    const lines = (await csv.text()).trim().split('\r\n')
    expect(lines).toHaveLength(2)
    expect(lines[0]).toContain('createdAt,answerId')
    expect(lines[1]).toContain("'=1+1 是多少？")
    const jsonl = await (await fetch(`${gateway.url}/api/v1/records?format=jsonl`, { headers: owner })).text()
    const all = jsonl
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Item)
    expect(all.length).toBeGreaterThan(4)
    expect(new Set(all.map(({ answerId }) => answerId)).size).toBe(all.length)
  })

  test('a replay runs with other settings, outside the conversation, books its cost and shows what differs', async () => {
    const answer = await ask()
    const before = model.requests.length
    const usage = async () =>
      (await get<{ items: { principal: string; requests: number; inputTokens: number }[] }>('/api/v1/usage')).items.find(
        ({ principal }) => principal === 'admin',
      )
    const booked = (await usage())?.inputTokens ?? 0
    model.pieces = ['保修期为 ', '36 个月', ' [1]。']
    place.neighbours.passages = [passage('别的一段。', { start: 900, end: 905, chunkId: 'c9' }), passage(warrantyText)]
    const replayed = await send('POST', `/api/v1/records/${answer.id}/replay`, { settings: { temperature: 0, topK: 2 } })
    expect(replayed.status).toBe(200)
    const body = (await replayed.json()) as {
      original: { text: string }
      replay: { text: string; settings: object; record: object }
      diff: { sources: object; text: object[]; settings: { name: string; from: unknown; to: unknown }[] }
    }
    expect(body.original.text).toBe(answer.text)
    expect(body.replay).toMatchObject({
      text: '保修期为 36 个月 [1]。',
      state: 'done',
      settings: { temperature: 0, topK: 2 },
      model: 'mock',
    })
    expect(body.diff.sources).toMatchObject({ kept: [], gone: [], new: [{ n: 1, start: 900 }], moved: [{ n: 2, from: 1 }] })
    expect(body.diff.text).toContainEqual({ op: 'new', text: '36' })
    expect(body.diff.settings).toEqual([
      { name: 'topK', from: 3, to: 2 },
      { name: 'temperature', from: 0.7, to: 0 },
    ])
    expect(model.requests.length).toBe(before + 1)
    expect(model.requests.at(-1)).toMatchObject({ temperature: 0 })
    expect((await usage())!.inputTokens).toBe(booked + 11)
    expect((await get<Item>(`/api/v1/records/${answer.id}`)).text).toBe(answer.text)
    const stored = await send('POST', `/api/v1/records/${answer.id}/replay`, { settings: { cacheAnswers: true } })
    expect(stored.status).toBe(200)
    expect(model.requests.length).toBe(before + 2)
    const asOther = await send('POST', `/api/v1/records/${answer.id}/replay`, { settings: { persona: 'first-person' } })
    expect(((await asOther.json()) as { replay: { persona: string } }).replay.persona).toBe('first-person')
    expect((await send('POST', `/api/v1/records/${answer.id}/replay`, { settings: { topK: 99 } })).status).toBe(400)
    expect((await send('POST', '/api/v1/records/00000000-0000-4000-8000-000000000000/replay', {})).status).toBe(404)
    expect((await post(`${gateway.url}/api/v1/records/${answer.id}/replay`, {})).status).toBe(401)
  })

  test('a replay of an answer that was made anew names no setting that nobody changed', async () => {
    const answer = await ask()
    const again = (await (
      await post(`${gateway.url}/api/v1/answers/${answer.id}/regenerate`, {}, { accept: 'application/json' })
    ).json()) as { id: string }
    const replayed = await send('POST', `/api/v1/records/${again.id}/replay`, {})
    expect(((await replayed.json()) as { diff: { settings: object[] } }).diff.settings).toEqual([])
  })

  test('a follow-up is replayed with what stood before it, not with what came after', async () => {
    const first = await ask('保修期是多久，先问？')
    const second = await ask('那 X200 呢？', { conversationId: first.conversationId })
    await ask('还有 X100 呢？', { conversationId: first.conversationId })
    await send('POST', `/api/v1/records/${second.id}/replay`, {})
    expect(place.neighbours.searches.at(-1)).toMatchObject({ query: '那 X200 呢？', previous: '保修期是多久，先问？' })
    expect(JSON.stringify(model.requests.at(-1)!.messages)).not.toContain('X100 呢')
  })

  test('settings: a change is a version, conflicts are told, unknown names refused, and every version can come back', async () => {
    const first = await fetch(`${gateway.url}/api/v1/settings`, { headers: owner })
    const { version } = (await first.json()) as { version: number }
    expect(first.headers.get('etag')).toBe(`"${version}"`)
    const changed = await send('PATCH', '/api/v1/settings', { topK: 5, prompt: '只用一句话。' }, { 'if-match': `"${version}"` })
    expect(await changed.json()).toMatchObject({ version: version + 1, settings: { topK: 5 } })
    for (const nothing of [{}, { topK: 5 }])
      expect(await (await send('PATCH', '/api/v1/settings', nothing)).json()).toMatchObject({ version: version + 1 })
    const late = await send('PATCH', '/api/v1/settings', { topK: 7 }, { 'if-match': `"${version}"` })
    expect(late.status).toBe(412)
    expect(await late.json()).toMatchObject({ code: 'precondition_failed' })
    for (const [body, path] of [
      [{ unknown: 1 }, ''],
      [{ topK: 0 }, 'body.topK'],
      [{ persona: 'nobody' }, 'body.persona'],
      [{ model: 'nobody' }, 'body.model'],
    ] as const) {
      const refused = await send('PATCH', '/api/v1/settings', body)
      expect(refused.status).toBe(400)
      const problem = (await refused.json()) as { code: string; errors: { path: string }[] }
      expect(problem.code).toBe('validation')
      if (path) expect(problem.errors[0]!.path).toBe(path)
    }
    const answer = await ask()
    expect((await get<Item>(`/api/v1/records/${answer.id}`)).settingsVersion).toBe(version + 1)
    expect(await gateway.metrics.metrics()).toContain(
      `docent_answers_by_settings_total{version="${version + 1}",result="answered",service="gateway"} 1`,
    )
    expect(model.requests.at(-1)!.messages[0]!.content).toContain('只用一句话。')

    const { items } = await get<{ items: { version: number; changes: { name: string }[] }[] }>('/api/v1/settings/versions')
    expect(items[0]).toMatchObject({ version: version + 1, author: 'admin' })
    expect(items[0]!.changes.map(({ name }) => name)).toEqual(['topK', 'prompt'])
    expect(await get(`/api/v1/settings/diff?from=${version}&to=${version + 1}`)).toMatchObject({
      changes: [{ name: 'topK', from: 3, to: 5 }, { name: 'prompt' }],
    })
    const back = await send('POST', '/api/v1/settings/rollback', { version })
    expect(await back.json()).toMatchObject({ version: version + 2, settings: { topK: 3, prompt: '' } })
    expect((await send('POST', '/api/v1/settings/rollback', { version: 999_999 })).status).toBe(404)
  })

  test('changes at the same time: of two upon one version one wins; without a version none is lost', async () => {
    const { version } = await get<{ version: number }>('/api/v1/settings')
    const both = await Promise.all([1, 2].map((topK) => send('PATCH', '/api/v1/settings', { topK }, { 'if-match': `"${version}"` })))
    expect(both.map(({ status }) => status).sort()).toEqual([200, 412])
    await Promise.all([
      send('PATCH', '/api/v1/settings', { temperature: 0.1 }),
      send('PATCH', '/api/v1/settings', { maxTokens: 99 }),
      send('PATCH', '/api/v1/settings', { searchLimit: 9 }),
    ])
    expect(await get('/api/v1/settings')).toMatchObject({ settings: { temperature: 0.1, maxTokens: 99, searchLimit: 9 } })
  })

  test('a price in the settings goes before the configured one, in the booked cost and in the list of providers', async () => {
    const patch = (prices: object) => send('PATCH', '/api/v1/settings', { prices })
    const unknown = await patch({ nobody: { input: 1, output: 1, currency: 'USD' } })
    expect(await unknown.json()).toMatchObject({ code: 'validation', errors: [{ path: 'body.prices.nobody' }] })
    expect((await patch({ llm: { input: -1, output: 1, currency: 'usd' } })).status).toBe(400)
    const foreign = await patch({ llm: { input: 100, output: 200, currency: 'CNY' } })
    expect(await foreign.json()).toMatchObject({
      status: 400,
      errors: [{ path: 'body.prices', message: expect.stringContaining('USD and CNY') as string }],
    })
    expect((await patch({ llm: { input: 100, output: 200, currency: 'USD' } })).status).toBe(200)
    const { items } = await get<{ items: { name: string; price?: object }[] }>('/api/v1/providers')
    expect(items.find(({ name }) => name === 'llm')?.price).toEqual({ input: 100, output: 200, currency: 'USD' })
    const answer = (await (await post(`${gateway.url}/api/v1/ask`, { question: '价格变了，保修期是多久？' })).json()) as { usage: object }
    expect(answer.usage).toEqual({ inputTokens: 11, outputTokens: 7, cost: 0.0025, currency: 'USD' })
    expect(await get('/api/v1/usage')).toMatchObject({ currency: 'USD', items: expect.any(Array) as object })
    expect((await patch({})).status).toBe(200)
  })

  test('the provider that the settings name is asked first', async () => {
    await send('PATCH', '/api/v1/settings', { model: 'llm' })
    expect((await get<Item>(`/api/v1/records/${(await ask()).id}`)).record).toMatchObject({ provider: 'llm' })
    await send('PATCH', '/api/v1/settings', { model: null })
  })

  test('a row of another release, whose search had other names, is no error of every question', async () => {
    const pool = openPool(place.databaseUrl)
    const { settings } = await get<{ settings: object }>('/api/v1/settings')
    const body = { ...settings, topK: 4, retrieval: { gate: { nameOfAnother: 1 } }, unheardOf: true }
    await pool.query(`INSERT INTO setting (body, author, note) VALUES ($1, 'other', '')`, [JSON.stringify(body)])
    await pool.end()
    await until('the row is followed', async () => (await get<{ settings: { topK: number } }>('/api/v1/settings')).settings.topK === 4)
    expect((await ask()).text).toContain('24 个月')
    const { items } = await get<{ items: { changes: { name: string }[] }[] }>('/api/v1/settings/versions')
    expect(items[0]!.changes.map(({ name }) => name)).toEqual(['topK'])
  })
})
