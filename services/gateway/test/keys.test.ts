import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Answer } from '@docent/core/answer-event'
import { Redis } from 'ioredis'
import pg from 'pg'
import { beforeAll, describe, expect, test } from 'vitest'
import { until } from '../../lib/testkit/src/until.ts'
import type { Gateway } from '../src/gateway-service.ts'
import { adminKey, allEvents, configOf, openPool, post, startAt, textOf } from './harness.ts'
import { withModel, withPlace } from './with-model.ts'

const owner = { authorization: `Bearer ${adminKey}` }
type Made = { id: string; key: string; prefix: string }

describe('keys', () => {
  const folder = mkdtempSync(join(tmpdir(), 'docent-keys-'))
  const logFile = join(folder, 'log')
  // counts of this file only: the wrong keys of others come from the same address
  const { scope, place, model, gateway } = withModel({ cacheDatabase: 6, env: { ACCESS: 'keys' }, logFile })
  scope.defer(() => rmSync(folder, { recursive: true }))
  let asked = 0

  const make = async (body: object) => (await (await post(`${gateway.url}/api/v1/keys`, body, owner)).json()) as Made
  const bearer = (key: string) => ({ authorization: `Bearer ${key}` })
  const ask = (key: string) => post(`${gateway.url}/api/v1/ask`, { question: `保修期是多久？第 ${++asked} 问` }, bearer(key))

  test('a key is shown once, works until it is revoked, and is listed without its secret', async () => {
    const made = await make({ name: 'intranet', scopes: ['chat'] })
    expect(made.key.startsWith(`${made.prefix}_`)).toBe(true)
    expect((await ask(made.key)).status).toBe(200)
    const list = await (await fetch(`${gateway.url}/api/v1/keys`, { headers: owner })).text()
    expect(list).toContain(made.prefix)
    expect(list).not.toContain(made.key)
    expect((await fetch(`${gateway.url}/api/v1/keys`, { headers: bearer(made.key) })).status).toBe(403)
    expect((await ask(`${made.key.slice(0, -1)}${made.key.endsWith('A') ? 'B' : 'A'}`)).status).toBe(401)
    expect((await fetch(`${gateway.url}/api/v1/keys/${made.id}`, { method: 'DELETE', headers: owner })).status).toBe(204)
    expect((await ask(made.key)).status).toBe(401)
    expect((await fetch(`${gateway.url}/api/v1/keys/${made.id}`, { method: 'DELETE', headers: owner })).status).toBe(404)
  })

  test('what cannot be a key is refused with the reason', async () => {
    for (const [body, path] of [
      [{ name: 'x', scopes: [] }, 'body.scopes'],
      [{ name: 'x', scopes: ['root'] }, 'body.scopes.0'],
      [{ name: 'x', scopes: ['ingest', 'admin'], collections: ['a'] }, 'body.collections'],
      [{ name: 'x', scopes: ['chat'], expiresAt: '2020-01-01T00:00:00Z' }, 'body.expiresAt'],
      [{ name: 'x', scopes: ['chat'], limits: { tokensPerDay: 0 } }, 'body.limits.tokensPerDay'],
      [{ name: 'x', scopes: ['chat'], hash: 'y' }, 'body'],
    ] as const) {
      const refused = await post(`${gateway.url}/api/v1/keys`, body, owner)
      expect(refused.status).toBe(400)
      expect(((await refused.json()) as { errors: { path: string }[] }).errors[0]!.path).toBe(path)
    }
  })

  test('a key that can get no answer of a model, or find nothing, is made with a warning', async () => {
    const made = (await (
      await post(`${gateway.url}/api/v1/keys`, { name: 'w', scopes: ['chat'], collections: ['typo'], limits: { tokensPerDay: 100 } }, owner)
    ).json()) as { warnings: { code: string }[] }
    expect(made.warnings.map(({ code }) => code)).toEqual(['unknown_collection', 'small_token_limit'])
    expect(await make({ name: 'fine', scopes: ['chat'], limits: { tokensPerDay: 1_000_000 } })).not.toHaveProperty('warnings')
  })

  test('a key ends at its time', async () => {
    const { key } = await make({ name: 'short', scopes: ['chat'], expiresAt: new Date(Date.now() + 1_500).toISOString() })
    expect((await ask(key)).status).toBe(200)
    await until('it has expired', async () => (await ask(key)).status === 401 || undefined)
  })

  test('a rotated key has a new secret; the old one works on for its grace and no longer', async () => {
    const made = await make({ name: 'turning', scopes: ['chat'] })
    const rotate = async (graceS: number) =>
      (await (await post(`${gateway.url}/api/v1/keys/${made.id}/rotate`, { graceS }, owner)).json()) as Made
    const second = await rotate(3_600)
    expect(second.key).not.toBe(made.key)
    expect([(await ask(made.key)).status, (await ask(second.key)).status]).toEqual([200, 200])
    const third = await rotate(0)
    expect([(await ask(made.key)).status, (await ask(second.key)).status, (await ask(third.key)).status]).toEqual([401, 401, 200])
  })

  test('a key that is bound to collections carries them to retrieval, an ingest key may upload', async () => {
    const bound = await make({ name: 'bound', scopes: ['chat', 'read'], collections: ['handbook'] })
    await ask(bound.key)
    const search = place.neighbours.seen.findLast(({ url }) => url === '/search')!
    expect(JSON.parse(Buffer.from(String(search.headers['x-docent-principal']), 'base64url').toString())).toMatchObject({
      kind: 'key',
      collections: ['handbook'],
    })
    const ingest = await make({ name: 'sync', scopes: ['ingest'], collections: ['handbook'] })
    const form = new FormData()
    form.append('file', new Blob(['hello']), 'a.txt')
    expect((await fetch(`${gateway.url}/api/v1/documents`, { method: 'POST', headers: bearer(ingest.key), body: form })).status).toBe(200)
    const upload = place.neighbours.seen.findLast(({ url }) => url === '/documents')!
    expect(JSON.parse(Buffer.from(String(upload.headers['x-docent-principal']), 'base64url').toString())).toMatchObject({
      scopes: ['ingest'],
      collections: ['handbook'],
    })
    expect((await ask(ingest.key)).status).toBe(403)
  })

  test('C15 uploads are limited per key, and by it alone', async () => {
    const made = [
      await make({ name: 'few files', scopes: ['ingest'], limits: { uploadsPerMinute: 2 } }),
      await make({ name: 'all files', scopes: ['ingest'] }),
    ]
    const upload = async (key: string) => {
      const form = new FormData()
      form.append('file', new Blob(['hello']), 'a.txt')
      return fetch(`${gateway.url}/api/v1/documents`, { method: 'POST', headers: bearer(key), body: form })
    }
    const statuses: number[][] = []
    for (let i = 0; i < 3; i++) statuses.push(await Promise.all(made.map(async ({ key }) => (await upload(key)).status)))
    expect(statuses).toEqual([
      [200, 200],
      [200, 200],
      [429, 200],
    ])
    const refused = await upload(made[0]!.key)
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
    expect(await refused.json()).toMatchObject({ code: 'rate_limited', detail: expect.stringContaining('2 uploads a minute') as string })
  })

  test('C15 requests, open answers and tokens are limited per key', async () => {
    const few = await make({ name: 'few', scopes: ['chat'], limits: { requestsPerMinute: 2 } })
    const statuses = [(await ask(few.key)).status, (await ask(few.key)).status]
    const third = await ask(few.key)
    expect([...statuses, third.status]).toEqual([200, 200, 429])
    expect(third.headers.get('ratelimit')).toMatch(/^limit=2, remaining=0, reset=\d+$/)
    expect(Number(third.headers.get('retry-after'))).toBeGreaterThan(0)

    const narrow = await make({ name: 'narrow', scopes: ['chat'], limits: { openAnswers: 2 } })
    model.mode = 'silent'
    const begin = () =>
      post(
        `${gateway.url}/api/v1/answers`,
        { question: `x ${++asked}`, async: true },
        { ...bearer(narrow.key), accept: 'application/json' },
      )
    const begun = await Promise.all(Array.from({ length: 6 }, begin))
    expect(begun.map(({ status }) => status).sort()).toEqual([202, 202, 429, 429, 429, 429])
    for (const response of begun.filter(({ status }) => status === 202)) {
      const { id } = (await response.json()) as { id: string }
      await post(`${gateway.url}/api/v1/answers/${id}/stop`, {}, bearer(narrow.key))
    }
    model.mode = 'good'
    expect((await ask(narrow.key)).status).toBe(200)

    const poor = await make({ name: 'poor', scopes: ['chat'], limits: { tokensPerDay: 9_000 } })
    model.usage = { prompt_tokens: 900, completion_tokens: 100 }
    const both = await Promise.all([ask(poor.key), ask(poor.key)])
    const answers = await Promise.all(both.map(async (response) => (await response.json()) as Answer))
    expect(answers.map(({ degraded }) => degraded.join()).sort()).toEqual(['', 'budget'])
    model.usage = { prompt_tokens: 11, completion_tokens: 7 }
  })

  test('guessing keys is slowed down per address, and does not lock the right one out', async () => {
    const { key } = await make({ name: 'right', scopes: ['chat'] })
    const statuses = new Set<number>()
    for (let i = 0; i < 40; i++) statuses.add((await fetch(`${gateway.url}/api/v1/records`, { headers: bearer(`guess-${i}`) })).status)
    expect([...statuses].sort()).toEqual([401, 429])
    expect((await ask(key)).status).toBe(200)
  })

  test('C6: no key stands in the log, the database or an error', async () => {
    const made = await make({ name: 'canary', scopes: ['chat'] })
    await ask(made.key)
    const wrong = `${made.key}x`
    const refused = await (await fetch(`${gateway.url}/api/v1/records`, { headers: bearer(wrong) })).text()
    await post(`${gateway.url}/api/v1/ask`, 'no object', bearer(made.key))
    const pool = openPool(place.ownerUrl)
    const { rows } = await pool.query<{ table_name: string }>(
      `SELECT table_name FROM information_schema.tables WHERE table_schema = 'chat'`,
    )
    let dump = ''
    for (const { table_name } of rows) dump += JSON.stringify((await pool.query(`SELECT t::text FROM chat."${table_name}" t`)).rows)
    await pool.end()
    const log = readFileSync(logFile, 'utf8')
    expect(log).toContain(made.id)
    expect(dump).toContain(made.prefix)
    const secret = made.key.slice(made.prefix.length + 1)
    for (const text of [log, dump, refused]) {
      expect(text).not.toContain(secret)
      expect(text).not.toContain(adminKey)
    }
  })
})

