import { Redis } from 'ioredis'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type MockUpstream, openMockUpstream } from '../../lib/testkit/src/mock-upstream.ts'
import type { Gateway } from '../src/gateway-service.ts'
import { adminKey, openPlace, openPool, type Place, post, startAt } from './harness.ts'

const owner = { authorization: `Bearer ${adminKey}`, 'content-type': 'application/json' }
const me = { 'x-client-id': 'reader-1' }
const other = { 'x-client-id': 'reader-2' }
type Asked = { id: string; conversationId: string; text: string; sources: { citationId: string }[] }

describe('conversations and personas', () => {
  const scope = new AsyncDisposableStack()
  let place: Place
  let model: MockUpstream
  let gateway: Gateway
  let replica: Gateway
  beforeAll(async () => {
    place = await openPlace(scope)
    // stores of this file only: it looks into all of their keys
    place.cacheUrl = `${place.cacheUrl.replace(/\/\d*$/, '')}/8`
    place.queueUrl = `${place.queueUrl.replace(/\/\d*$/, '')}/8`
    model = scope.use(await openMockUpstream())
    const env = { LLM_BASE_URL: model.url, LLM_MODEL: 'mock' }
    gateway = await startAt(place, scope, env)
    replica = await startAt(place, scope, env)
  })
  beforeEach(() => {
    model.mode = 'good'
    model.pieces = ['保修期为 ', '24 个月', ' [1]。']
  })
  afterAll(() => scope.disposeAsync())

  const ask = async (question: string, headers: Record<string, string> = me, extra: object = {}) =>
    (await (await post(`${gateway.url}/api/v1/ask`, { question, ...extra }, headers)).json()) as Asked
  const send = (method: string, path: string, body?: unknown, headers: Record<string, string> = owner) =>
    fetch(gateway.url + path, {
      method,
      headers: { 'content-type': 'application/json', ...headers },
      ...(body ? { body: JSON.stringify(body) } : {}),
    })

  test('conversations are searched by title and by what was said, one’s own only', async () => {
    const mine = await ask('独角兽的保修期？')
    await ask('别的问题 100%')
    await ask('独角兽的保修期？', other)
    const found = async (q: string) => {
      const url = `${gateway.url}/api/v1/conversations?q=${encodeURIComponent(q)}`
      return ((await (await fetch(url, { headers: me })).json()) as { items: { id: string }[] }).items.map(({ id }) => id)
    }
    expect(await found('独角兽')).toEqual([mine.conversationId])
    expect(await found('24 个月')).toHaveLength(2)
    for (const same of ['獨角獸的保修', '２４ 個月 [']) expect(await found(same)).toContain(mine.conversationId)
    expect(await found('100%')).toHaveLength(1)
    expect(await found('%')).toHaveLength(1)
    expect(await found('无人提到')).toEqual([])
  })

  test('callers without a name share an address, not a list: they are told what to send, and go on by the id of their own', async () => {
    const mine = await ask('谁也不该看见的标题', {})
    for (const query of ['', '?q=标题']) {
      const listed = await send('GET', `/api/v1/conversations${query}`, undefined, {})
      expect(listed.status).toBe(400)
      const told = await listed.text()
      expect(told).toContain('X-Client-Id')
      expect(told).not.toContain(mine.conversationId)
    }
    const again = await ask('还有呢？', {}, { conversationId: mine.conversationId })
    expect(again.conversationId).toBe(mine.conversationId)
    expect((await send('GET', `/api/v1/conversations/${mine.conversationId}`, undefined, {})).status).toBe(200)
    expect((await send('GET', `/api/v1/conversations/${mine.conversationId}`, undefined, me)).status).toBe(404)
    expect((await send('DELETE', `/api/v1/conversations/${mine.conversationId}`, undefined, {})).status).toBe(204)
  })

  test('a conversation is exported as Markdown and JSON', async () => {
    const first = await ask('导出什么？\n第二行')
    await ask('还有呢？', me, { conversationId: first.conversationId })
    const url = `/api/v1/conversations/${first.conversationId}/export`
    const md = await send('GET', url, undefined, me)
    expect(md.headers.get('content-type')).toContain('text/markdown')
    expect(md.headers.get('content-disposition')).toContain('.md')
    const text = await md.text()
    expect(text).toContain('## 导出什么？ 第二行\n\n保修期为 24 个月 [1]。\n\n- [1] manual.md')
    expect(text).toContain('## 还有呢？')
    const json = (await (await send('GET', `${url}?format=json`, undefined, me)).json()) as { messages: { role: string }[] }
    expect(json.messages.map(({ role }) => role)).toEqual(['question', 'answer', 'question', 'answer'])
    expect((await send('GET', url, undefined, other)).status).toBe(404)
    expect((await send('GET', `${url}?format=pdf`, undefined, me)).status).toBe(400)
  })

  test('a shared link shows what was said until then, to anyone, without ids to act on, until it is withdrawn', async () => {
    const first = await ask('分享这个？')
    const shares = `/api/v1/conversations/${first.conversationId}/shares`
    expect((await send('POST', shares, undefined, other)).status).toBe(404)
    const share = (await (await send('POST', shares, undefined, me)).json()) as { id: string; url: string }
    expect(share.id).toMatch(/^[\w-]{32}$/)
    await ask('之后说的', me, { conversationId: first.conversationId })
    const body = await (await fetch(gateway.url + share.url)).text()
    expect(JSON.parse(body)).toMatchObject({ title: '分享这个？', messages: [{ role: 'question' }, { role: 'answer', text: first.text }] })
    const led = await fetch(gateway.url + share.url, { headers: { accept: 'text/html,*/*;q=0.8' }, redirect: 'manual' })
    expect([led.status, led.headers.get('location')]).toEqual([303, `/#s=${share.id}`])
    for (const secret of ['之后说的', first.id, first.conversationId, 'reader-1']) expect(body).not.toContain(secret)
    expect((await send('POST', share.url, {}, me)).status).toBe(404)
    expect((await send('DELETE', shares, undefined, other)).status).toBe(404)
    expect((await send('DELETE', shares, undefined, me)).status).toBe(204)
    expect((await fetch(gateway.url + share.url)).status).toBe(404)
  })

  test('C27: a deleted conversation is in no store, no replica, no cache and no journal', async () => {
    const canary = 'kanarienvogel7391'
    model.pieces = [canary, ' sagt 24 个月 [1]。']
    const first = await ask(`${canary} 的保修期？`)
    await ask(`${canary} 的保修期？`)
    const running = (await (
      await post(
        `${replica.url}/api/v1/answers`,
        { question: `${canary} noch?`, conversationId: first.conversationId, async: true },
        { ...me, accept: 'application/json' },
      )
    ).json()) as { id: string }
    await post(`${gateway.url}/api/v1/feedback`, { answerId: first.id, rating: 1, comment: canary }, me)
    const { url } = (await (await send('POST', `/api/v1/conversations/${first.conversationId}/shares`, undefined, me)).json()) as {
      url: string
    }

    const pool = openPool(place.ownerUrl)
    const redises = [new Redis(place.queueUrl), new Redis(place.cacheUrl)]
    async function found(): Promise<string[]> {
      const where: string[] = []
      const { rows } = await pool.query<{ name: string }>(
        `SELECT format('%I.%I', table_schema, table_name) AS name FROM information_schema.tables WHERE table_schema IN ('chat', 'corpus')`,
      )
      for (const { name } of rows) {
        const { rowCount } = await pool.query(`SELECT FROM ${name} t WHERE t::text LIKE $1`, [`%${canary}%`])
        if (rowCount) where.push(name)
      }
      for (const redis of redises) {
        for (const key of await redis.keys('*')) {
          const value = (await redis.type(key)) === 'stream' ? JSON.stringify(await redis.xrange(key, '-', '+')) : await redis.get(key)
          if (`${key} ${value}`.includes(canary)) where.push(key)
        }
      }
      return where
    }
    const before = await found()
    expect(before).toEqual(
      expect.arrayContaining([
        'chat.message',
        'chat.record',
        'chat.feedback',
        expect.stringContaining('docent:stream:'),
        expect.stringContaining('docent:answer:'),
      ]),
    )

    expect((await send('DELETE', `/api/v1/conversations/${first.conversationId}`, undefined, other)).status).toBe(404)
    const list = (await (await fetch(`${gateway.url}/api/v1/conversations?q=${canary}`, { headers: me })).json()) as {
      items: { id: string }[]
    }
    expect(list.items).toHaveLength(2)
    for (const { id } of list.items) expect((await send('DELETE', `/api/v1/conversations/${id}`, undefined, me)).status).toBe(204)
    expect(await found()).toEqual([])
    for (const base of [gateway.url, replica.url]) {
      for (const id of [first.id, running.id]) {
        expect((await fetch(`${base}/api/v1/answers/${id}`)).status).toBe(404)
        expect((await fetch(`${base}/api/v1/answers/${id}/events`)).status).toBe(404)
      }
    }
    expect((await fetch(`${gateway.url}/api/v1/citations/${first.sources[0]!.citationId}`)).status).toBe(404)
    expect((await fetch(gateway.url + url)).status).toBe(404)
    for (const redis of redises) redis.disconnect()
    await pool.end()
  })

  test('the history in a prompt is cut to its budget of tokens, the latest turns first', async () => {
    await send('PATCH', '/api/v1/settings', { historyTokens: 60 })
    const first = await ask(`A ${'long '.repeat(60)} question?`)
    await ask('第二个问题？', me, { conversationId: first.conversationId })
    await ask('第三个问题？', me, { conversationId: first.conversationId })
    const prompt = JSON.stringify(model.requests.at(-1)!.messages)
    expect(prompt).toContain('第二个问题')
    expect(prompt).not.toContain('long long')
    await send('PATCH', '/api/v1/settings', { historyTokens: 1_500 })
  })

  test('personas are written, versioned, tried as a draft, used and deleted', async () => {
    const persona = { id: 'librarian', title: 'Librarian', prompt: 'You are a patient librarian.' }
    expect((await send('POST', '/api/v1/personas', persona)).status).toBe(201)
    expect((await send('POST', '/api/v1/personas', persona)).status).toBe(409)
    expect((await send('POST', '/api/v1/personas', { ...persona, id: 'Not An Id' })).status).toBe(400)
    const draft = await send('POST', '/api/v1/personas/librarian/preview', { question: '保修期？', prompt: 'You are a pirate.' })
    expect(await draft.json()).toMatchObject({ state: 'done', text: '保修期为 24 个月 [1]。', persona: 'librarian', personaVersion: 1 })
    expect(model.requests.at(-1)!.messages[0]!.content).toContain('You are a pirate.')
    const changed = await send('PATCH', '/api/v1/personas/librarian', { prompt: 'You are a brief librarian.' })
    expect(await changed.json()).toMatchObject({ version: 2, title: 'Librarian' })
    const answer = await ask('谁在说话？', me, { persona: 'librarian' })
    expect(model.requests.at(-1)!.messages[0]!.content).toContain('You are a brief librarian.')
    expect(await (await send('GET', `/api/v1/records/${answer.id}`)).json()).toMatchObject({
      record: { persona: 'librarian', personaVersion: 2 },
    })
    const { items } = (await (await send('GET', '/api/v1/personas/librarian/versions')).json()) as {
      items: { version: number; prompt: string }[]
    }
    expect(items.map(({ version }) => version)).toEqual([2, 1])
    expect(await (await fetch(`${gateway.url}/api/v1/personas`)).text()).not.toContain('brief librarian')

    await send('PATCH', '/api/v1/settings', { persona: 'librarian' })
    expect((await send('DELETE', '/api/v1/personas/librarian')).status).toBe(409)
    await send('PATCH', '/api/v1/settings', { persona: 'neutral' })
    expect((await send('DELETE', '/api/v1/personas/librarian')).status).toBe(204)
    expect((await send('GET', '/api/v1/personas/librarian')).status).toBe(404)
    expect((await send('DELETE', '/api/v1/personas/neutral')).status).toBe(409)
    expect(await (await send('PATCH', '/api/v1/personas/neutral', { title: 'Ours' })).json()).toMatchObject({ version: 1, title: 'Ours' })
    expect((await send('DELETE', '/api/v1/personas/neutral')).status).toBe(204)
    expect(await (await send('GET', '/api/v1/personas/neutral')).json()).toMatchObject({ version: 0, title: 'Neutral' })
  })
})
