import type { SearchResponse, SentencesRequest, SentencesResponse } from '@docent/core/passage'
import { encodePrincipal, type Principal } from '@docent/core/principal'
import type { Corpus } from '@docent/corpus/corpus'
import { createCorpus } from '@docent/corpus/create-corpus'
import { createLogger } from '@docent/kit/logger'
import { openPostgres } from '@docent/kit/postgres'
import type { Reranker } from '@docent/models/reranker'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { tempDatabase } from '../../lib/testkit/src/temp-database.ts'
import { readConfig } from '../src/config.ts'
import { startRetrieval } from '../src/retrieval-service.ts'
import { type FakeEmbedder, fakeEmbedder } from './fake-embedder.ts'
import { papers, shelve } from './library.ts'

const token = 'test-internal-token-0123456789-abcdefg'
const anyone: Principal = { id: 'tester', kind: 'anonymous', scopes: ['chat', 'read'] }
const scope = new AsyncDisposableStack()
let corpus: Corpus
let databaseUrl: string
let url: string
let embedder: FakeEmbedder

beforeAll(async () => {
  const stores = inject('stores')
  const log = createLogger('test', 'silent')
  databaseUrl = (await tempDatabase(stores.databaseUrl, scope)).corpusUrl
  const pool = scope.adopt(openPostgres(databaseUrl, log), (open) => open.end())
  corpus = createCorpus(pool, { url: stores.chromaUrl }, log)
  for (const paper of papers) await shelve(corpus, paper)
  embedder = fakeEmbedder()
  url = await start({ embedder })
})
afterAll(() => scope.disposeAsync())

async function start(options: {
  embedder: FakeEmbedder
  reranker?: Reranker
  chromaUrl?: string
  env?: Record<string, string>
  corpus?: Corpus
}): Promise<string> {
  const config = readConfig({
    HOST: '127.0.0.1',
    PORT: '0',
    METRICS_PORT: '0',
    DATABASE_URL: databaseUrl,
    CHROMA_URL: options.chromaUrl ?? inject('stores').chromaUrl,
    EMBEDDER_URL: 'http://127.0.0.1:1',
    INTERNAL_TOKEN: token,
    ...options.env,
  })
  const { embedder: model, reranker } = options
  const log = createLogger('retrieval', 'silent')
  const parts = { log, embedder: model, ...(reranker ? { reranker } : {}), ...(options.corpus ? { corpus: options.corpus } : {}) }
  const service = await startRetrieval(config, scope, parts)
  return service.url
}

function post(
  path: string,
  body: unknown,
  options: { base?: string; principal?: Principal; headers?: Record<string, string> } = {},
): Promise<Response> {
  return fetch(`${options.base ?? url}${path}`, {
    method: 'POST',
    headers: options.headers ?? {
      'content-type': 'application/json',
      'x-docent-token': token,
      'x-docent-principal': encodePrincipal(options.principal ?? anyone),
    },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  })
}

async function search(query: string, more: object = {}, options: Parameters<typeof post>[2] = {}): Promise<SearchResponse> {
  const response = await post('/search', { query, ...more }, options)
  expect(response.status, await response.clone().text()).toBe(200)
  return (await response.json()) as SearchResponse
}

