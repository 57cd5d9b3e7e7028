import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Gateway } from '../src/gateway-service.ts'
import { adminKey, allEvents, openPlace, type Place, post, startAt } from './harness.ts'

const owner = { authorization: `Bearer ${adminKey}`, 'content-type': 'application/json' }
type Asked = {
  id: string
  text: string
  model: string
  conversationId: string
  approved?: { id: string }
  sources: { path: string; citationId: string }[]
  citations: { start: number; end: number; verified: boolean }[]
}

describe('what the owner makes of answers', () => {
  const scope = new AsyncDisposableStack()
  let place: Place
  let gateway: Gateway
  beforeAll(async () => {
    place = await openPlace(scope)
    gateway = await startAt(place, scope)
  })
  beforeEach(() => {
    place.neighbours.answerable = true
    place.neighbours.sourceState = 'current'
  })
  afterAll(() => scope.disposeAsync())

  const ask = async (question: string, extra: object = {}) =>
    (await (await post(`${gateway.url}/api/v1/ask`, { question, ...extra })).json()) as Asked
  const get = async <T>(path: string) => (await (await fetch(gateway.url + path, { headers: owner })).json()) as T
  const approve = (body: object) => post(`${gateway.url}/api/v1/saved-answers`, body, owner)

  test('weak answers are gaps, those about the same counted together', async () => {
    place.neighbours.answerable = false
    await ask('海外保修怎么办理？')
    await ask('请问海外保修怎么办理')
    place.neighbours.answerable = true
    const disliked = await ask('怎么办理海外保修')
    await ask('保修期是多久？')
    await post(`${gateway.url}/api/v1/feedback`, { answerId: disliked.id, rating: -1, comment: '不是我要的' })
    const { items, looked } = await get<{ items: { count: number; why: object; examples: object[] }[]; looked: number }>('/api/v1/gaps')
    expect(looked).toBe(3)
    expect(items).toMatchObject([
      { count: 3, why: { notFound: 3, thumbsDown: 1, unverified: 0 }, examples: [{ answerId: disliked.id }, {}, {}] },
    ])
    expect((await fetch(`${gateway.url}/api/v1/gaps?from=x`, { headers: owner })).status).toBe(400)
  })

  test('a thumbs-down becomes a golden question by one call, in the shape the evaluation reads', async () => {
    const { items } = await get<{ items: { answerId: string }[] }>('/api/v1/records?rating=-1')
    const url = `${gateway.url}/api/v1/records/${items[0]!.answerId}/golden`
    const made = (await (await post(url, { doc: 'manual.md', answer: '24 个月' }, owner)).json()) as { id: string }
    expect(await get('/api/v1/golden')).toEqual({
      questions: [
        { id: made.id, lang: 'zh', kind: 'mono', q: '怎么办理海外保修', doc: 'manual.md', answer: '24 个月', note: '不是我要的' },
      ],
    })
    expect((await post(url, { answer: 'x' }, owner)).status).toBe(400)
    for (const doc of ['nope.md', 'manual']) {
      const refused = await post(url, { doc }, owner)
      expect(await refused.json()).toMatchObject({ status: 400, code: 'validation', errors: [{ path: 'body.doc' }] })
    }
    const both = await Promise.all([1, 2].map(async () => (await post(url, { doc: null, note: 'none' }, owner)).status))
    expect(both).toEqual([201, 201])
    const { questions } = await get<{ questions: { id: string; doc: string | null }[] }>('/api/v1/golden')
    expect(questions).toMatchObject([{ doc: null, kind: 'unanswerable', note: 'none' }])
    made.id = questions[0]!.id
    const drop = () => fetch(`${gateway.url}/api/v1/golden/${made.id}`, { method: 'DELETE', headers: owner })
    expect([(await drop()).status, (await drop()).status]).toEqual([204, 404])
  })

  test('an approved answer is given for the same question, marked, with citations that open, and without a search', async () => {
    const first = await ask('X100 的保修期是多久？')
    const approved = await approve({ answerId: first.id, text: '保修期为 24 个月 [1]。' })
    expect(approved.status).toBe(201)
    const saved = (await approved.json()) as { id: string }
    expect(saved).toMatchObject({ state: 'approved', citations: [{ source: 1, verified: true }] })
    const searches = place.neighbours.searches.length
    const again = await ask('请问 x100的保修期是多久')
    expect(again).toMatchObject({ text: '保修期为 24 个月 [1]。', model: 'approved', approved: { id: saved.id }, state: 'done' })
    expect(place.neighbours.searches.length).toBe(searches)
    expect(again.text.slice(again.citations[0]!.start, again.citations[0]!.end)).toBe('保修期为 24 个月')
    expect((await fetch(`${gateway.url}/api/v1/citations/${again.sources[0]!.citationId}`)).status).toBe(200)
    expect(again.sources[0]!.citationId).not.toBe(first.sources[0]!.citationId)
    const events = await allEvents(await post(`${gateway.url}/api/v1/answers`, { question: 'X100 的保修期是多久？' }))
    expect(events.find(({ type }) => type === 'sources')!.data).toMatchObject({ approved: { id: saved.id } })
    expect(await get(`/api/v1/records/${again.id}`)).toMatchObject({ record: { model: 'approved', saved: { id: saved.id } } })

    expect((await ask('X200 的保修期是多久？')).approved).toBeUndefined()
    expect((await ask('X100 的保修期是多久？', { collection: 'a' })).approved).toBeUndefined()
    expect((await ask('X100 的保修期是多久？', { conversationId: again.conversationId })).approved).toBeUndefined()
  })

  test('when a source changes the approved answer is put aside, and counts again once it is approved again', async () => {
    place.neighbours.sourceState = 'changed'
    const fresh = await ask('X100 的保修期是多久？')
    expect(fresh).toMatchObject({ model: 'extractive', state: 'done' })
    expect(fresh.approved).toBeUndefined()
    expect(await get('/api/v1/saved-answers')).toMatchObject({ items: [{ state: 'aside', aside: { why: 'manual.md is changed' } }] })
    place.neighbours.sourceState = 'current'
    expect((await ask('X100 的保修期是多久？')).approved).toBeUndefined()
    const saved = (await (await approve({ answerId: fresh.id })).json()) as { id: string }
    expect((await ask('X100 的保修期是多久？')).approved).toMatchObject({ id: saved.id })
    expect((await get<{ items: object[] }>('/api/v1/saved-answers')).items).toHaveLength(1)
    const settings = (body: string) => fetch(`${gateway.url}/api/v1/settings`, { method: 'PATCH', headers: owner, body })
    await settings('{"savedAnswers":false}')
    expect((await ask('X100 的保修期是多久？')).approved).toBeUndefined()
    await settings('{"savedAnswers":true}')
    expect((await fetch(`${gateway.url}/api/v1/saved-answers/${saved.id}`, { method: 'DELETE', headers: owner })).status).toBe(204)
    expect((await ask('X100 的保修期是多久？')).approved).toBeUndefined()
  })

  test('approved words name sources that are there, and are no gap for naming none', async () => {
    const answer = await ask('保修卡丢了怎么办？')
    const refused = await approve({ answerId: answer.id, text: '凭发票即可 [1] [9]。' })
    expect(refused.status).toBe(400)
    expect(((await refused.json()) as { errors: unknown[] }).errors).toEqual([
      { path: 'body.text', message: 'names [9], which is none of its sources: [1]' },
    ])
    expect((await approve({ answerId: answer.id, text: '凭发票即可。' })).status).toBe(201)
    expect(await ask('保修卡丢了怎么办')).toMatchObject({ model: 'approved', text: '凭发票即可。' })
    const { items } = await get<{ items: { question: string; why: { unverified: number } }[] }>('/api/v1/gaps')
    expect(items.filter(({ question, why }) => question.includes('保修卡') && why.unverified > 0)).toEqual([])
  })

  test('what has no source, or is not there, cannot be approved', async () => {
    const passages = place.neighbours.passages
    place.neighbours.passages = []
    const nothing = await ask('谁发明了电话？')
    place.neighbours.passages = passages
    expect((await approve({ answerId: nothing.id })).status).toBe(400)
    expect((await approve({ answerId: '00000000-0000-4000-8000-000000000000' })).status).toBe(404)
  })
})
