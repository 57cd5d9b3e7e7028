import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { AnswerEvent } from '@docent/core/answer-event'
import type { ChunkingOrder } from '@docent/core/chunking'
import type { Passage, SearchResponse, SentencesRequest } from '@docent/core/passage'
import { decodePrincipal, readingGroups } from '@docent/core/principal'
import { createLogger } from '@docent/kit/logger'
import { openPostgres, type Pool } from '@docent/kit/postgres'
import { createParser } from 'eventsource-parser'
import { inject } from 'vitest'
import { tempDatabase } from '../../lib/testkit/src/temp-database.ts'
import type { Stores } from '../../solo/src/stores.ts'
import { type Config, readConfig } from '../src/config.ts'
import { type Gateway, startGateway } from '../src/gateway-service.ts'

export const adminKey = 'test-admin-key-0123456789-abcdefghijkl'
const internalToken = 'test-internal-token-0123456789-abcdefg'

export const warrantyText =
  '# 保修\n\n本产品的保修期为 24 个月，自购买之日起计算。人为损坏不在保修范围内。\n\n| 型号 | 保修期 |\n|---|---|\n| X100 | 12 个月 |\n| X200 | 36 个月 |'

export function passage(text: string, extra: Partial<Passage> = {}): Passage {
  return {
    documentId: '11111111-1111-4111-8111-111111111111',
    path: 'manual.md',
    title: 'Manual',
    mediaType: 'text/markdown',
    start: 0,
    end: text.length,
    snippet: text.slice(0, 80),
    score: 0.9,
    chunkId: 'c1',
    version: 1,
    text,
    parent: { start: 0, end: text.length, text },
    scores: { fused: 0.9 },
    ...extra,
  }
}

/** Retrieval and ingest as the gateway sees them; tests change what they say. */
export type FakeNeighbours = AsyncDisposable & {
  url: string
  passages: Passage[]
  answerable: boolean
  /** of what is not answerable; the threshold is 0.5 */
  gateScore: number
  degraded: string[]
  /** what a file that is to be read holds, a chunk each */
  file: string[]
  down: boolean
  /** what the gateway told of chunking, oldest first; its requests are not among those `seen` */
  chunkings: ChunkingOrder[]
  /** answers in its place */
  tellChunking: ((order: ChunkingOrder) => object) | undefined
  /** documents for groups only: hidden from who is of none and is not the admin */
  restricted: Set<string>
  /** what became of each cited document */
  sourceState: 'current' | 'changed' | 'gone'
  searches: { query: string; previous?: string; tuning?: object; rerank?: boolean; generation?: number }[]
  /** what this search finds instead; undefined: as all others */
  find: ((search: FakeNeighbours['searches'][number]) => Promise<Passage[] | undefined>) | undefined
  /** requests being read now */
  open(): number
  seen: { method: string; url: string; headers: Record<string, string | string[] | undefined>; body: string }[]
}

export async function fakeNeighbours(): Promise<FakeNeighbours> {
  let reading = 0
  const server = createServer(async (req, res) => {
    let body = ''
    reading++
    try {
      for await (const part of req) body += String(part)
    } catch {
      // the caller dropped its request
      return
    } finally {
      reading--
    }
    if (req.url !== '/chunking') fake.seen.push({ method: req.method ?? '', url: req.url ?? '', headers: req.headers, body })
    const json = (status: number, value: unknown) =>
      res.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value))
    if (fake.down) return void req.socket.destroy()
    if (req.url === '/readyz') return void json(200, { status: 'ok' })
    if (req.headers['x-docent-token'] !== internalToken) return void json(401, { code: 'unauthorized', detail: 'no token' })
    if (req.url === '/chunking') {
      const order = JSON.parse(body) as ChunkingOrder
      fake.chunkings.push(order)
      const cut = { ...(order.chunking ?? { size: 500, overlap: 50 }), from: order.chunking ? 'settings' : 'configuration' }
      return void json(200, { ...cut, settingsVersion: order.settingsVersion, documentsLeft: 0, ...fake.tellChunking?.(order) })
    }
    if (req.url === '/chunking/estimate') return void json(200, { documents: 12, chunks: 340, tokens: 41_000, minutes: 0.5, money: null })
    if (req.url === '/search') {
      const search = JSON.parse(body) as FakeNeighbours['searches'][number]
      fake.searches.push(search)
      const found: SearchResponse = {
        passages: (await fake.find?.(search)) ?? fake.passages,
        answerable: fake.answerable,
        gate: { answerable: fake.answerable, score: fake.answerable ? 1 : fake.gateScore, threshold: 0.5, language: 'zh', reason: 'test' },
        degraded: fake.degraded,
        tookMs: 1,
        indexed: fake.passages.length,
        configVersion: 'test',
      }
      return void json(200, found)
    }
    if (req.url === '/sentences') {
      const { query, sentences } = JSON.parse(body) as SentencesRequest
      const wanted = new Set(query)
      return void json(200, {
        scores: sentences.map(({ text }) => ({ lexical: [...new Set(text)].filter((char) => wanted.has(char)).length / wanted.size })),
        degraded: [],
      })
    }
    if (req.url?.startsWith('/read')) {
      const chunks = fake.file.map((text, ordinal) => {
        const span = { start: ordinal * 1_000, end: ordinal * 1_000 + text.length }
        return { ordinal, text, header: '', locator: { ...span, heading: [] }, parent: { ...span, text } }
      })
      return void json(200, { name: 'contract.txt', mediaType: 'text/plain', characters: 1_000, chunks })
    }
    if (req.url?.startsWith('/documents/by-version/')) {
      const isRestricted = fake.restricted.has(req.url.split('/')[3]!)
      const reader = decodePrincipal(String(req.headers['x-docent-principal']))
      return void json(200, { state: isRestricted && readingGroups(reader)?.length === 0 ? 'hidden' : fake.sourceState })
    }
    if (req.url?.startsWith('/documents?limit=20&path=')) {
      const prefix = new URL(req.url, fake.url).searchParams.get('path') ?? ''
      return void json(200, {
        items: fake.passages.filter(({ path }) => path.startsWith(prefix)).map(({ path }) => ({ path })),
        counts: {},
      })
    }
    if (req.url?.endsWith('/file')) return void res.writeHead(200, { 'content-type': 'text/html', 'x-inner': 'secret' }).end('<b>file</b>')
    if (req.url === '/stats') return void json(200, { documents: { ready: 1 }, chunks: 3, lastScanAt: null })
    json(200, { items: [], counts: {}, echoed: body })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const fake: FakeNeighbours = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    passages: [passage(warrantyText)],
    answerable: true,
    gateScore: 0.1,
    degraded: [],
    file: [],
    down: false,
    chunkings: [],
    tellChunking: undefined,
    restricted: new Set(),
    sourceState: 'current',
    searches: [],
    find: undefined,
    open: () => reading,
    seen: [],
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((done) => server.close(done))
    },
  }
  return fake
}

