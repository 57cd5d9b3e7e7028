import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ChunkingCost, ChunkingState } from '@docent/core/chunking'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { type Stack, startStack } from '../src/start-stack.ts'
import { until } from '../src/until.ts'

const scope = new AsyncDisposableStack()
const printers = ['X100', 'X200', 'X300', 'X400', 'X500', 'X600']
let stack: Stack

function manual(name: string, months: number): string {
  const care = Array.from({ length: 12 }, (_, i) => `Step ${i + 1} of cleaning the ${name}: wipe roller number ${i + 1} with a dry cloth.`)
  return `# Warranty\n\nThe warranty of the ${name} lasts ${months} months.\n\n# Care\n\n${care.join(' ')}\n`
}

beforeAll(async () => {
  stack = await startStack(inject('stores'), scope, { env: { RECONCILE_INTERVAL_S: '1' } })
  printers.forEach((name, i) => void writeFileSync(join(stack.folder, `${name}.md`), manual(name, 11 + 2 * i)))
  for (const name of printers) await stack.settled(`${name}.md`, 'ready')
}, 120_000)
afterAll(() => scope.disposeAsync())

type Current = { version: number; settings: { chunking: object | null }; chunking: ChunkingState & { isInForce: boolean } }
const call = async <T>(method: string, path: string, body?: object): Promise<T> => {
  const headers = { authorization: `Bearer ${stack.adminKey}`, 'content-type': 'application/json' }
  const response = await fetch(`${stack.url}/api/v1${path}`, { method, headers, ...(body ? { body: JSON.stringify(body) } : {}) })
  expect([path, response.status]).toEqual([path, 200])
  return (await response.json()) as T
}
const chunks = async () => (await stack.documents()).items.map((document) => document.chunks)

test('the owner weighs, sets and takes back how all documents are cut; questions are answered the whole time', async () => {
  const before = await chunks()
  const { version } = await call<Current>('GET', '/settings')
  const wanted = { chunking: { size: 200, overlap: 0 } }
  const { reindex } = await call<{ reindex: ChunkingCost }>('PATCH', '/settings?dryRun=true', wanted)
  expect(reindex).toMatchObject({ documents: printers.length, chunks: before.reduce((sum, n) => sum + n, 0) })
  expect(reindex.tokens).toBeGreaterThan(0)
  expect(await chunks()).toEqual(before)

  const now = await call<Current>('PATCH', '/settings', wanted)
  expect(now).toMatchObject({ version: version + 1, settings: wanted, chunking: { isInForce: true, size: 200, from: 'settings' } })
  let asked = 0
  await until(
    'all documents are cut so',
    async () => {
      const n = asked++ % printers.length
      const answer = await stack.ask(`How many months does the warranty of the ${printers[n]} last? (${asked})`)
      expect(answer).toMatchObject({ state: 'done', answerable: true })
      expect(answer.text).toContain(`${11 + 2 * n} months`)
      const { chunking } = await call<{ chunking: ChunkingState }>('GET', '/ingest')
      return (chunking.settingsVersion === now.version && chunking.documentsLeft === 0) || undefined
    },
    60_000,
  )
  for (const [i, n] of (await chunks()).entries()) expect(n).toBeGreaterThan(before[i]!)
  const { items } = await call<{ items: { settingsVersion: number }[] }>('GET', '/records?limit=1')
  expect(items[0]!.settingsVersion).toBe(now.version)

  const back = await call<Current>('POST', '/settings/rollback', { version })
  expect(back.version).toBe(now.version + 1)
  await until('all are cut as before', async () => ((await chunks()).every((n, i) => n === before[i]) ? true : undefined), 60_000)
  const first = (await stack.documents()).items[0]!
  const attempts = await call<{ items: object[] }>('GET', `/documents/${first.id}/attempts`)
  expect(attempts.items[0]).toMatchObject({ outcome: 'done', embedded: 0 })
}, 180_000)
