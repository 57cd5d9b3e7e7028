import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createHttpEmbedder, createHttpModels } from '@docent/models/http-embedder'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { readConfig } from '../src/config.ts'
import { post, startForTest } from './start.ts'

const never = new AbortController().signal
type Answer = { hangs?: boolean; status?: number; headers?: Record<string, string>; body: unknown }
type Asked = {
  path: string
  authorization: string | undefined
  body: { model?: string; input?: string[]; inputs?: string[]; encoding_format?: string; query?: string; documents?: string[] }
}

const asked: Asked[] = []
let answers: ((request: Asked) => Answer)[] = []
let usually: (request: Asked) => Answer
const server = createServer(async (req: IncomingMessage, res: ServerResponse) => {
  const chunks: Buffer[] = []
  for await (const chunk of req) chunks.push(chunk as Buffer)
  const request: Asked = {
    path: req.url ?? '',
    authorization: req.headers.authorization,
    body: JSON.parse(Buffer.concat(chunks).toString()),
  }
  asked.push(request)
  const { hangs, status = 200, headers = {}, body } = (answers.shift() ?? usually)(request)
  if (hangs) return
  res.writeHead(status, { 'content-type': 'application/json', ...headers }).end(typeof body === 'string' ? body : JSON.stringify(body))
})
let base: string
beforeAll(async () => {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterAll(() => {
  server.closeAllConnections()
  server.close()
})

const vectorOf = (text: string) => [text.length, 3, 4]
const openAiReply = (vectors: unknown[]) => ({
  body: {
    object: 'list',
    model: 'm',
    data: vectors.map((embedding, index) => ({ object: 'embedding', index, embedding })),
    usage: { prompt_tokens: 5, total_tokens: 5 },
  },
})

const vendors = [
  {
    name: 'openai',
    env: () => ({ EMBEDDINGS_PROVIDER: 'openai', EMBEDDINGS_BASE_URL: `${base}/v1` }),
    path: '/v1/embeddings',
    reply: openAiReply,
  },
  {
    name: 'hf',
    env: () => ({ EMBEDDINGS_PROVIDER: 'hf', EMBEDDINGS_BASE_URL: `${base}/embed` }),
    path: '/embed',
    reply: (vectors: unknown[]) => ({ body: vectors }),
  },
]

describe.each(vendors)('a remote model through $name', ({ env, path, reply }) => {
  let scope: AsyncDisposableStack
  let url: string
  beforeEach(async () => {
    scope = new AsyncDisposableStack()
    answers = []
    asked.length = 0
    usually = ({ body }) => reply((body.input ?? body.inputs ?? []).map(vectorOf))
    ;({ url } = await startForTest(scope, {
      EMBEDDINGS_MODEL: 'm',
      EMBEDDINGS_API_KEY: 'sk-secret',
      EMBEDDINGS_BATCH: '2',
      EMBEDDINGS_QUERY_PREFIX: 'q: ',
      ...env(),
    }))
  })
  afterEach(() => scope.disposeAsync())

  it('sends batches with prefix and key, and gives normalised vectors in order', async () => {
    const embedder = createHttpEmbedder({ url })
    const vectors = await embedder.passages(['a', 'bb', 'ccc'], never)
    for (const vector of vectors) expect(Math.hypot(...vector)).toBeCloseTo(1, 5)
    expect(vectors.map((vector) => vector[0]! / vector[1]!).map((ratio) => Math.round(ratio * 3))).toEqual([1, 2, 3])
    await embedder.query('why', never)
    expect(asked.map(({ body }) => body.input ?? body.inputs)).toEqual([['a', 'bb'], ['ccc'], ['q: why']])
    expect(asked.every((one) => one.authorization === 'Bearer sk-secret' && one.path === path)).toBe(true)
    expect(await embedder.info()).toEqual({ model: 'm', dimension: 3 })
  })

  it('waits as long as Retry-After says, then goes on', async () => {
    answers = [() => ({ status: 429, headers: { 'retry-after': '1' }, body: { error: { message: 'slow down' } } })]
    const started = performance.now()
    expect(await createHttpEmbedder({ url }).passages(['a'], never)).toHaveLength(1)
    expect(performance.now() - started).toBeGreaterThanOrEqual(950)
    expect(asked).toHaveLength(2)
  })

  it('passes a long Retry-After on instead of waiting', async () => {
    usually = () => ({ status: 429, headers: { 'retry-after': '600' }, body: { error: { message: 'slow down' } } })
    await expect(createHttpEmbedder({ url }).query('a', never)).rejects.toMatchObject({ code: 'rate_limited', retryAfterS: 600 })
    expect(asked).toHaveLength(1)
  })

  it('asks a failing server again, a bounded number of times', async () => {
    usually = () => ({ status: 503, body: { error: 'loading' } })
    await expect(createHttpEmbedder({ url }).query('a', never)).rejects.toMatchObject({ code: 'upstream_failed' })
    expect(asked).toHaveLength(2)
  })

  it.each([
    ['fewer vectors', [[1, 2, 3]]],
    [
      'a wrong dimension',
      [
        [1, 2, 3],
        [1, 2],
      ],
    ],
    [
      'null for a number',
      [
        [1, 2, 3],
        [1, null, 3],
      ],
    ],
    [
      'a text for a number',
      [
        [1, 2, 3],
        [1, 'NaN', 3],
      ],
    ],
    [
      'zeros',
      [
        [1, 2, 3],
        [0, 0, 0],
      ],
    ],
    ['nothing', [[1, 2, 3], []]],
  ])('never passes on %s', async (_name, vectors) => {
    usually = () => reply(vectors)
    await expect(createHttpEmbedder({ url }).passages(['a', 'b'], never)).rejects.toMatchObject({ code: 'embedding_failed' })
  })

  it('never passes on another dimension than before, nor bare NaN', async () => {
    const embedder = createHttpEmbedder({ url })
    await embedder.passages(['a'], never)
    answers = [() => reply([[1, 2, 3, 4]])]
    await expect(embedder.passages(['a'], never)).rejects.toMatchObject({ code: 'embedding_failed' })
    answers = [() => ({ body: '[[NaN, 1, 2]]' })]
    await expect(embedder.passages(['a'], never)).rejects.toMatchObject({ code: 'embedding_failed' })
  })

  it('says that the key is refused, and never the key', async () => {
    usually = () => ({ status: 401, body: { error: { message: 'bad key sk-secret' } } })
    const { status, body } = await post(`${url}/v1/embeddings`, { input: 'x' })
    expect([status, body.code]).toEqual([502, 'upstream_unauthorized'])
    expect(JSON.stringify(body)).not.toContain('sk-secret')
  })

  it('starts while the model is away and says so in /readyz', async () => {
    usually = () => ({ status: 401, body: { error: { message: 'no' } } })
    const ready = await fetch(`${url}/readyz`)
    expect(ready.status).toBe(503)
    expect(await ready.text()).toContain('refuses the key')
    expect((await fetch(`${url}/healthz`)).status).toBe(200)
  })

  it('keeps passages within its requests a minute; a question does not wait', async () => {
    await using own = new AsyncDisposableStack()
    const paced = await startForTest(own, {
      EMBEDDINGS_MODEL: 'm',
      EMBEDDINGS_API_KEY: 'k',
      EMBEDDINGS_BATCH: '1',
      EMBEDDINGS_REQUESTS_PER_MINUTE: '60',
      ...env(),
    })
    const embedder = createHttpEmbedder({ url: paced.url })
    const started = performance.now()
    const passages = embedder.passages(['a', 'b', 'c'], never).then(() => asked.map(({ body }) => (body.input ?? body.inputs)![0]))
    await vi.waitUntil(() => asked.length > 0)
    await embedder.query('why', never)
    expect(await passages).toEqual(['a', 'why', 'b', 'c'])
    // three passages and the question that went between them, a second each
    expect(performance.now() - started).toBeGreaterThanOrEqual(2_900)
    const spent = (await paced.metrics.getMetricsAsJSON()).find(({ name }) => name === 'docent_embed_paced_seconds_total')
    expect(spent?.values[0]?.value).toBeGreaterThan(1.9)
  })
})

describe('a remote reranker', () => {
  it('orders documents, and refuses an incomplete answer', async () => {
    await using scope = new AsyncDisposableStack()
    const { url } = await startForTest(scope, {
      EMBEDDINGS_PROVIDER: 'hf',
      EMBEDDINGS_MODEL: 'm',
      EMBEDDINGS_BASE_URL: `${base}/embed`,
      RERANK_URL: `${base}/rerank`,
      RERANK_MODEL: 'r',
    })
    usually = () => ({
      body: {
        results: [
          { index: 1, relevance_score: 0.9 },
          { index: 0, relevance_score: 0.1 },
        ],
      },
    })
    const good = await post(`${url}/rerank`, { query: 'q', documents: ['a', 'b'] })
    expect(good.body.results.map(({ index }) => index)).toEqual([1, 0])
    const bad = await post(`${url}/rerank`, { query: 'q', documents: ['a', 'b', 'c'] })
    expect([bad.status, bad.body.code]).toEqual([502, 'upstream_failed'])
  })
})

it('names all that is missing in a remote configuration at once', async () => {
  await using scope = new AsyncDisposableStack()
  await expect(startForTest(scope, { EMBEDDINGS_PROVIDER: 'openai', PORT: 'many' })).rejects.toThrow(/PORT/)
  await expect(startForTest(scope, { EMBEDDINGS_PROVIDER: 'openai' })).rejects.toThrow(/EMBEDDINGS_MODEL[\s\S]*EMBEDDINGS_BASE_URL/)
})

it('an embedder that is not there is unavailable', async () => {
  await expect(createHttpEmbedder({ url: 'http://127.0.0.1:9' }).query('x', never)).rejects.toMatchObject({ code: 'unavailable' })
})

describe('a candidate beside the first model', () => {
  const two = () => ({
    EMBEDDINGS_PROVIDER: 'openai',
    EMBEDDINGS_BASE_URL: `${base}/v1`,
    EMBEDDINGS_MODEL: 'm',
    EMBEDDINGS_NEXT_PROVIDER: 'openai',
    EMBEDDINGS_NEXT_BASE_URL: `${base}/next/v1`,
    EMBEDDINGS_NEXT_MODEL: 'm',
    EMBEDDINGS_NEXT_DIMENSIONS: '2',
    EMBEDDINGS_NEXT_API_KEY: 'sk-next',
    EMBEDDINGS_NEXT_PASSAGE_PREFIX: 'p: ',
    EMBEDDINGS_NEXT_PRICE: '0.5',
  })
  let isNextUp = true
  let isNextHanging = false
  beforeEach(() => {
    answers = []
    asked.length = 0
    isNextUp = true
    isNextHanging = false
    usually = ({ path, body }) => {
      const isNext = path.startsWith('/next')
      if (isNext && isNextHanging) return { hangs: true, body: '' }
      if (isNext && !isNextUp) return { status: 401, body: { error: { message: 'no such key' } } }
      return openAiReply(body.input!.map((text) => (isNext ? [text.length, 4] : vectorOf(text))))
    }
  })

  it('is asked where it is named, with a name that tells its dimension; both are listed', async () => {
    await using scope = new AsyncDisposableStack()
    const { url } = await startForTest(scope, two())
    const models = createHttpModels({ url })
    expect(await models.list(never)).toEqual([
      { model: 'm', dimension: 3 },
      { model: 'm@2', dimension: 2, price: { amount: 0.5, currency: 'USD' } },
    ])
    asked.length = 0
    expect((await models.of('m@2').passages(['a'], never))[0]).toHaveLength(2)
    expect((await models.of('m').passages(['a'], never))[0]).toHaveLength(3)
    expect((await createHttpEmbedder({ url }).passages(['a'], never))[0]).toHaveLength(3)
    expect(asked.map(({ path, authorization, body }) => [path, authorization, body.model, body.input])).toEqual([
      ['/next/v1/embeddings', 'Bearer sk-next', 'm', ['p: a']],
      ['/v1/embeddings', 'Bearer none', 'm', ['a']],
      ['/v1/embeddings', 'Bearer none', 'm', ['a']],
    ])
    await expect(models.of('http://elsewhere/v1').passages(['a'], never)).rejects.toMatchObject({ code: 'not_found' })
  })

  it('that does not answer is listed with its problem, and the first one serves', async () => {
    isNextUp = false
    await using scope = new AsyncDisposableStack()
    const { url } = await startForTest(scope, two())
    expect(await createHttpModels({ url }).list(never)).toMatchObject([
      { model: 'm', dimension: 3 },
      { model: 'm@2', problem: expect.any(String) as string },
    ])
    expect((await fetch(`${url}/readyz`)).status).toBe(200)
    expect(await createHttpEmbedder({ url }).passages(['a'], never)).toHaveLength(1)
  })

  it('that hangs delays the list a second at most, and the first one not at all', async () => {
    isNextHanging = true
    await using scope = new AsyncDisposableStack()
    const { url } = await startForTest(scope, two())
    const models = createHttpModels({ url, timeoutMs: 2_900 }) // a search waits no longer
    for (let n = 0; n < 2; n++)
      expect(await models.list(never)).toMatchObject([
        { model: 'm', dimension: 3 },
        { model: 'm@2', problem: 'The model has not answered yet.' },
      ])
    expect(await models.of('m').passages(['a'], never)).toHaveLength(1)
    expect(asked.filter(({ path }) => path.startsWith('/next'))).toHaveLength(1)
  })

  it('is another model than the first, with all that it needs', () => {
    const problem = (env: Record<string, string>) => {
      try {
        readConfig({ ...two(), ...env })
        return 'none'
      } catch (error) {
        return (error as Error).message
      }
    }
    expect(problem({})).toBe('none')
    expect(problem({ EMBEDDINGS_NEXT_DIMENSIONS: '' })).toMatch(/EMBEDDINGS_NEXT_MODEL.*another model/s)
    expect(problem({ EMBEDDINGS_NEXT_BASE_URL: '' })).toMatch(/EMBEDDINGS_NEXT_BASE_URL.*is needed/s)
    expect(problem({ EMBEDDINGS_PROVIDER: 'local', EMBEDDINGS_NEXT_PROVIDER: 'local' })).toMatch(/another model/)
  })
})