describe('finding', () => {
  test('a Chinese question finds the Chinese passage, with its section and place', async () => {
    const found = await search('保修期是多久？')
    expect(found.answerable).toBe(true)
    expect(found.degraded).toEqual([])
    expect(found.passages[0]).toMatchObject({
      path: '手册/保修说明.md',
      title: '保修说明',
      heading: '保修说明',
      version: 1,
      text: papers[0]!.parts[0],
      snippet: papers[0]!.parts[0],
    })
    expect(found.passages[0]!.parent.text).toBe(papers[0]!.parts[0])
    expect(found.passages[0]!.scores.lexical).toBeGreaterThan(0)
    expect(found.passages[0]!.scores.dense).toBeGreaterThan(0.5)
  })

  test('an English question finds the English passage, other forms of the words too', async () => {
    const found = await search('When is a refund paying out?')
    expect(found.passages[0]!.path).toBe('handbook/refund.md')
    expect(found.answerable).toBe(true)
  })

  test.each([
    ['退款要几天？', 'handbook/refund.md'],
    ['电池怎么保存？', 'handbook/battery.txt'],
    ['How long is the warranty?', '手册/保修说明.md'],
  ])('%s is found in the other language', async (question, path) => {
    const found = await search(question)
    expect(found.passages[0]!.path).toBe(path)
    expect(found.answerable).toBe(true)
  })

  test('simplified and traditional meet', async () => {
    expect((await search('报销单据什么时候提交')).passages[0]!.path).toBe('手册/園區.md')
    expect((await search('保修說明')).passages[0]!.path).toBe('手册/保修说明.md')
  })

  test('an identifier, a file name', async () => {
    expect((await search('rfc 9457')).passages[0]!.text).toContain('RFC-9457')
    expect((await search('board.md')).passages[0]!.path).toBe('secret/board.md')
  })

  test('a follow-up is read with the turn before it', async () => {
    const found = await search('那进水呢？', { previous: '保修范围包括什么？' })
    expect(found.passages[0]!.text).toBe(papers[0]!.parts[1])
  })

  test('what is in no document is said to be so', async () => {
    for (const question of ['火星上有几个火山口？', 'Which dinosaurs lived in Patagonia?']) {
      const found = await search(question)
      expect(found.answerable, question).toBe(false)
      expect(found.gate.score).toBeLessThan(found.gate.threshold)
    }
  })

  test('at most three passages of one document', async () => {
    const found = await search('开放 登记 领取 提供', { limit: 20 })
    const counts = Map.groupBy(found.passages, (passage) => passage.path)
    expect(counts.get('手册/杂项.md')).toHaveLength(3)
  })

  test('explain shows the plan and why each candidate stayed or went', async () => {
    const { explain } = await search('保修期是多久？', { explain: true, limit: 1 })
    expect(explain!.plan).toMatchObject({ language: 'zh', script: 'hans', followUp: false })
    expect(explain!.candidates[0]).toMatchObject({ kept: true, why: 'kept', ranks: { lexical: 1, fused: 1 } })
    expect(explain!.candidates[1]).toMatchObject({ kept: false, why: 'below the first 1' })
    expect(explain!.candidates[0]!.ranks.final).toBe(1)
    expect(explain!.why).toMatch(/^问题中有 100% 的词.*保留 1 段。找到的段落足以回答这个问题（得分 .*提问时还会另行判断/)
    expect(Object.keys(explain!.timings)).toEqual(expect.arrayContaining(['plan', 'lexical', 'embed', 'dense', 'fuse', 'parents', 'total']))
    expect((await search('How long is the warranty?', { explain: true })).explain!.why).toContain('words count')
  })

  test('weights and thresholds are settings of a request, and the answer names the set', async () => {
    const usual = await search('保修期是多久？', { explain: true })
    expect(usual.configVersion).toMatch(/^[0-9a-f]{12}$/)
    expect(usual.explain!.plan.configVersion).toBe(usual.configVersion)
    const strict = await search('保修期是多久？', { tuning: { gate: { factor: 4 } } })
    expect(strict.configVersion).not.toBe(usual.configVersion)
    expect([usual.answerable, strict.answerable]).toEqual([true, false])
    const one = await search('开放 登记 领取 提供', { limit: 20, tuning: { perDocument: 1 } })
    expect(one.passages.filter((passage) => passage.path === '手册/杂项.md')).toHaveLength(1)
    expect((await search('保修期是多久？')).configVersion).toBe(usual.configVersion)
  })
})

