import { readFileSync } from 'node:fs'
import { createHttpEmbedder } from '@docent/models/http-embedder'
import OpenAI from 'openai'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { post, startForTest } from './start.ts'

type Golden = { kind: 'query' | 'passage'; text: string; ids: number[]; vector: number[] }
const golden = (JSON.parse(readFileSync(new URL('../model/golden.json', import.meta.url), 'utf8')) as { items: Golden[] }).items
const dot = (a: ArrayLike<number>, b: ArrayLike<number>) => Array.from(a).reduce((sum, value, i) => sum + value * b[i]!, 0)
const never = new AbortController().signal

const scope = new AsyncDisposableStack()
let url: string
let metrics: Awaited<ReturnType<typeof startForTest>>['metrics']
beforeAll(async () => {
  ;({ url, metrics } = await startForTest(scope))
})
afterAll(() => scope.disposeAsync())

describe('the bundled model over HTTP', () => {
  it.each(['query', 'passage'] as const)('gives the golden vectors of each %s text', async (kind) => {
    const items = golden.filter((item) => item.kind === kind)
    const { status, body } = await post(`${url}/v1/embeddings`, { input: items.map((item) => item.text), kind })
    expect(status).toBe(200)
    expect(body.data.map((one) => one.index)).toEqual(items.map((_, index) => index))
    const worst = Math.min(...items.map((item, i) => dot(item.vector, body.data[i]!.embedding)))
    expect(worst).toBeGreaterThanOrEqual(0.999)
    expect(body.usage.prompt_tokens).toBe(items.reduce((sum, item) => sum + item.ids.length, 0))
  })

  it('answers the unmodified openai client, in its own base64 and in floats', async () => {
    const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: 'none' })
    const [model] = (await client.models.list()).data
    const texts = golden.slice(0, 2).map((item) => `${item.text}`)
    const coded = await client.embeddings.create({ model: model!.id, input: texts })
    const floats = await client.embeddings.create({ model: model!.id, input: texts, encoding_format: 'float' })
    expect(coded.data[1]!.embedding).toHaveLength(384)
    expect(dot(coded.data[1]!.embedding, floats.data[1]!.embedding)).toBeCloseTo(1, 5)
    await expect(client.embeddings.create({ model: 'text-embedding-3-small', input: 'x' })).rejects.toMatchObject({ status: 404 })
  })

  it('is an Embedder through the port', async () => {
    const embedder = createHttpEmbedder({ url, batch: 2 })
    expect(await embedder.info()).toEqual({ model: 'multilingual-e5-small-int8', dimension: 384 })
    const [question, related, other] = await Promise.all([
      embedder.query('保修期是多久？', never),
      ...(await embedder.passages(
        ['The limited warranty covers defects for 24 months.', 'Bananas ripen faster in a paper bag.', '第三条'],
        never,
      )),
    ])
    expect(dot(question!, related!)).toBeGreaterThan(dot(question!, other!))
  })

  it('answers a question while fifty passages are waiting', async () => {
    const embedder = createHttpEmbedder({ url, batch: 50 })
    let passagesDone = false
    const passages = embedder
      .passages(
        Array.from({ length: 50 }, (_, i) => `${i} ${golden[38]!.text.repeat(4)}`),
        never,
      )
      .then((vectors) => {
        passagesDone = true
        return vectors
      })
    await expect.poll(async () => waiting(await metrics.metrics()), { interval: 5 }).toBeGreaterThan(20)
    const vector = await embedder.query('年假可以结转吗？', never)
    expect(vector).toHaveLength(384)
    expect(passagesDone).toBe(false)
    expect(await passages).toHaveLength(50)
  })

  it('forgets the passages of a caller who left', async () => {
    const embedder = createHttpEmbedder({ url, batch: 200 })
    const leave = new AbortController()
    const passages = embedder.passages(
      Array.from({ length: 200 }, () => golden[38]!.text.repeat(4)),
      leave.signal,
    )
    passages.catch(() => undefined)
    await expect.poll(async () => waiting(await metrics.metrics()), { interval: 5 }).toBeGreaterThan(100)
    leave.abort()
    await expect(passages).rejects.toThrow('aborted')
    await expect.poll(async () => waiting(await metrics.metrics()), { interval: 20 }).toBe(0)
  })

  it('refuses with 503 and Retry-After what the queue cannot hold', async () => {
    const leave = new AbortController()
    const fill = createHttpEmbedder({ url, batch: 256 })
    const long = Array.from({ length: 256 }, () => golden[38]!.text.repeat(4))
    const held = Array.from({ length: 5 }, () => fill.passages(long, leave.signal))
    for (const one of held) one.catch(() => undefined)
    await expect.poll(async () => waiting(await metrics.metrics()), { interval: 5 }).toBeGreaterThan(900)
    const refused = await post(`${url}/v1/embeddings`, { input: long })
    expect([refused.status, refused.body.code]).toEqual([503, 'unavailable'])
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
    await expect(fill.passages(long, leave.signal)).rejects.toMatchObject({ code: 'unavailable', retryAfterS: expect.any(Number) })
    leave.abort()
    await Promise.allSettled(held)
    // the service hears of it a little later: until then it has no room for others
    await expect.poll(async () => waiting(await metrics.metrics()), { interval: 20 }).toBe(0)
  })
})