export type Place = { databaseUrl: string; ownerUrl: string; queueUrl: string; cacheUrl: string; neighbours: FakeNeighbours }

/** A database of its own on the run's stores, or on those given, with neighbours of its own. */
export async function openPlace(scope: AsyncDisposableStack, given: Partial<Stores> = {}): Promise<Place> {
  const stores = { ...inject('stores'), ...given }
  const { chatUrl, ownerUrl } = await tempDatabase(stores.databaseUrl, scope)
  return {
    databaseUrl: chatUrl,
    ownerUrl,
    queueUrl: stores.queueUrl,
    cacheUrl: stores.cacheUrl,
    neighbours: scope.use(await fakeNeighbours()),
  }
}

/** Whether an event tells a degraded step; that an answer names no source is another warning. */
export function isStep(type: string, data: unknown): data is { step: string; message: string } {
  return type === 'warning' && (data as { code?: string }).code === 'degraded'
}

/** A pool for looks into the database; its idle connections may outlive `end` and see the database dropped. */
export function openPool(url: string): Pool {
  return openPostgres(url, createLogger('test', 'silent'))
}

export function configOf(place: Place, env: Record<string, string> = {}): Config {
  return readConfig(envOf(place, env))
}

export function envOf(place: Place, env: Record<string, string> = {}): Record<string, string> {
  return {
    HOST: '127.0.0.1',
    PORT: '0',
    METRICS_PORT: '0',
    DATABASE_URL: place.databaseUrl,
    QUEUE_URL: place.queueUrl,
    CACHE_URL: place.cacheUrl,
    RETRIEVAL_URL: place.neighbours.url,
    INGEST_URL: place.neighbours.url,
    INTERNAL_TOKEN: internalToken,
    ADMIN_KEY: adminKey,
    RATE_LIMIT_PER_MINUTE: '100000',
    ...env,
  }
}

export function startAt(
  place: Place,
  scope: AsyncDisposableStack,
  env: Record<string, string> = {},
  stream: Partial<Config['stream']> = {},
  breaker: Partial<Config['models']['breaker']> = {},
  log = createLogger('gateway', process.env.TEST_LOG ?? 'silent'),
): Promise<Gateway> {
  const config = configOf(place, env)
  const models = { ...config.models, breaker: { ...config.models.breaker, ...breaker } }
  return startGateway({ ...config, models, stream: { ...config.stream, ...stream } }, scope, { log })
}

export function post(url: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(url, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(body) })
}

export async function changeSettings({ url }: Pick<Gateway, 'url'>, settings: Record<string, unknown>): Promise<void> {
  const headers = { authorization: `Bearer ${adminKey}`, 'content-type': 'application/json' }
  const response = await fetch(`${url}/api/v1/settings`, { method: 'PATCH', headers, body: JSON.stringify(settings) })
  if (response.status !== 200) throw new Error(`settings: ${response.status} ${await response.text()}`)
}

export type Received = AnswerEvent & { id: number }

/** Reads a response's events, each as it comes. */
export async function* eventsOf(response: Response): AsyncGenerator<Received> {
  const ready: Received[] = []
  const parser = createParser({
    onEvent: (event) => ready.push({ id: Number(event.id), type: event.event, data: JSON.parse(event.data) } as Received),
  })
  const decoder = new TextDecoder()
  for await (const bytes of response.body!) {
    parser.feed(decoder.decode(bytes as Uint8Array, { stream: true }))
    yield* ready.splice(0)
  }
}

export async function allEvents(response: Response): Promise<Received[]> {
  return Array.fromAsync(eventsOf(response))
}

export function textOf(events: readonly AnswerEvent[]): string {
  return events.map((event) => (event.type === 'delta' ? event.data.text : '')).join('')
}

/** Does `work` for all of them, `atOnce` at a time. */
export async function eachOf<T>(items: readonly T[], atOnce: number, work: (item: T) => Promise<void>): Promise<void> {
  const left = items.values()
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      for (const item of left) await work(item)
    }),
  )
}