describe('who may see what', () => {
  const staff: Principal = { ...anyone, collections: ['default'] }

  test('a principal never sees another collection, by words or by meaning', async () => {
    expect((await search('board meeting room', { limit: 50 })).passages[0]!.path).toBe('secret/board.md')
    const found = await search('board meeting room', { limit: 50, explain: true }, { principal: staff })
    expect(JSON.stringify(found)).not.toContain('secret/')
    expect((await search('board meeting room', { filters: { collection: 'board' } }, { principal: staff })).passages).toEqual([])
  })

  test('C14 two that may read different collections ask the same 1,000 times at once: neither is shown a passage of the other', async () => {
    const readers = ['default', 'board'].map((name): Principal => ({ ...anyone, id: `key:${name}`, collections: [name] }))
    const found = readers.map(() => new Set<string>())
    const asking = Array.from({ length: 20 }, async (_, lane) => {
      for (let i = 0; i < 50; i++) {
        const who = (lane + i) % 2
        const { passages } = await search('会议室 board meeting room 电池 battery', { limit: 5 }, { principal: readers[who]! })
        for (const { path } of passages) found[who]!.add(path)
      }
    })
    await Promise.all(asking)
    expect([...found[1]!]).toEqual(['secret/board.md'])
    expect(found[0]!.size).toBeGreaterThan(1)
    expect([...found[0]!].filter((path) => path.startsWith('secret/'))).toEqual([])
  })

  test.each([
    [{ pathPrefix: 'handbook/' }, (path: string) => path.startsWith('handbook/')],
    [{ mediaType: 'text/plain' }, (path: string) => path === 'handbook/battery.txt'],
    [{ modifiedAfter: '2026-04-01T00:00:00Z' }, (path: string) => path === 'handbook/battery.txt'],
    [{ language: 'zh' }, (path: string) => path.startsWith('手册/')],
    [{ collection: 'board' }, (path: string) => path === 'secret/board.md'],
  ])('filter %o holds for every passage and finds by meaning', async (filters, fits) => {
    const found = await search('电池 battery warranty 会议室', { filters, limit: 50 })
    expect(found.passages.length).toBeGreaterThan(0)
    expect(found.passages.every((passage) => fits(passage.path))).toBe(true)
    expect(found.passages.some((passage) => passage.scores.dense !== undefined)).toBe(true)
  })

  test('nobody is answered without the token; a request without or with a broken principal is refused', async () => {
    expect((await post('/search', { query: 'x' }, { headers: { 'content-type': 'application/json' } })).status).toBe(401)
    expect(
      (await post('/search', { query: 'x' }, { headers: { 'content-type': 'application/json', 'x-docent-token': token } })).status,
    ).toBe(401)
    const broken = { 'content-type': 'application/json', 'x-docent-token': token, 'x-docent-principal': '!!!' }
    expect((await post('/search', { query: 'x' }, { headers: broken })).status).toBe(400)
  })
})

describe('a folder too large for exact comparison', () => {
  let large: string
  beforeAll(async () => {
    large = await start({ embedder: fakeEmbedder(), env: { FLAT_SCAN_CHUNKS: '0' } })
  })

  test.each([
    ['退款要几天？', 'handbook/refund.md'],
    ['电池怎么保存？', 'handbook/battery.txt'],
    ['How long is the warranty?', '手册/保修说明.md'],
  ])('%s is found in the other language through Chroma', async (question, path) => {
    const found = await search(question, {}, { base: large })
    expect(found.degraded).toEqual([])
    expect(found.passages[0]!.path).toBe(path)
  })

  test('filters and collections hold inside the query', async () => {
    const filtered = await search('会议室 battery', { filters: { pathPrefix: 'handbook/' }, limit: 50 }, { base: large })
    expect(filtered.degraded).toEqual([])
    expect(filtered.passages.every((passage) => passage.path.startsWith('handbook/'))).toBe(true)
    expect(filtered.passages.filter((passage) => passage.scores.dense !== undefined).length).toBeGreaterThan(3)
    const staff: Principal = { ...anyone, collections: ['default'] }
    const seen = await search('会议室', { limit: 50, explain: true }, { base: large, principal: staff })
    expect(JSON.stringify(seen)).not.toContain('secret/')
  })
})

