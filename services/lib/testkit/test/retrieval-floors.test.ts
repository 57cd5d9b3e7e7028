import { readConfig } from '@docent/embedder/config'
import { startEmbedder } from '@docent/embedder/embedder-service'
import { createLogger } from '@docent/kit/logger'
import { createHttpEmbedder } from '@docent/models/http-embedder'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import type { Line } from '../src/eval/ask-set.ts'
import { openLibrary } from '../src/eval/open-library.ts'
import { figureOf, sample, smoke, smokeFloors } from '../src/eval/smoke.ts'

const scope = new AsyncDisposableStack()
let lines: Line[]

beforeAll(async () => {
  const stores = inject('stores')
  const config = readConfig({ HOST: '127.0.0.1', PORT: '0', METRICS_PORT: '0', CACHE_URL: stores.cacheUrl })
  const served = await startEmbedder(config, scope, { log: createLogger('embedder', 'error') })
  // the machine of a test run is busy: what is measured is the order, not the time
  const embedder = createHttpEmbedder({ url: served.url, timeoutMs: 60_000 })
  lines = await smoke(await openLibrary(stores, sample, embedder, scope))
}, 240_000)
afterAll(() => scope.disposeAsync())

test.each(Object.entries(smokeFloors))('the right document is among the first five: %s', (set, floor) => {
  const line = lines.find((one) => one.set === set)!
  const missed = line.asked.filter(({ rank, answerable }) => (set.includes('unanswerable') ? answerable : rank === null || rank > 5))
  expect(figureOf(line), `missed: ${missed.map(({ q }) => q).join(' | ')}`).toBeGreaterThanOrEqual(floor)
})

test('all 280 questions were asked, and no step was left out', () => {
  expect(lines.reduce((sum, line) => sum + line.questions, 0)).toBe(280)
  expect(lines.filter((line) => line.degraded > 0).map(({ set, degraded }) => `${set}: ${degraded}`)).toEqual([])
})