describe('odd input', () => {
  it('embeds an empty text, a lone surrogate, a NUL and a megabyte', async () => {
    const texts = ['', 'lone \ud83d end', 'nul\u0000byte', '漢字 lorem '.repeat(100_000)]
    const { status, body } = await post(`${url}/v1/embeddings`, { input: texts })
    expect(status).toBe(200)
    for (const { embedding } of body.data) expect(Math.abs(dot(embedding, embedding) - 1)).toBeLessThan(1e-3)
  })

  it.each([
    ['no input', {}, 'body.input'],
    ['an empty list', { input: [] }, 'body.input'],
    ['257 texts', { input: Array(257).fill('x') }, 'body.input'],
    ['token ids', { input: [1, 2, 3] }, 'body.input'],
    ['null', { input: null }, 'body.input'],
    ['an unknown kind', { input: 'x', kind: 'poem' }, 'body.kind'],
    ['an unknown encoding', { input: 'x', encoding_format: 'hex' }, 'body.encoding_format'],
  ])('says what is wrong with %s', async (_name, body, path) => {
    const reply = await post(`${url}/v1/embeddings`, body)
    expect([reply.status, reply.body.code, reply.body.errors[0]?.path]).toEqual([400, 'validation', path])
    expect(reply.type).toContain('application/problem+json')
  })

  it('refuses broken JSON, other dimensions and a body that is too large', async () => {
    expect((await post(`${url}/v1/embeddings`, '{"input":')).body.code).toBe('invalid_json')
    expect((await post(`${url}/v1/embeddings`, { input: 'x', dimensions: 100 })).body.code).toBe('validation')
    expect((await post(`${url}/v1/embeddings`, { input: 'x'.repeat(17 * 1024 * 1024) })).status).toBe(413)
  })
})

describe('the rest of the door', () => {
  it('is ready with the cosine of its canary and counts what it did', async () => {
    const ready = (await (await fetch(`${url}/readyz`)).json()) as { status: string; checks: { model: { detail: string } } }
    expect(ready.status).toBe('ok')
    expect(Number(ready.checks.model.detail.split(' ')[1])).toBeGreaterThanOrEqual(0.999)
    const text = await metrics.metrics()
    expect(text).toMatch(/docent_embed_seconds_count\{[^}]*kind="query"[^}]*\} [1-9]/)
    expect(text).toMatch(/docent_embed_tokens_total\{[^}]*kind="passage"[^}]*\} [1-9]/)
  })

  it('says how to configure a reranker', async () => {
    const { status, body } = await post(`${url}/rerank`, { query: 'x', documents: ['y'] })
    expect([status, body.code]).toEqual([404, 'not_found'])
    expect(body.detail).toContain('RERANK_URL')
  })
})

function waiting(text: string): number {
  return Number(/docent_embed_waiting_texts\{[^}]*kind="passage"[^}]*\} (\d+)/.exec(text)?.[1] ?? Number.NaN)
}