describe('following the corpus', () => {
  test('a new, a changed, a moved and a removed document, within the next poll', async () => {
    const text = '打印机在三楼走廊尽头，纸盒在左侧柜子里。'
    const id = await shelve(corpus, { path: '新/打印机.md', parts: [text] })
    await expect.poll(async () => (await search('打印机在哪里')).passages[0]?.text, { timeout: 10_000 }).toBe(text)

    const changed = '打印机已经搬到五楼茶水间。'
    await shelve(corpus, { path: '新/打印机.md', parts: [changed] })
    await expect.poll(async () => (await search('打印机在哪里')).passages[0]?.text, { timeout: 10_000 }).toBe(changed)
    expect(JSON.stringify(await search('打印机', { limit: 50 }))).not.toContain('三楼走廊')

    await corpus.moveDocument(id, '旧/设备.md')
    await expect.poll(async () => (await search('打印机在哪里')).passages[0]?.path, { timeout: 10_000 }).toBe('旧/设备.md')

    await corpus.removeDocument(id)
    await expect
      .poll(async () => JSON.stringify((await search('打印机在哪里', { limit: 50 })).passages), { timeout: 10_000 })
      .not.toContain('茶水间')
  })
})

test('a passage far behind many that say the same comes with its section, too', async () => {
  const [same, other] = ['备用钥匙挂在七号门后面。', '备用钥匙也可以向保安领取。']
  const ids: string[] = []
  for (let n = 0; n < 8; n++) ids.push(await shelve(corpus, { path: `钥匙/${n}.md`, parts: [same], collection: 'keys' }))
  ids.push(await shelve(corpus, { path: '钥匙/保安.md', parts: [other], collection: 'keys' }))
  const sections = async () =>
    (await search('备用钥匙挂在哪里', { limit: 2, filters: { collection: 'keys' } })).passages.map(({ parent }) => parent.text)
  await expect.poll(sections, { timeout: 10_000 }).toEqual([same, other])
  for (const id of ids) await corpus.removeDocument(id)
})