describe('budgets', () => {
  const { scope, place, model } = withPlace({ cacheDatabase: 7 })
  beforeAll(() => {
    model.usage = { prompt_tokens: 6_000, completion_tokens: 900 }
  })

  const env = (extra: Record<string, string>) => ({ LLM_BASE_URL: model.url, LLM_MODEL: 'mock', DAILY_TOKEN_BUDGET: '0', ...extra })
  let asked = 0
  const ask = (gateway: Gateway) => post(`${gateway.url}/api/v1/ask`, { question: `问题 ${++asked}` })
  const answered = async (response: Promise<Response>) => (await (await response).json()) as Answer
  // a cache that is too slow for a crowd on a busy machine is said, too, and is not what is asked here
  const stepsOf = async (response: Promise<Response>) => (await answered(response)).degraded.filter((step) => step !== 'cache').join()
  const recordOf = async (gateway: Gateway, id: string) =>
    ((await (await fetch(`${gateway.url}/api/v1/records/${id}`, { headers: owner })).json()) as { record: object }).record
  async function used(gateway: Gateway): Promise<{ tokens: number; cost: number }> {
    const { items } = (await (await fetch(`${gateway.url}/api/v1/usage`, { headers: owner })).json()) as {
      items: { principal: string; inputTokens: number; outputTokens: number; cost: number }[]
    }
    const all = items.find(({ principal }) => principal === '*')
    return { tokens: (all?.inputTokens ?? 0) + (all?.outputTokens ?? 0), cost: all?.cost ?? 0 }
  }

  test('C15 P21: 200 callers at two replicas, FLUSHALL and a restart do not spend more than the day has', async () => {
    const budget = 60_000
    const first = new AsyncDisposableStack()
    const extra = env({ DAILY_TOKEN_BUDGET: String(budget) })
    const [one, two] = [await startAt(place, first, extra), await startAt(place, scope, extra)]
    const cache = new Redis(place.cacheUrl)
    const calls = Array.from({ length: 200 }, (_, i) => ask(i % 2 ? one : two))
    await cache.flushall()
    expect(new Set(await Promise.all(calls.map(stepsOf)))).toEqual(new Set(['', 'budget']))
    await first.disposeAsync()
    await cache.flushall()
    cache.disconnect()
    const again = await startAt(place, scope, extra)
    const after: string[] = []
    for (let i = 0; i < 10; i++) after.push(await stepsOf(ask(again)))
    expect(after.at(-1)).toBe('budget')
    expect(model.requests.length * 6_900).toBeLessThanOrEqual(budget + 6_900)
    const { tokens } = await used(again)
    expect(tokens).toBeGreaterThan(budget / 2)
    expect(tokens).toBeLessThanOrEqual(budget + 6_900)
  })

  test('a month and money have caps of their own, and a budget that is nearly used is told', async () => {
    const { tokens } = await used(await startAt(place, scope, env({})))
    const monthly = await startAt(place, scope, env({ MONTHLY_TOKEN_BUDGET: String(tokens + 10_000), BUDGET_WARN_PERCENT: '50' }))
    const events = await allEvents(await post(`${monthly.url}/api/v1/answers`, { question: 'How long is it?' }))
    expect(events[1]).toMatchObject({
      type: 'warning',
      data: { code: 'budget', message: expect.stringContaining("This month's token budget is used to") },
    })
    const { id, degraded } = await answered(ask(monthly))
    expect(degraded).toEqual(['budget'])
    expect(JSON.stringify(await recordOf(monthly, id))).toContain('raise MONTHLY_TOKEN_BUDGET')

    const client = new pg.Client({ connectionString: place.databaseUrl })
    await client.connect()
    await client.query('DELETE FROM usage')
    await client.end()
    const price = { LLM_PRICE_INPUT: '1', LLM_PRICE_OUTPUT: '2' }
    const rich = await startAt(place, scope, env({ ...price, DAILY_MONEY_BUDGET: '0.03' }))
    const steps = await Promise.all(Array.from({ length: 20 }, () => stepsOf(ask(rich))))
    expect(new Set(steps)).toEqual(new Set(['', 'budget']))
    const { cost } = await used(rich)
    expect(cost).toBeGreaterThan(0)
    expect(cost).toBeLessThanOrEqual(0.03 + 0.0078)
    expect(() => configOf(place, env({ DAILY_MONEY_BUDGET: '1' }))).toThrow(/LLM_PRICE_INPUT/)
  })

  describe('used up', () => {
    let broke: Gateway
    beforeAll(async () => {
      // nothing fits into it
      broke = await startAt(place, scope, env({ DAILY_TOKEN_BUDGET: '10' }))
    })

    test('the documents are quoted, which is said in the stream, the answer, the record and a metric; the model is not asked', async () => {
      const before = model.requests.length
      const events = await allEvents(await post(`${broke.url}/api/v1/answers`, { question: '本产品的保修期是多久？' }))
      expect(events.at(-1)!.type).toBe('done')
      expect(events.filter(({ type }) => type === 'warning').map(({ data }) => data)).toEqual([
        { code: 'degraded', step: 'budget', message: '模型预算的余额不够再作一次回答，以下直接引用文档。' },
      ])
      expect(textOf(events)).toContain('本产品的保修期为 24 个月，自购买之日起计算。 [1]')
      const { answerId } = events[0]!.data as { answerId: string }
      const stored = (await (await fetch(`${broke.url}/api/v1/answers/${answerId}`)).json()) as Answer
      expect(stored).toMatchObject({ state: 'done', degraded: ['budget'], model: 'extractive', usage: { inputTokens: 0, outputTokens: 0 } })
      expect(stored.citations.map(({ verified }) => verified)).toContain(true)
      expect(await recordOf(broke, answerId)).toMatchObject({
        degraded: ['budget'],
        overBudget: expect.stringContaining('DAILY_TOKEN_BUDGET') as string,
      })
      expect(await broke.metrics.metrics()).toMatch(/docent_degraded_total\{step="budget",service="gateway"\} [1-9]/)
      const chat = await post(`${broke.url}/v1/chat/completions`, { messages: [{ role: 'user', content: '保修期是多久？' }] })
      expect(JSON.stringify(await chat.json())).toContain('24 个月')
      expect(await answered(post(`${broke.url}/api/v1/ask`, { question: '你好' }))).toMatchObject({ state: 'done', degraded: ['budget'] })
      expect(model.requests.length).toBe(before)
    })

    test('no further wordings and no reranking are asked of the model, and what it said before is still given', async () => {
      const question = '缓存里的保修期？'
      const whole = await startAt(place, scope, env({}))
      const settings = JSON.stringify({ queries: 'several', rerank: true, rerankBy: 'model' })
      const first = await answered(post(`${whole.url}/api/v1/ask`, { question }))
      const before = model.requests.length
      expect(await answered(post(`${broke.url}/api/v1/ask`, { question }))).toMatchObject({ text: first.text, degraded: [] })
      const headers = { ...owner, 'content-type': 'application/json' }
      expect((await fetch(`${broke.url}/api/v1/settings`, { method: 'PATCH', headers, body: settings })).status).toBe(200)
      expect((await answered(post(`${broke.url}/api/v1/ask`, { question: '另一个保修期？' }))).degraded).toContain('budget')
      expect(model.requests.length).toBe(before)
    })

    test('what only a model can do is refused: plain chat, replays and previews', async () => {
      const plain = await startAt(place, scope, env({ DAILY_TOKEN_BUDGET: '10', RAG_ENABLED: 'false' }))
      const { id } = await answered(ask(broke))
      for (const refused of [
        await ask(plain),
        await post(`${broke.url}/api/v1/records/${id}/replay`, { settings: {} }, owner),
        await post(`${broke.url}/api/v1/personas/neutral/preview`, { question: '保修期？' }, owner),
      ]) {
        expect([refused.status, await refused.json()]).toEqual([429, expect.objectContaining({ code: 'budget_exhausted' })])
        expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
      }
    })
  })
})
