import { randomUUID } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { adminKey, openPool, passage, post, warrantyText } from './harness.ts'
import { withModel } from './with-model.ts'

const me = { 'x-client-id': 'pager' }
const headers = { ...me, authorization: `Bearer ${adminKey}` }
type Page = { items?: { id?: string }[]; questions?: object[]; next?: string }

describe('lists in pages', () => {
  const { scope, place, gateway } = withModel()
  const call = (path: string, who: Record<string, string> = headers) => fetch(gateway.url + path, { headers: who })
  const send = async (path: string, body: object, who: Record<string, string> = headers) =>
    (await (await post(`${gateway.url}${path}`, body, { accept: 'application/json', ...who })).json()) as Record<string, string>
  const rowsOf = ({ items, questions }: Page) => items ?? questions ?? []

  /** Every list with the rows it has at least. */
  async function fill(): Promise<[path: string, rows: number, who?: Record<string, string>][]> {
    place.neighbours.passages = [passage(warrantyText)]
    const first = await send('/api/v1/ask', { question: '保修期是多久？' }, me)
    const conversation = `/api/v1/conversations/${first.conversationId}`
    for (const n of [1, 2, 3]) {
      const { id } = await send('/api/v1/ask', { question: `保修期是多久？第 ${n} 问`, conversationId: first.conversationId }, me)
      await send(`/api/v1/records/${id}/golden`, { doc: null })
      await send('/api/v1/saved-answers', { answerId: id, question: `第 ${n} 个批准的问题` })
      await send('/api/v1/keys', { name: `k${n}`, scopes: ['chat'] })
      await send('/api/v1/personas', { id: `p${n}`, title: 'P', prompt: 'You are.' })
      await send('/prompts', { name: 'same name', content: 'You are.' })
      await send(`${conversation}/shares`, {}, me)
      await send(`${conversation}/branch`, { messageId: id }, me)
      const patch = (path: string, body: object) =>
        fetch(gateway.url + path, {
          method: 'PATCH',
          headers: { ...headers, 'content-type': 'application/json' },
          body: JSON.stringify(body),
        })
      expect((await patch('/api/v1/settings', { topK: 4 + n })).status).toBe(200)
      expect((await patch('/api/v1/personas/p1', { title: `P${n}` })).status).toBe(200)
    }
    // as many bring in at once: within one millisecond
    const pool = openPool(place.ownerUrl)
    scope.defer(() => pool.end())
    const [{ principal } = { principal: '' }] = (
      await pool.query<{ principal: string }>('SELECT principal FROM chat.conversation WHERE id = $1', [first.conversationId])
    ).rows
    for (const micros of ['100', '200', '300'])
      await pool.query(`INSERT INTO chat.conversation (id, principal, title, updated_at) VALUES ($1, $2, 'at once', $3)`, [
        randomUUID(),
        principal,
        `2026-01-01T00:00:00.000${micros}Z`,
      ])
    return [
      ['/api/v1/conversations', 7, me],
      [`${conversation}/messages`, 8, me],
      [`${conversation}/shares`, 3, me],
      [`${conversation}/branches`, 4, me],
      ['/api/v1/records', 4],
      ['/api/v1/usage', 2],
      ['/api/v1/golden', 3],
      ['/api/v1/saved-answers', 3],
      ['/api/v1/keys', 3],
      ['/api/v1/personas', 5],
      ['/api/v1/personas/p1/versions', 4],
      ['/api/v1/prompts', 3],
      ['/api/v1/settings/versions', 4],
    ]
  }

  test('page by page each list gives what it gives at once, in that order, and says when there is more', async () => {
    for (const [path, least, who] of await fill()) {
      const whole = (await (await call(`${path}?limit=100`, who)).json()) as Page
      expect({ path, next: whole.next, least: rowsOf(whole).length >= least }).toEqual({ path, next: undefined, least: true })
      const paged: object[] = []
      for (let next: string | undefined = ''; next !== undefined; ) {
        const page = (await (await call(`${path}?limit=1${next && `&cursor=${encodeURIComponent(next)}`}`, who)).json()) as Page
        expect({ path, rows: rowsOf(page).length }).toEqual({ path, rows: 1 })
        paged.push(...rowsOf(page))
        next = page.next
      }
      expect({ path, rows: paged }).toEqual({ path, rows: rowsOf(whole) })
      for (const bad of ['cursor=zzz', 'before=2026-01-01T00:00:00Z', 'limit=0'])
        expect({ path, bad, status: (await call(`${path}?${bad}`, who)).status }).toEqual({ path, bad, status: 400 })
    }
  })

  test('a cursor that was made up is refused, whatever stands in it', async () => {
    const id = randomUUID()
    const forged: [path: string, parts: unknown][] = [
      ...[
        '2026-02-30T00:00:00.000000Z',
        '2026-01-01T25:00:00.000000Z',
        '0000-01-01T00:00:00.000000Z',
        '2026-01-01 00:00:00+99',
        'now',
      ].flatMap((at): [string, unknown][] => [
        ['/api/v1/records', [at, id]],
        ['/api/v1/conversations', [at, id]],
      ]),
      ['/api/v1/records', ['2026-01-01T00:00:00.000000Z', 'x']],
      ['/api/v1/usage', ['2026-02-30', 'admin']],
      ['/api/v1/usage', ['0000-01-01', 'admin']],
      ['/api/v1/usage', ['2026-01-01', 'a\u0000']],
      ['/api/v1/keys', { at: 1 }],
      ['/api/v1/keys', []],
    ]
    for (const [path, parts] of forged) {
      const cursor = Buffer.from(JSON.stringify(parts)).toString('base64url')
      expect({ path, parts, status: (await call(`${path}?cursor=${cursor}`)).status }).toEqual({ path, parts, status: 400 })
    }
    expect((await call('/api/v1/settings/versions?cursor=999999999999999')).status).toBe(400)
    for (const path of ['/api/v1/records', '/api/v1/gaps']) {
      for (const bad of ['from=0000-01-01T00:00:00Z', 'to=2026-02-30T00:00:00Z', 'from=now'])
        expect({ path, bad, status: (await call(`${path}?${bad}`)).status }).toEqual({ path, bad, status: 400 })
      // no clock is there, but it is a time
      expect((await call(`${path}?from=2026-01-01T00:00:00%2B23:59`)).status).toBe(200)
    }
    expect((await call('/api/v1/records?model=%00')).status).toBe(400)
    const late = await post(`${gateway.url}/api/v1/keys`, { name: 'x', scopes: ['chat'], expiresAt: '9999-12-31T23:59:59-23:59' }, headers)
    expect(late.status).toBe(400)
    for (const bad of ['from=0000-01-01', 'to=2026-02-30']) expect((await call(`/api/v1/usage?${bad}`)).status).toBe(400)
  })

  test('an X-Client-Id that is none is refused, not taken for nobody in particular', async () => {
    for (const id of ['ann@example.com', 'a b', 'x'.repeat(129)]) {
      const refused = await post(`${gateway.url}/api/v1/ask`, { question: '保修期？' }, { 'x-client-id': id })
      expect({ id, status: refused.status }).toEqual({ id, status: 400 })
      expect(await refused.text()).toContain('X-Client-Id')
    }
  })
})
