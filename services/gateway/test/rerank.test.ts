import type { Answer } from '@docent/core/answer-event'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type MockUpstream, openMockUpstream } from '../../lib/testkit/src/mock-upstream.ts'
import type { Gateway } from '../src/gateway-service.ts'
import { adminKey, openPlace, type Place, passage, post, startAt } from './harness.ts'

const owner = { authorization: `Bearer ${adminKey}`, 'content-type': 'application/json' }
const isReranking = ({ messages }: MockUpstream['requests'][number]) => messages[0]!.content.startsWith('Order the passages')

describe('reranking by the language model', () => {
  const scope = new AsyncDisposableStack()
  let place: Place
  let model: MockUpstream
  let gateway: Gateway
  let asked = 0
  beforeAll(async () => {
    place = await openPlace(scope)
    model = scope.use(await openMockUpstream())
    gateway = await startAt(place, scope, { LLM_BASE_URL: model.url, LLM_MODEL: 'mock' }, {}, { failures: 1_000 })
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
  afterAll(() => scope.disposeAsync())

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

  test('another value is refused', async () => {
    const refused = await fetch(`${gateway.url}/api/v1/settings`, { method: 'PATCH', headers: owner, body: '{"rerankBy":"coin"}' })
    expect(refused.status).toBe(400)
  })
})
