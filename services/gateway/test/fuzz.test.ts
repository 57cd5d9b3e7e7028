import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { errorTable } from '@docent/core/errors'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { type OpenApi, sendWild, type WildRequest, wildRequests } from '../../lib/testkit/src/fuzz.ts'
import { type Stack, startStack } from '../../lib/testkit/src/start-stack.ts'
import { until } from '../../lib/testkit/src/until.ts'

const samples = fileURLToPath(new URL('../../../documents', import.meta.url))
const isFull = process.env.FAULTS === 'full'
const total = Number(process.env.FUZZ_REQUESTS ?? (isFull ? 100_000 : 1_500))
const seed = Number(process.env.FUZZ_SEED ?? (isFull ? Date.now() % 2 ** 31 : 1))
const atOnce = 10
const scope = new AsyncDisposableStack()
const ids = new Set<string>()
let stack: Stack

beforeAll(async () => {
  const folder = mkdtempSync(join(tmpdir(), 'docent-fuzz-'))
  scope.defer(() => rmSync(folder, { recursive: true, force: true }))
  cpSync(samples, folder, { recursive: true })
  stack = await startStack(inject('stores'), scope, {
    folder,
    env: { RATE_LIMIT_PER_MINUTE: '10000000', UPLOADS_PER_MINUTE: '10000000' },
  })
  await until('some documents are ready', async () => ((await stack.documents()).counts.ready ?? 0) > 2 || undefined, 90_000)
}, 120_000)
afterAll(() => scope.disposeAsync())

type Answered = { status: number; type: string; text: string }
type Found = { request: WildRequest; answer: Answered }

async function send({ method, path, headers, body }: WildRequest): Promise<Answered> {
  const response = await fetch(stack.url + path, {
    method,
    headers: { authorization: `Bearer ${stack.adminKey}`, ...headers },
    ...(body === undefined ? {} : { body }),
    signal: AbortSignal.timeout(30_000),
  })
  const { status } = response
  const type = response.headers.get('content-type') ?? ''
  if (type.startsWith('text/event-stream')) {
    await response.body?.cancel()
    return { status, type, text: '' }
  }
  const text = await response.text()
  if (response.ok && ids.size < 300) for (const [id] of text.matchAll(/\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/g)) ids.add(id)
  return { status, type, text }
}

/** Node itself refuses a head of more than 16 KB, without words. */
function isWrong({ status, type, text }: Answered): boolean {
  if (status >= 500) return true
  if (status < 400 || (status === 431 && text === '')) return false
  return !type.startsWith('application/problem+json') || !Object.hasOwn(errorTable, (JSON.parse(text) as { code: string }).code)
}

test(`${total} requests made of the API's own description, right, nearly right and wrong: each is answered or refused with a code, none is a 5xx`, async ({
  task,
}) => {
  const api = (await (await fetch(`${stack.url}/openapi.json`)).json()) as OpenApi
  const counts: Record<string, number> = {}
  const found: Found[] = []
  await sendWild(
    wildRequests(api, () => [...ids]),
    { total, atOnce, seed },
    async (request) => {
      const answer = await send(request)
      counts[answer.status] = (counts[answer.status] ?? 0) + 1
      if (isWrong(answer)) found.push({ request, answer })
    },
  )
  Object.assign(task.meta, { fuzz: counts })
  expect(found, `seed ${seed}`).toEqual([])
  // the right ones among them did their work, and the service lives
  expect(counts[200]).toBeGreaterThan(total / 10)
  expect((await fetch(`${stack.url}/healthz`)).status).toBe(200)
}, 1_800_000)
