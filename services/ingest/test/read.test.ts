import { readdirSync } from 'node:fs'
import { request } from 'node:http'
import { internalHeaders } from '@docent/kit/internal'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { until } from '../../lib/testkit/src/until.ts'
import { admin, startTestIngest, type TestIngest, token } from './start-test-ingest.ts'

const scope = new AsyncDisposableStack()
let ingest: TestIngest
beforeAll(async () => {
  ingest = await startTestIngest(scope, { env: { MAX_FILE_MB: '1' } })
})
afterAll(() => scope.disposeAsync())

function read(files: Record<string, string>, query = ''): Promise<Response> {
  const form = new FormData()
  for (const [name, text] of Object.entries(files)) form.append('file', new Blob([text]), name)
  return ingest.ask(`/read${query}`, { method: 'POST', body: form })
}
const leftovers = () => readdirSync(ingest.folder).filter((name) => name.startsWith('.docent-upload'))

test('a file comes back in chunks; nothing of it is left in the folder or in the ledger', async () => {
  const response = await read({ '../我的.txt': '# Warranty\n\nThe X100 has 24 months.' })
  expect(await response.json()).toMatchObject({
    name: '我的.txt',
    mediaType: 'text/plain',
    chunks: [{ ordinal: 0, text: expect.stringContaining('24 months') as string, parent: { start: 0 } }],
  })
  expect(leftovers()).toEqual([])
  await ingest.ask('/ingest/scan', { method: 'POST' })
  expect(await ingest.documents()).toMatchObject({ items: [], counts: {} })
  expect(await ingest.chunks()).toEqual([])
})

test('what is too long, too large, unread, empty or two files is refused and leaves nothing', async () => {
  const refusals: [Record<string, string>, string, number, string][] = [
    [{ 'a.txt': 'A sentence that is of some length. '.repeat(200) }, '?maxChunks=2', 413, 'too_large'],
    [{ 'a.txt': 'x'.repeat(200) }, '?maxBytes=100', 413, 'payload_too_large'],
    [{ 'a.exe': 'x' }, '', 422, 'unsupported'],
    [{ 'a.txt': '   ' }, '', 422, 'empty'],
    [{ 'a.txt': 'x', 'b.txt': 'y' }, '', 400, 'validation'],
    [{}, '', 400, 'validation'],
  ]
  for (const [files, query, status, code] of refusals) {
    const response = await read(files, query)
    expect(await response.json()).toMatchObject({ status, code })
  }
  expect(leftovers()).toEqual([])
})

test('the limit that a file is over is named', async () => {
  const detail = async (query: string) =>
    ((await (await read({ 'a.txt': 'x'.repeat(1_100_000) }, query)).json()) as { detail: string }).detail
  expect(await detail('?maxBytes=524288')).toBe('A file may have 0.5 MB; split it, or raise ATTACHMENT_MAX_MB.')
  expect(await detail('?maxBytes=2000000')).toBe('A file may have 1 MB; split it, or raise MAX_FILE_MB.')
})

test('two are read at once, more are told to come back', async () => {
  const asked = () => [...ingest.extractor.asked.values()].reduce((sum, times) => sum + times, 0)
  const before = asked()
  const release = ingest.extractor.hold()
  const both = [read({ 'a.txt': 'one' }), read({ 'b.txt': 'two' })]
  await until('both are being read', () => asked() === before + 2)
  const third = await read({ 'c.txt': 'three' })
  expect(third.status).toBe(503)
  expect(third.headers.get('retry-after')).toBe('5')
  release()
  expect((await Promise.all(both)).map(({ status }) => status)).toEqual([200, 200])
  expect(leftovers()).toEqual([])
  expect((await read({ 'c.txt': 'three' })).status).toBe(200)
})

test('files that come slowly keep no other from being read', async () => {
  const boundary = 'slow'
  const headers = { ...internalHeaders(token, admin), 'content-type': `multipart/form-data; boundary=${boundary}` }
  const slow = Array.from({ length: 3 }, () => {
    const sent = request(`${ingest.url}/read`, { method: 'POST', headers })
    sent.on('error', () => undefined)
    sent.write(`--${boundary}\r\ncontent-disposition: form-data; name="file"; filename="a.txt"\r\n\r\nThe beginning`)
    return sent
  })
  await until('they are coming', () => leftovers().length === 3)
  expect((await read({ 'c.txt': 'three' })).status).toBe(200)
  for (const sent of slow) sent.destroy()
  await until('they are tidied up', () => leftovers().length === 0)
})
