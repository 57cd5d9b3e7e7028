import { randomUUID } from 'node:crypto'
import { beforeEach, describe, expect, test } from 'vitest'
import { until } from '../../lib/testkit/src/until.ts'
import { adminKey, post, startAt } from './harness.ts'
import { withModel } from './with-model.ts'

type Message = { id: string; role: string; text: string; copyOf?: string; sources?: { citationId: string }[] }
type Conversation = { id: string; branchedFrom: { conversationId: string; messageId: string } | null; messages: Message[] }
const owner = { authorization: `Bearer ${adminKey}` }

describe('branches and summaries of conversations', () => {
  const { scope, place, model, gateway } = withModel()
  beforeEach(() => {
    model.mode = 'good'
    model.pieces = ['保修期为 ', '24 个月', ' [1]。']
    model.requests.length = 0
  })

  function reader(url = () => gateway.url) {
    const me = { 'x-client-id': randomUUID() }
    const get = async (path: string) => (await fetch(`${url()}${path}`, { headers: me })).json() as Promise<unknown>
    return {
      me,
      ask: async (question: string, conversationId?: string) =>
        (await (await post(`${url()}/api/v1/ask`, { question, ...(conversationId ? { conversationId } : {}) }, me)).json()) as {
          id: string
          conversationId: string
        },
      send: (path: string, body: unknown, headers: Record<string, string> = me) =>
        post(`${url()}${path}`, body, { accept: 'application/json', ...headers }),
      conversation: (id: string) => get(`/api/v1/conversations/${id}`) as Promise<Conversation>,
      tree: async (id: string) =>
        ((await get(`/api/v1/conversations/${id}/branches`)) as { items: Pick<Conversation, 'id' | 'branchedFrom'>[] }).items,
      remove: (id: string) => fetch(`${url()}/api/v1/conversations/${id}`, { method: 'DELETE', headers: me }),
    }
  }
  const recordOf = async (answerId: string) =>
    ((await (await fetch(`${gateway.url}/api/v1/records/${answerId}`, { headers: owner })).json()) as { record: Record<string, unknown> })
      .record
  const texts = ({ messages }: Conversation) => messages.map(({ role, text }) => `${role} ${text}`)

  test('a branch holds what was said until a message, goes on by itself, and its sources open when the other is deleted', async () => {
    const { ask, send, conversation, tree, remove } = reader()
    const first = await ask('第一问')
    const root = first.conversationId
    await ask('第二问', root)
    const whole = await conversation(root)
    const made = await send(`/api/v1/conversations/${root}/branch`, { messageId: first.id })
    expect(made.status).toBe(201)
    const branch = (await made.json()) as Conversation
    expect(branch.branchedFrom).toEqual({ conversationId: root, messageId: first.id })
    expect(texts(branch)).toEqual(texts(whole).slice(0, 2))
    expect(branch.messages.map(({ copyOf }) => copyOf)).toEqual(whole.messages.slice(0, 2).map(({ id }) => id))

    await ask('另一个第二问', branch.id)
    expect(JSON.stringify(model.requests.at(-1))).toContain('第一问')
    expect(JSON.stringify(model.requests.at(-1))).not.toContain('"第二问')
    expect(await conversation(root)).toMatchObject({ messages: whole.messages })
    expect(await tree(branch.id)).toMatchObject([
      { id: root, branchedFrom: null },
      { id: branch.id, branchedFrom: { conversationId: root } },
    ])
    expect((await remove(root)).status).toBe(204)
    const { citationId } = branch.messages[1]!.sources![0]!
    expect(citationId).not.toBe(whole.messages[1]!.sources![0]!.citationId)
    expect(await (await fetch(`${gateway.url}/api/v1/citations/${citationId}`)).json()).toMatchObject({ answerId: branch.messages[1]!.id })
    expect((await conversation(branch.id)).messages).toHaveLength(4)
    expect(await tree(branch.id)).toMatchObject([{ id: branch.id, branchedFrom: null }])
  })

  test('regenerated as a branch, a question is answered again with what stood before it only', async () => {
    const { ask, send, conversation } = reader()
    const { conversationId } = await ask('甲问')
    const second = await ask('乙问', conversationId)
    await ask('丙问', conversationId)
    const again = (await (await send(`/api/v1/answers/${second.id}/regenerate`, { branch: true })).json()) as { conversationId: string }
    expect(again.conversationId).not.toBe(conversationId)
    const branch = await conversation(again.conversationId)
    expect(branch.messages.filter(({ role }) => role === 'question').map(({ text }) => text)).toEqual(['甲问', '乙问'])
    expect((await conversation(conversationId)).messages).toHaveLength(6)
  })

  test('an answer that was regenerated after a later question is regenerated for its own question', async () => {
    const { ask, send, conversation } = reader()
    const first = await ask('早先的问题')
    await ask('后来的问题', first.conversationId)
    const again = (await (await send(`/api/v1/answers/${first.id}/regenerate`, {})).json()) as { id: string }
    await send(`/api/v1/answers/${again.id}/regenerate`, {})
    expect(model.requests.at(-1)!.messages.at(-1)!.content).toContain('早先的问题')
    const copy = (await (
      await send(`/api/v1/conversations/${first.conversationId}/branch`, { messageId: again.id })
    ).json()) as Conversation
    await send(`/api/v1/answers/${copy.messages.at(-1)!.id}/regenerate`, {})
    expect(model.requests.at(-1)!.messages.at(-1)!.content).toContain('早先的问题')
    expect((await conversation(copy.id)).messages).toHaveLength(6)
  })

  test('a message of elsewhere, one still being written and a foreign conversation are no place to branch from', async () => {
    const mine = reader()
    const other = reader()
    const { conversationId, id } = await mine.ask('我的问题')
    const foreign = await other.ask('别人的问题')
    const branch = async (conversation: string, messageId: string, headers = mine.me) => {
      const response = await mine.send(`/api/v1/conversations/${conversation}/branch`, { messageId }, headers)
      return { status: response.status, code: ((await response.json()) as { code: string }).code }
    }
    expect(await branch(conversationId, foreign.id)).toEqual({ status: 404, code: 'not_found' })
    expect(await branch(conversationId, id, other.me)).toEqual({ status: 404, code: 'not_found' })
    expect(await branch(conversationId, 'x')).toMatchObject({ status: 400 })
    model.mode = 'silent'
    const begun = (await (await mine.send('/api/v1/answers', { question: '慢', conversationId, async: true })).json()) as { id: string }
    expect(await branch(conversationId, begun.id)).toEqual({ status: 409, code: 'conflict' })
    await mine.send(`/api/v1/answers/${begun.id}/stop`, {})
  })

  test('a long conversation is summed up by the model before its turns no longer fit; the record names what was shown', async () => {
    const { ask } = reader()
    const isSummary = ({ messages }: (typeof model.requests)[number]) => messages[0]!.content.startsWith('Sum up this conversation')
    model.pieces = ['很长的回答。'.repeat(115)]
    const { conversationId } = await ask('最早说到独角兽')
    await ask('第二个问题', conversationId)
    model.pieces = ['读者问过独角兽。']
    await ask(`第三个问题${'很长'.repeat(150)}`, conversationId)
    await until('a summary was asked for', () => model.requests.some(isSummary) || undefined)
    expect(model.requests.find(isSummary)!.messages[1]!.content).toContain('Reader: 最早说到独角兽')
    const next = await until('the prompt holds it', async () => {
      const asked = await ask('第四个问题', conversationId)
      return model.requests
        .findLast((request) => !isSummary(request))!
        .messages.at(-1)!
        .content.includes('读者问过独角兽。')
        ? asked
        : undefined
    })
    expect(await recordOf(next.id)).toMatchObject({ history: { dropped: 0, summary: '读者问过独角兽。' } })
    expect(JSON.stringify(model.requests.at(-1))).not.toContain('最早说到独角兽')
  })

  test('without a model the oldest turns are left out, and the record says how many', async () => {
    const plain = await startAt(place, scope)
    const { ask, send } = reader(() => plain.url)
    await fetch(`${plain.url}/api/v1/settings`, {
      method: 'PATCH',
      headers: { ...owner, 'content-type': 'application/json' },
      body: '{"historyTokens":60}',
    })
    const { conversationId } = await ask('保修期是多久？')
    for (const question of ['人为损坏呢？', '型号 X100 的保修期？']) await ask(question, conversationId)
    const last = await ask('型号 X200 的保修期？', conversationId)
    const { history } = (await recordOf(last.id)) as { history: { messages: number; kept: number; dropped: number } }
    expect(history).toMatchObject({ messages: 6 })
    expect(history.dropped).toBeGreaterThan(0)
    expect(history.kept + history.dropped).toBe(6)
    expect((await send('/api/v1/ask', { question: '还好吗', conversationId })).status).toBe(200)
  })
})
