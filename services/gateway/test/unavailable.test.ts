import { errorTable } from '@docent/core/errors'
import { expect, test } from 'vitest'
import { openProxy } from '../../lib/testkit/src/tcp-proxy.ts'
import { missing, owner } from './bad-requests.ts'
import { eachOf, openPlace, post, startAt } from './harness.ts'

type Body = { content: { 'application/json'?: { example?: unknown } } }
type Document = { paths: Record<string, Record<string, { requestBody?: Body }>> }

test('C19 with every store and every neighbour gone no address answers 500: what fails is a problem that says nothing of the inside', {
  timeout: 180_000,
}, async () => {
  await using scope = new AsyncDisposableStack()
  const place = await openPlace(scope)
  const behind = async (address: string) => {
    const url = new URL(address)
    const proxy = scope.use(await openProxy(Number(url.port), url.hostname))
    url.port = String(proxy.port)
    return { proxy, url: url.href }
  }
  const [database, queue, cache] = [await behind(place.databaseUrl), await behind(place.queueUrl), await behind(place.cacheUrl)]
  const gateway = await startAt({ ...place, databaseUrl: database.url, queueUrl: queue.url, cacheUrl: cache.url }, scope, {
    ATTACHMENT_DAYS: '1',
    MEMORY_ENABLED: 'true',
  })
  const { paths } = (await (await fetch(`${gateway.url}/openapi.json`)).json()) as Document
  place.neighbours.down = true
  for (const { proxy } of [database, queue, cache]) {
    proxy.refuse = true
    proxy.cut()
  }

  const refused: string[] = []
  const wrong: string[] = []
  await eachOf(gateway.routes, 8, async (route) => {
    const [method, path] = route.split(' ') as [string, string]
    const { requestBody } = paths[path.replace(/:(\w+)/g, '{$1}')]?.[method.toLowerCase()] ?? {}
    const example = requestBody?.content['application/json']?.example
    const stop = new AbortController()
    const response = await fetch(gateway.url + path.replace(/:\w+/g, missing), {
      method,
      headers: { ...owner, 'content-type': 'application/json', 'x-client-id': 'c19' },
      signal: stop.signal,
      ...(method === 'GET' ? {} : { body: JSON.stringify(example ?? {}) }),
    })
    if (response.headers.get('content-type')?.includes('event-stream')) return stop.abort()
    const text = await response.text()
    if (response.status < 500) return
    refused.push(route)
    if (/\/(readyz|health)$/.test(path)) return
    const problem = JSON.parse(text) as { code: string; status: number; requestId: string; detail: string }
    const isProblem =
      response.headers.get('content-type')?.includes('application/problem+json') &&
      [503, 504].includes(response.status) &&
      Object.hasOwn(errorTable, problem.code) &&
      problem.status === response.status &&
      problem.requestId === response.headers.get('x-request-id') &&
      (response.status !== 503 || Number(response.headers.get('retry-after')) > 0)
    const tells = /\.ts:\d|\bat \w+ \(|node_modules|SELECT |docent_chat|ECONN|127\.0\.0\.1:\d|postgres:/.exec(text)
    if (!isProblem || tells) wrong.push(`${route}: ${response.status} ${text.slice(0, 200)}`)
  })
  expect(wrong).toEqual([])
  expect(refused.length).toBeGreaterThan(60)
  expect((await fetch(`${gateway.url}/healthz`)).status).toBe(200)
})

test('C19 a neighbour that is gone is not named by its address', async () => {
  await using scope = new AsyncDisposableStack()
  const place = await openPlace(scope)
  const gateway = await startAt(place, scope)
  place.neighbours.down = true
  for (const path of ['/api/v1/ask', '/api/v1/search', '/api/ask', '/chat', '/api/v1/documents/retry', '/api/v1/generations']) {
    const body = { '/chat': { message: '保修期' }, '/api/v1/search': { query: '保修期' }, '/api/v1/generations': {} }[path] ?? {
      question: '保修期',
    }
    const response = await post(gateway.url + path, body, owner)
    const text = await response.text()
    expect([path, response.status, /127\.0\.0\.1|ECONN|socket|fetch failed/.exec(text)?.[0]]).toEqual([path, expect.any(Number), undefined])
  }
  expect((await post(`${gateway.url}/api/v1/ask`, { question: '保修期' })).status).toBe(503)
})