describe('readers', () => {
  test('a document for some groups is found by them and the admin only, in both legs, and told apart once its readers change', async () => {
    const text = '合并计划：明年三月与南方公司合并。'
    const id = await shelve(corpus, { path: '董事会/合并.md', parts: [text], readers: ['board'] })
    const paths = async (principal: Principal) =>
      JSON.stringify(await search('与南方公司合并的计划', { limit: 50, explain: true }, { principal }))
    const board: Principal = { ...anyone, groups: ['staff', 'board'] }
    await expect.poll(() => paths(board), { timeout: 10_000 }).toContain('董事会/合并.md')
    const admin: Principal = { ...anyone, kind: 'admin' }
    expect(await paths(admin)).toContain('董事会/合并.md')
    for (const principal of [anyone, { ...anyone, groups: ['staff'] }]) expect(await paths(principal)).not.toMatch(/董事会|南方公司合并。/)
    await corpus.placeDocuments([{ id, collection: 'default', readers: null, language: null, chunkSize: null, chunkOverlap: null }])
    await expect.poll(() => paths(anyone), { timeout: 10_000 }).toContain('董事会/合并.md')
    await corpus.removeDocument(id)
  })

  test('whoever may not read a document is told the same as if it were not there: no figure gives its words away', async () => {
    const hidden = ['quokkaleap bonus 宝藏计划 warranty', 'quokkaleap 宝藏计划 9001']
    const asked = ['quokkaleap', 'warranty quokkaleap battery', '宝藏计划的保修期', 'quokkaleap 9001 保修']
    const strangers = [anyone, { ...anyone, groups: ['staff'] }, { ...anyone, collections: ['default'] }]
    const told = async (principal: Principal) => {
      const seen = await Promise.all(asked.map((query) => search(query, { limit: 50, explain: true }, { principal })))
      return seen.map(({ tookMs, explain, ...rest }) => ({ ...rest, ...explain, timings: undefined }))
    }
    const toStrangers = () => Promise.all(strangers.map(told))
    const decoy = await shelve(corpus, { path: '董事会/alone.md', parts: ['nothing of it'], readers: ['board'] })
    const searched = () => search('warranty', { limit: 50, explain: true }, { principal: { ...anyone, kind: 'admin' } })
    await expect.poll(async () => JSON.stringify(await searched()), { timeout: 10_000 }).toContain('董事会/alone.md')
    const before = await toStrangers()
    const board: Principal = { ...anyone, groups: ['board'] }
    const beforeBoard = await told(board)
    const id = await shelve(corpus, { path: '董事会/quokka.md', parts: hidden, readers: ['board'] })
    const other = await shelve(corpus, { path: '董事会/another.md', parts: hidden.map((text) => `${text} too`), collection: 'closed' })
    await expect.poll(async () => (await told(board))[0]!.indexed, { timeout: 10_000 }).toBe(beforeBoard[0]!.indexed! + 4)
    expect((await told({ ...anyone, kind: 'admin' }))[0]!.plan).toMatchObject({ known: 1 })
    const sentences = async (principal: Principal) =>
      (await post('/sentences', { query: 'warranty quokkaleap', sentences: plain(['the warranty', 'a quokkaleap']) }, { principal })).json()
    expect((await toStrangers())[2]).toEqual(before[2])
    await corpus.removeDocument(other)
    await expect.poll(async () => (await told(board))[0]!.indexed, { timeout: 10_000 }).toBe(beforeBoard[0]!.indexed! + 2)
    expect(await toStrangers()).toEqual(before)
    const [asStranger, asBoard] = [await sentences(anyone), await sentences(board)]
    await corpus.removeDocument(id)
    await expect.poll(async () => (await told(board))[0]!.indexed, { timeout: 10_000 }).toBe(beforeBoard[0]!.indexed)
    expect(await sentences(anyone)).toEqual(asStranger)
    expect(await sentences(board)).not.toEqual(asBoard)
    await corpus.removeDocument(decoy)
  })

  test('readers that change while a search runs hold for that search, too', async () => {
    const text = '裁员名单：北方工厂关闭。'
    const id = await shelve(corpus, { path: '人事/名单.md', parts: [text] })
    const slow = fakeEmbedder()
    const base = await start({ embedder: slow })
    const found = async (query: string) => JSON.stringify(await search(query, { limit: 50, explain: true }, { base }))
    expect(await found('北方工厂的名单')).toContain('人事/名单.md')
    const asked = Promise.withResolvers<void>()
    const goOn = Promise.withResolvers<void>()
    const { passages } = slow
    slow.passages = async (texts, signal) => {
      if (texts.some((one) => one.includes('正在'))) {
        asked.resolve()
        await goOn.promise
      }
      return passages(texts, signal)
    }
    const running = found('正在问北方工厂的名单')
    await asked.promise
    await corpus.placeDocuments([{ id, collection: 'default', readers: ['hr'], language: null, chunkSize: null, chunkOverlap: null }])
    await expect.poll(() => found('北方工厂的名单'), { timeout: 10_000 }).not.toContain('人事/名单.md')
    goOn.resolve()
    expect(await running).not.toMatch(/名单\.md|北方工厂关闭/)
    await corpus.removeDocument(id)
  })
})

describe('reranking', () => {
  const password: Reranker = { model: 'fake', rerank: async (_, texts) => texts.map((text) => (text.includes('密码') ? 4.5 : -4.5)) }

  test('is off unless asked for, puts its order first, and scores from 0 to 1', async () => {
    const base = await start({ embedder: fakeEmbedder(), reranker: password })
    expect((await search('保修期 密码', {}, { base })).passages[0]!.scores.rerank).toBeUndefined()
    const found = await search('保修期 密码', { rerank: true, explain: true }, { base })
    expect(found.degraded).toEqual([])
    expect(found.passages[0]).toMatchObject({ path: '手册/密码.md', scores: { rerank: expect.closeTo(0.989, 3) } })
    expect(found.explain!.candidates[0]!.ranks).toMatchObject({ rerank: 1, final: 1 })
  })

  test('without a reranker, with one that fails or is silent the order stays, and the answer says so', async () => {
    const silent: Reranker = { model: 'silent', rerank: () => new Promise(() => undefined) }
    for (const reranker of [undefined, silent]) {
      const base = await start({ embedder: fakeEmbedder(), ...(reranker ? { reranker } : {}) })
      const plain = await search('保修期是多久？', {}, { base })
      const found = await search('保修期是多久？', { rerank: true, tuning: { rerankTimeoutMs: 100 } }, { base })
      expect(found.degraded).toEqual(['rerank'])
      expect(found.passages.map((passage) => passage.chunkId)).toEqual(plain.passages.map((passage) => passage.chunkId))
    }
  })
})

