import type { Answer } from '@docent/core/answer-event'
import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { MockUpstream } from '../../lib/testkit/src/mock-upstream.ts'
import { adminKey, passage, post } from './harness.ts'
import { withModel } from './with-model.ts'

const owner = { authorization: `Bearer ${adminKey}`, 'content-type': 'application/json' }
const isReranking = ({ messages }: MockUpstream['requests'][number]) => messages[0]!.content.startsWith('Order the passages')

describe('reranking by the language model', () => {
  const { place, model, gateway } = withModel({ breaker: { failures: 1_000 } })
  let asked = 0
  beforeAll(() => {
    place.neighbours.passages = [
      passage('打印机的保修期为 12 个月。', { chunkId: 'c1', path: 'printer.md' }),
      passage('网关的保修期为 24 个月。', { chunkId: 'c2', path: 'hub.md' }),
      passage('灯的保修期为 36 个月。', { chunkId: 'c3', path: 'lamp.md' }),
    ]
  })
  beforeEach(() => {
    model.mode = 'good'
    model.pieces = ['3, ', '1']
    model.requests.length = 0
    place.neighbours.searches.length = 0
  })

  const set = async (settings: object) =>
    expect(
      (await fetch(`${gateway.url}/api/v1/settings`, { method: 'PATCH', headers: owner, body: JSON.stringify(settings) })).status,
    ).toBe(200)
  const ask = async () =>
    (await (await post(`${gateway.url}/api/v1/ask`, { question: `灯保修多久？第 ${++asked} 问` }, owner)).json()) as Answer

  async function used(work: () => Promise<unknown>): Promise<number> {
    const tokens = async () => {
      const { items } = (await (await fetch(`${gateway.url}/api/v1/usage`, { headers: owner })).json()) as {
        items: { inputTokens: number }[]
      }
      return items.reduce((sum, { inputTokens }) => sum + inputTokens, 0)
    }
    const before = await tokens()
    await work()
    return (await tokens()) - before
  }

  test('is off by default: one request, in the order of the search', async () => {
    const { sources, degraded } = await ask()
    expect(sources.map(({ path }) => path)).toEqual(['printer.md', 'hub.md', 'lamp.md'])
    expect([degraded, model.requests.filter(isReranking)]).toEqual([[], []])
  })

  test('puts the passages to the model, follows its order and books its tokens', async () => {
    const plain = await used(() => ask())
    await set({ rerank: true, rerankBy: 'model' })
    let answer!: Answer
    const reranked = await used(async () => {
      answer = await ask()
    })
    const { sources, degraded } = answer
    expect(reranked).toBeGreaterThan(plain)
    expect(sources.map(({ path }) => path)).toEqual(['lamp.md', 'printer.md', 'hub.md'])
    expect(sources.map(({ score }) => score)).toEqual([1, 1 - 1 / 3, 1 - 2 / 3])
    expect(degraded).toEqual([])
    expect(model.requests.filter(isReranking)).toHaveLength(1)
    expect(place.neighbours.searches.at(-1)).toMatchObject({ limit: 20 })
    expect(place.neighbours.searches.at(-1)).not.toHaveProperty('rerank')
  })

  test('a model that fails, or names no passage, leaves the first order, and the answer says so', async () => {
    await set({ rerank: true, rerankBy: 'model' })
    model.pieces = ['I would rather not.']
    const vague = await ask()
    expect(vague.sources.map(({ path }) => path)).toEqual(['printer.md', 'hub.md', 'lamp.md'])
    expect(vague.degraded).toContain('rerank')
    model.mode = 'status'
    model.status = 500
    const failed = await ask()
    expect(failed.state).toBe('done')
    expect(failed.degraded).toContain('rerank')
    expect(failed.sources.map(({ path }) => path)).toContain('lamp.md')
  })

  describe('wished by a request', () => {
    const order = ({ sources }: Answer) => sources.map(({ path }) => path)
    const recordOf = async (id: string) =>
      (
        (await (await fetch(`${gateway.url}/api/v1/records/${id}`, { headers: owner })).json()) as {
          record: { asked?: object; retrieval: { rerank: string } }
        }
      ).record
    const wish = (rerank?: boolean) => ({ question: `灯保修多久？第 ${++asked} 问`, ...(rerank === undefined ? {} : { rerank }) })
    const asJson = async (path: string, body: object) => (await (await post(gateway.url + path, body, owner)).json()) as Answer

    test('it is done for that question alone, and the record says so; a replay keeps the wish', async () => {
      await set({ rerank: false, rerankBy: 'model' })
      const yes = await asJson('/api/v1/ask', wish(true))
      expect(order(yes)).toEqual(['lamp.md', 'printer.md', 'hub.md'])
      expect(await recordOf(yes.id)).toMatchObject({ asked: { rerank: true }, retrieval: { rerank: 'model' } })
      const plain = await asJson('/api/v1/ask', wish())
      expect(order(plain)).toEqual(['printer.md', 'hub.md', 'lamp.md'])
      const record = await recordOf(plain.id)
      expect([record.asked, record.retrieval.rerank]).toEqual([undefined, 'off'])
      const replay = async (settings: object) =>
        (await asJson(`/api/v1/records/${yes.id}/replay`, { settings })) as unknown as { replay: { settings: { rerank: boolean } } }
      expect((await replay({})).replay.settings.rerank).toBe(true)
      expect((await replay({ rerank: false })).replay.settings.rerank).toBe(false)
    })

    test('it is left out for that question alone', async () => {
      await set({ rerank: true, rerankBy: 'model' })
      const no = await asJson('/api/v1/ask', wish(false))
      expect(await recordOf(no.id)).toMatchObject({ asked: { rerank: false }, retrieval: { rerank: 'off' } })
      expect(model.requests.filter(isReranking)).toEqual([])
    })

    test('the reranker is asked through the search, streamed and over the OpenAI surface, too', async () => {
      await set({ rerank: false, rerankBy: 'reranker' })
      for (const [path, body] of [
        ['/api/v1/ask', { ...wish(true), stream: true }],
        ['/api/v1/answers', wish(true)],
        ['/api/ask_stream', wish(true)],
        ['/v1/chat/completions', { messages: [{ role: 'user', content: wish().question }], rerank: true }],
      ] as const) {
        place.neighbours.searches.length = 0
        await (await post(gateway.url + path, body, owner)).text()
        expect([path, place.neighbours.searches.at(-1)]).toEqual([path, expect.objectContaining({ rerank: true })])
      }
    })

    test('a reranker that is not there leaves the order of the search, and the record says that none was used', async () => {
      place.neighbours.degraded = ['rerank']
      const answer = await asJson('/api/v1/ask', wish(true))
      place.neighbours.degraded = []
      expect(answer.degraded).toContain('rerank')
      expect(await recordOf(answer.id)).toMatchObject({ asked: { rerank: true }, retrieval: { rerank: 'off' } })
    })

    test('anything but yes and no is refused', async () => {
      for (const path of ['/api/v1/ask', '/api/v1/answers', '/api/ask_stream'])
        expect((await post(gateway.url + path, { question: '灯', rerank: 'model' }, owner)).status).toBe(400)
      const chat = { messages: [{ role: 'user', content: '灯' }], rerank: 1 }
      expect((await post(`${gateway.url}/v1/chat/completions`, chat, owner)).status).toBe(400)
    })
  })

  test('another value is refused', async () => {
    const refused = await fetch(`${gateway.url}/api/v1/settings`, { method: 'PATCH', headers: owner, body: '{"rerankBy":"coin"}' })
    expect(refused.status).toBe(400)
  })
})
