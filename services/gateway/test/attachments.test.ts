import { randomUUID } from 'node:crypto'
import type { Answer } from '@docent/core/answer-event'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Gateway } from '../src/gateway-service.ts'
import { createAttachments } from '../src/store/attachments.ts'
import { openPlace, openPool, type Place, passage, post, startAt, warrantyText } from './harness.ts'

type View = { id: string; name: string; expiresAt: string; createdAt: string }
const secret = '租约规定押金为 3000 元，租期到明年六月。'

describe('files attached to a conversation', () => {
  const scope = new AsyncDisposableStack()
  let place: Place
  let gateway: Gateway
  beforeAll(async () => {
    place = await openPlace(scope)
    gateway = await startAt(place, scope, { ATTACHMENT_DAYS: '7' })
  })
  beforeEach(() => {
    Object.assign(place.neighbours, {
      passages: [passage(warrantyText)],
      answerable: false,
      gateScore: 0.1,
      file: [secret, '宠物须经房东同意。'],
    })
    place.neighbours.seen.length = 0
  })
  afterAll(() => scope.disposeAsync())

  function reader(url = gateway.url) {
    const me = { 'x-client-id': randomUUID() }
    const begin = async () => ((await (await post(`${url}/api/v1/conversations`, { title: '租约' }, me)).json()) as { id: string }).id
    const attach = (id: string, headers = me) => {
      const body = new FormData()
      body.append('file', new Blob([secret]), '租约.txt')
      return fetch(`${url}/api/v1/conversations/${id}/attachments`, { method: 'POST', headers, body })
    }
    return {
      me,
      begin,
      attach,
      attached: async (id: string) => (await (await attach(id)).json()) as View,
      list: async (id: string, headers = me) => fetch(`${url}/api/v1/conversations/${id}/attachments`, { headers }),
      ask: async (question: string, more: object = {}, headers = me) =>
        (await (await post(`${url}/api/v1/ask`, { question, ...more }, headers)).json()) as Answer,
    }
  }
  const pathsOf = ({ sources }: Answer) => sources.map(({ path }) => path)

  test('a question of that conversation finds what no document holds, cited and verified', async () => {
    const { begin, attached, ask, list } = reader()
    const conversationId = await begin()
    const file = await attached(conversationId)
    expect(Date.parse(file.expiresAt) - Date.parse(file.createdAt)).toBe(7 * 86_400_000)
    expect(await (await list(conversationId)).json()).toEqual({ items: [file] })
    const answer = await ask('租约的押金', { conversationId })
    expect(answer).toMatchObject({ answerable: true, sources: [{ n: 1, documentId: file.id, path: 'contract.txt' }] })
    expect(answer.text).toContain('3000 元')
    expect(answer.citations[0]).toMatchObject({ source: 1, verified: true })

    const { citationId } = answer.sources[0]!
    const cited = async () => (await (await fetch(`${gateway.url}/api/v1/citations/${citationId}`)).json()) as object
    expect(await cited()).toMatchObject({ state: 'current', text: secret })
    expect(await cited()).not.toHaveProperty('fileUrl')
    expect((await fetch(`${gateway.url}/api/v1/citations/${citationId}/file`)).status).toBe(410)
  })

  test('no other conversation finds it: not one’s own, not another reader’s, not a branch, not a question with filters', async () => {
    const mine = reader()
    const other = reader()
    const [first, second, foreign] = await Promise.all([mine.begin(), mine.begin(), other.begin()])
    await mine.attached(first)
    expect(pathsOf(await mine.ask('租约的押金', { conversationId: first }))).toContain('contract.txt')
    const messages = (await (await fetch(`${gateway.url}/api/v1/conversations/${first}`, { headers: mine.me })).json()) as {
      messages: { id: string }[]
    }
    const made = await post(`${gateway.url}/api/v1/conversations/${first}/branch`, { messageId: messages.messages[0]!.id }, mine.me)
    const branch = ((await made.json()) as { id: string }).id
    const others = await Promise.all([
      mine.ask('租约的押金', { conversationId: second }),
      mine.ask('租约的押金', { conversationId: branch }),
      mine.ask('租约的押金'),
      mine.ask('租约的押金', { conversationId: first, filters: { language: 'zh' } }),
      other.ask('租约的押金', { conversationId: foreign }),
    ])
    for (const answer of others) {
      expect(pathsOf(answer)).toEqual(['manual.md'])
      expect(JSON.stringify(answer)).not.toContain('3000 元')
    }
    // foreign conversations look as if they were not there
    expect((await other.list(first)).status).toBe(404)
    expect((await other.attach(first)).status).toBe(404)
    const [file] = ((await (await mine.list(first)).json()) as { items: View[] }).items
    const remove = (conversation: string, headers: Record<string, string>) =>
      fetch(`${gateway.url}/api/v1/conversations/${conversation}/attachments/${file!.id}`, { method: 'DELETE', headers })
    expect((await remove(first, other.me)).status).toBe(404)
    expect((await remove(foreign, other.me)).status).toBe(404)
    expect((await remove(second, mine.me)).status).toBe(404)
    expect(await (await mine.list(first)).json()).toMatchObject({ items: [{ id: file!.id }] })
    expect(await post(`${gateway.url}/api/v1/ask`, { question: '押金？', conversationId: first }, other.me)).toMatchObject({ status: 404 })
  })

  test('the file goes to ingest to be read, and nothing of it into a search', async () => {
    const { begin, attached, ask } = reader()
    const conversationId = await begin()
    await attached(conversationId)
    const [sent] = place.neighbours.seen.filter(({ url }) => url.startsWith('/read'))
    expect(sent).toMatchObject({ method: 'POST', url: `/read?maxBytes=${10 * 1024 * 1024}&maxChunks=300` })
    expect(sent!.body).toContain(secret)
    await ask('租约的押金', { conversationId })
    const searches = place.neighbours.seen.filter(({ url }) => url === '/search')
    expect(searches).toHaveLength(1)
    expect(JSON.stringify(searches)).not.toContain('3000 元')
  })

  test('beside an answerable folder it stands first when it speaks of the question, and not at all when it does not', async () => {
    const { begin, attached, ask } = reader()
    const conversationId = await begin()
    await attached(conversationId)
    place.neighbours.answerable = true
    expect(pathsOf(await ask('租约的押金', { conversationId }))[0]).toBe('contract.txt')
    expect(pathsOf(await ask('保修多久', { conversationId }))).toEqual(['manual.md'])
    // nothing speaks of it: the closest is offered in doubt
    place.neighbours.answerable = false
    const about = await ask('ABC', { conversationId })
    expect(about.answerable).toBe(false)
    expect(pathsOf(about)).toContain('contract.txt')
  })

  test('deleted, by itself, with its conversation or after its days, it is gone from the database', async () => {
    const pool = scope.adopt(openPool(place.databaseUrl), (open) => open.end())
    const rows = async (id: string) =>
      (await pool.query('SELECT 1 FROM attachment a JOIN attachment_chunk k ON k.attachment = a.id WHERE a.id = $1', [id])).rowCount
    const { begin, attached, ask, list, me } = reader()
    const conversationId = await begin()
    const [one, two, three] = [await attached(conversationId), await attached(conversationId), await attached(conversationId)]
    expect(await rows(one!.id)).toBe(2)
    await fetch(`${gateway.url}/api/v1/conversations/${conversationId}/attachments/${one!.id}`, { method: 'DELETE', headers: me })
    expect(await rows(one!.id)).toBe(0)
    // past its days it is neither listed nor searched, even before it is deleted
    await pool.query(`UPDATE attachment SET created_at = now() - interval '8 days' WHERE id = $1`, [two!.id])
    expect(await (await list(conversationId)).json()).toMatchObject({ items: [{ id: three!.id }] })
    expect((await ask('租约的押金', { conversationId })).sources.some(({ documentId }) => documentId === two!.id)).toBe(false)
    await fetch(`${gateway.url}/api/v1/conversations/${conversationId}`, { method: 'DELETE', headers: me })
    expect([await rows(two!.id), await rows(three!.id)]).toEqual([0, 0])
  })

  test('once deleted or past its days no answer shows its text as a source any more, in a branch neither', async () => {
    const { begin, attached, ask, me } = reader()
    const conversationId = await begin()
    const [file, old] = [await attached(conversationId), await attached(conversationId)]
    const { id: answerId, sources } = await ask('租约的押金', { conversationId })
    expect(new Set(sources.map(({ documentId }) => documentId))).toEqual(new Set([file.id, old.id]))
    const shown = async (url: string) => (await fetch(`${gateway.url}/api/v1/${url}`, { headers: me })).text()
    const { messages } = JSON.parse(await shown(`conversations/${conversationId}`)) as { messages: { id: string }[] }
    const made = await post(`${gateway.url}/api/v1/conversations/${conversationId}/branch`, { messageId: messages[1]!.id }, me)
    const branch = ((await made.json()) as { id: string }).id
    const ofBranch = JSON.parse(await shown(`conversations/${branch}`)) as { messages: { sources?: typeof sources }[] }
    const citations = [...sources, ...ofBranch.messages[1]!.sources!]
    for (const { citationId } of citations) expect(await shown(`citations/${citationId}`)).toContain('3000')

    await fetch(`${gateway.url}/api/v1/conversations/${conversationId}/attachments/${file.id}`, { method: 'DELETE', headers: me })
    const pool = scope.adopt(openPool(place.databaseUrl), (open) => open.end())
    await pool.query(`UPDATE attachment SET created_at = now() - interval '8 days' WHERE id = $1`, [old.id])
    await createAttachments(pool, { days: 7, most: 5 }).deleteOld()
    place.neighbours.sourceState = 'gone'
    for (const { citationId } of citations)
      expect(JSON.parse(await shown(`citations/${citationId}`))).toMatchObject({ state: 'gone', text: '', snippet: '' })
    place.neighbours.sourceState = 'current'
    const events = await shown(`answers/${answerId}/events`)
    expect(events).toContain('event: sources')
    expect(events.match(/event: sources\ndata: .*/)![0]).not.toContain('3000 元')
    for (const id of [conversationId, branch]) {
      const told = JSON.parse(await shown(`conversations/${id}`)) as { messages: { sources?: typeof sources }[] }
      expect(told.messages[1]!.sources!.map(({ n, snippet }) => [n, snippet])).toEqual([
        [1, ''],
        [2, ''],
      ])
    }
  })

  test('five at most, also when they come at once; none where they are switched off', async () => {
    const { begin, attach, list } = reader()
    const conversationId = await begin()
    const all = await Promise.all(Array.from({ length: 8 }, () => attach(conversationId)))
    expect(all.map(({ status }) => status).sort()).toEqual([201, 201, 201, 201, 201, 409, 409, 409])
    expect(((await (await list(conversationId)).json()) as { items: unknown[] }).items).toHaveLength(5)

    const off = reader((await startAt(place, scope)).url)
    const refused = await off.attach(await off.begin())
    expect(await refused.json()).toMatchObject({ status: 409, code: 'conflict' })
  })
})