describe('parts that are down', () => {
  test('without Chroma: words, and an exact scan of the vectors', async () => {
    const base = await start({ embedder: fakeEmbedder(), chromaUrl: 'http://127.0.0.1:9' })
    const found = await search('退款要几天？', {}, { base })
    expect(found.degraded).toEqual(['chroma'])
    expect(found.passages[0]!.path).toBe('handbook/refund.md')
    const ready = await fetch(`${base}/readyz`)
    expect(ready.status).toBe(200)
    expect(((await ready.json()) as { checks: Record<string, { ok: boolean }> }).checks).toMatchObject({
      postgres: { ok: true },
      index: { ok: true },
      chroma: { ok: false },
    })
  })

  test('without the embedder: words only, and back by itself', async () => {
    const failing = fakeEmbedder()
    failing.down = true
    const base = await start({ embedder: failing })
    const found = await search('保修期是多久？', {}, { base })
    expect(found.degraded).toEqual(['dense'])
    expect(found.passages[0]!.path).toBe('手册/保修说明.md')
    expect(found.answerable).toBe(true)
    const scored = await post('/sentences', { query: '保修', sentences: plain(['保修期', '其他']) }, { base })
    expect(await scored.json()).toMatchObject({ degraded: ['dense'] })
    failing.down = false
    await expect.poll(async () => (await search('保修期是多久？', {}, { base })).degraded, { timeout: 15_000 }).toEqual([])
  })

  test('an embedder that hangs costs one question its time limit, not every one', async () => {
    const hanging = fakeEmbedder()
    const base = await start({ embedder: hanging })
    hanging.hangs = true
    const begun = performance.now()
    expect((await search('保修期', {}, { base })).degraded).toEqual(['dense'])
    const started = performance.now()
    for (let i = 0; i < 5; i++) expect((await search(`保修期 ${i}`, {}, { base })).degraded).toEqual(['dense'])
    expect(performance.now() - started).toBeLessThan(2 * (started - begun))
  }, 20_000)
})

function plain(texts: string[]): SentencesRequest['sentences'] {
  return texts.map((text) => ({ text, context: '' }))
}

describe('sentences', () => {
  test('the sentence that answers scores best in both legs', async () => {
    const sentences = plain(['本产品的保修期为二十四个月。', '食堂每天十一点半开门。', 'The warranty is void when opened.'])
    const response = await post('/sentences', { query: '保修期是多久？', sentences })
    const { scores, degraded } = (await response.json()) as SentencesResponse
    expect(degraded).toEqual([])
    expect(scores[0]!.lexical).toBeGreaterThan(0.9)
    expect(scores[1]!.lexical).toBeLessThan(0.2)
    expect(scores[2]!.dense).toBeGreaterThan(scores[1]!.dense!)
    expect(Math.max(...scores.map((score) => score.dense!))).toBe(1)
  })

  test('many who ask for the same sentences at once have them embedded once, and slow sentences are no reason to do without meaning', async () => {
    const slow = fakeEmbedder()
    const base = await start({ embedder: slow })
    const goOn = Promise.withResolvers<void>()
    const begun = Promise.withResolvers<void>()
    const embedded: string[] = []
    const { passages } = slow
    slow.query = async (text, signal) => (await passages([text], signal))[0]!
    slow.passages = async (texts, signal) => {
      embedded.push(...texts)
      begun.resolve()
      await goOn.promise
      return passages(texts, signal)
    }
    const ask = (query: string) => post('/sentences', { query, sentences: plain(['保修期为两年', '密码每季更换']) }, { base })
    const asked = ['保修多久', '密码多久换', '保修', '密码'].map(ask)
    await begun.promise
    expect((await search('保修期是多久？', {}, { base })).degraded).toEqual([])
    goOn.resolve()
    for (const response of await Promise.all(asked)) expect(await response.json()).toMatchObject({ degraded: [] })
    expect(embedded.sort()).toEqual(['保修期为两年', '密码每季更换'])
  })

  test('how far a sentence stands out from questions about anything is told as soon as these are read', async () => {
    const sentences = plain(['本产品的保修期为二十四个月。', '食堂每天十一点半开门。'])
    const stands = async () => {
      const response = await post('/sentences', { query: '保修期是多久？', sentences })
      return ((await response.json()) as SentencesResponse).scores.map((score) => score.stands)
    }
    await expect.poll(stands, { timeout: 10_000 }).toEqual([expect.any(Number), expect.any(Number)])
    const [fits, other] = await stands()
    expect(fits!).toBeGreaterThan(other!)
  })
})

