import { createHmac } from 'node:crypto'
import { once } from 'node:events'
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { until } from '../../lib/testkit/src/until.ts'
import { startTestIngest, type TestIngest } from './start-test-ingest.ts'

// each has an ingest, a database and a folder of its own, and waits most of the time: side by side
type Delivery = { headers: IncomingHttpHeaders; body: string }
const secret = 'a-secret-of-the-webhook-test'

/** Answers the n-th delivery with the n-th status, the last one from then on; 0 never answers. */
async function receiver(scope: AsyncDisposableStack, ...statuses: number[]): Promise<{ url: string; got: Delivery[] }> {
  const got: Delivery[] = []
  const server = createServer(async (req, res) => {
    const parts: Buffer[] = []
    for await (const part of req) parts.push(part as Buffer)
    const status = statuses[Math.min(got.length, statuses.length - 1)]!
    got.push({ headers: req.headers, body: Buffer.concat(parts).toString() })
    if (status) res.writeHead(status, { location: 'http://127.0.0.1:9/elsewhere' }).end()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  scope.defer(async () => {
    server.closeAllConnections()
    await new Promise((done) => server.close(done))
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`, got }
}
async function fail(ingest: TestIngest, path: string) {
  ingest.extractor.failWith(path, 422, 'corrupt')
  writeFileSync(join(ingest.folder, path), 'broken')
  return ingest.reaches(path, 'failed')
}

test.concurrent('a failure is posted to the webhook, signed, and again after an outage of its receiver', async () => {
  await using scope = new AsyncDisposableStack()
  const { url, got } = await receiver(scope, 503, 204)
  const ingest = await startTestIngest(scope, { env: { WEBHOOK_URL: url, WEBHOOK_SECRET: secret } })
  writeFileSync(join(ingest.folder, 'fine.txt'), 'Nothing to tell.')
  const { id } = await fail(ingest, 'broken.txt')
  await until('it was told', () => got.length === 2 || undefined)
  expect(got[0]!.body).toBe(got[1]!.body)
  const { headers, body } = got[1]!
  expect(JSON.parse(body)).toMatchObject({
    type: 'document.failed',
    document: { id, path: 'broken.txt', collection: 'default', state: 'failed', code: 'corrupt', message: expect.any(String) },
  })
  const signature = createHmac('sha256', secret).update(`${headers['x-docent-timestamp']}.${body}`).digest('hex')
  expect(headers['x-docent-signature']).toBe(`sha256=${signature}`)
  await ingest.reaches('fine.txt', 'ready')
})

test.concurrent('a receiver that hangs or refuses holds nobody up, and a redirect is not followed', async () => {
  await using scope = new AsyncDisposableStack()
  const { url, got } = await receiver(scope, 302, 0)
  const ingest = await startTestIngest(scope, { env: { WEBHOOK_URL: url } })
  await fail(ingest, 'one.txt')
  await until('the first was told', () => got.length === 1 || undefined)
  await fail(ingest, 'two.txt')
  await until('the second hangs', () => got.length === 2 || undefined)
  expect(got[1]!.headers['x-docent-signature']).toBeUndefined()
  expect(JSON.parse(got[1]!.body)).toMatchObject({ document: { path: 'two.txt' } })
  writeFileSync(join(ingest.folder, 'fine.txt'), 'Indexed meanwhile.')
  await ingest.reaches('fine.txt', 'ready')
})

test.concurrent('_status.json is kept true, replaced whole, and is no document', async () => {
  await using scope = new AsyncDisposableStack()
  const ingest = await startTestIngest(scope, { env: { STATUS_FILE: 'true' } })
  const file = join(ingest.folder, '_status.json')
  const read = () =>
    JSON.parse(readFileSync(file, 'utf8')) as { state: string; documents: { path: string; state: string; error?: { code: string } }[] }
  const says = (path: string, state: string) =>
    until(`it says that ${path} is ${state}`, () => {
      const entry = readdirSync(ingest.folder).includes('_status.json') ? read().documents.find((one) => one.path === path) : undefined
      return entry?.state === state ? entry : undefined
    })
  writeFileSync(join(ingest.folder, 'fine.txt'), 'A fine text.')
  await says('fine.txt', 'ready')
  await fail(ingest, 'broken.txt')
  expect(await says('broken.txt', 'failed')).toMatchObject({ error: { code: 'corrupt' } })
  writeFileSync(file, 'overwritten by someone')
  await until('it is put right', () => (readFileSync(file, 'utf8').startsWith('{') ? true : undefined))
  expect(read()).toMatchObject({ state: 'running', reasons: [], problems: [] })
  expect((await ingest.documents()).items.map(({ path }) => path)).toEqual(['broken.txt', 'fine.txt'])
  expect(readdirSync(ingest.folder).filter((name) => name.startsWith('.docent'))).toEqual([])

  rmSync(file)
  mkdirSync(join(file, 'in-the-way'), { recursive: true })
  const problems = async () => ((await (await ingest.ask('/ingest')).json()) as { problems: { path: string; message: string }[] }).problems
  await until('it is said that it cannot be', async () => ((await problems()).length > 0 ? true : undefined))
  expect((await problems())[0]).toMatchObject({ path: '_status.json', message: expect.stringContaining('cannot be written') })
  rmSync(file, { recursive: true })
  await says('fine.txt', 'ready')
})

test.concurrent('without the switch nothing is written into the folder', async () => {
  await using scope = new AsyncDisposableStack()
  const ingest = await startTestIngest(scope)
  writeFileSync(join(ingest.folder, 'fine.txt'), 'A fine text.')
  await ingest.reaches('fine.txt', 'ready')
  expect(readdirSync(ingest.folder)).toEqual(['fine.txt'])
})