describe('a document that was replaced a moment ago', () => {
  const zebra = (parts: string[]) => shelve(corpus, { path: 'animals/zebra.md', title: 'Zebras', parts })
  // nobody tells this one of changes, and it looks by itself once a minute
  const deaf = () => ({ ...corpus, onChange: () => ({ [Symbol.asyncDispose]: async () => undefined }) })

  test('is asked once more, of what it says now; one that is gone says nothing', async () => {
    const id = await zebra(['A zebra has 40 stripes.'])
    const base = await start({ embedder: fakeEmbedder(), corpus: deaf(), env: { FEED_POLL_MS: '60000' } })
    expect((await search('How many stripes has a zebra?', {}, { base })).passages[0]!.text).toBe('A zebra has 40 stripes.')

    await zebra(['A zebra has 80 stripes.'])
    const { passages, answerable } = await search('How many stripes has a zebra?', {}, { base })
    expect([answerable, passages[0]?.text]).toEqual([true, 'A zebra has 80 stripes.'])

    await corpus.removeDocument(id)
    const gone = await search('How many stripes has a zebra?', {}, { base })
    expect(gone.passages.filter(({ documentId }) => documentId === id)).toEqual([])
  })
})

describe('bad input', () => {
  test.each([
    ['no JSON', '{"query":'],
    ['null', 'null'],
    ['a list', '[]'],
    ['no query', {}],
    ['empty', { query: '' }],
    ['too long', { query: 'x'.repeat(4_001) }],
    ['a setting that is none', { query: 'x', tuning: { gate: { factor: -1 } } }],
    ['a number', { query: 7 }],
    ['limit 0', { query: 'x', limit: 0 }],
    ['limit 51', { query: 'x', limit: 51 }],
    ['an unknown field', { query: 'x', nope: 1 }],
    ['an unknown filter', { query: 'x', filters: { nope: 1 } }],
    ['a date that is none', { query: 'x', filters: { modifiedAfter: 'yesterday' } }],
  ])('%s is a 400 problem', async (_, body) => {
    const response = await post('/search', body)
    expect(response.status).toBe(400)
    expect(response.headers.get('content-type')).toContain('application/problem+json')
    expect(await response.json()).toMatchObject({ status: 400, code: expect.any(String), requestId: expect.any(String) })
  })

  test('200,000 words are refused before they are read', async () => {
    const response = await post('/search', { query: 'word '.repeat(200_000) })
    expect(response.status).toBe(413)
    expect(await response.json()).toMatchObject({ code: 'payload_too_large' })
  })

  test.each([
    ['one character', '保'],
    ['emoji only', '👍🏽🎉'],
    ['zero-width only', '\u200b\u200c'],
    ['punctuation', '???！！'],
    ['4,000 characters', '保修期是多久'.repeat(666)],
    ['one long word', 'a'.repeat(4_000)],
    ['regex bait', '(a+)+$ [[[ \\ .*{99999} %s'],
    ['from right to left', 'ما هي مدة الضمان؟ \u202eabc'],
    ['all scripts at once', '保修 warranty гарантия 保証 보증 ضمان ١٢٣ ﬁ ①'],
    ['SQL', "'; DROP TABLE chunk; --"],
    ['lone surrogates', 'x\ud800y\udfff'],
    ['NUL', 'a\u0000b'],
    ['names of Object', '__proto__ constructor toString'],
  ])('%s is a question like any other', async (_, query) => {
    const found = await search(query)
    expect(typeof found.answerable).toBe('boolean')
  })
})
