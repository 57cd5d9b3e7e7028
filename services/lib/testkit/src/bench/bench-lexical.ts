import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { SearchResponse } from '@docent/core/passage'
import { encodePrincipal } from '@docent/core/principal'
import { tempDatabase } from '../temp-database.ts'
import { type ChildService, startChild } from './child-service.ts'
import { fillCorpus } from './fill-corpus.ts'
import { makeLibrary } from './make-library.ts'
import { givenGroup, openBenchStores, percentile, retrievalFlags, retrievalMemory } from './open-bench.ts'

const TOKEN = 'bench-internal-token-0123456789-abcdefg'

// as often as to see how long a health check waits, seldom enough not to be the load
const LOOK_MS = 20

/** Until all chunks are held; the door is open meanwhile. */
async function loading(service: ChildService) {
  const health: number[] = []
  const started = performance.now()
  for (;;) {
    const from = performance.now()
    await fetch(`${service.url}/healthz`)
    health.push(performance.now() - from)
    if ((await fetch(`${service.url}/readyz`)).ok) break
    await sleep(LOOK_MS)
    if (performance.now() - started > 120_000) throw new Error('retrieval did not load its index')
  }
  return { ms: performance.now() - started, cpuS: service.cpuS(), slowestMs: Math.max(...health) }
}

/**
 * BENCH 19: the lexical leg over 50,000 chunks in a retrieval process of its own; no Chroma and no embedder. It is started twice: the first
 * reads every text, the second goes on from the first one's snapshot. With BENCH_MEMORY_MB the
 * process lives under that limit of memory, as in its container.
 */
export async function benchLexical(scope: AsyncDisposableStack, chunks = 50_000): Promise<Record<string, number>> {
  const { databaseUrl } = await openBenchStores(scope)
  const { corpusUrl } = await tempDatabase(databaseUrl, scope)
  const library = makeLibrary(chunks, {
    setsFolder: process.env.EVAL_SETS,
    sampleFolder: new URL('../../../../../documents', import.meta.url).pathname,
  })
  const filled = await fillCorpus(corpusUrl, library.chunks)
  const folder = mkdtempSync(join(tmpdir(), 'docent-bench-'))
  scope.defer(() => rmSync(folder, { recursive: true, force: true }))
  const away = 'http://127.0.0.1:9'
  const stores = { DATABASE_URL: corpusUrl, CHROMA_URL: away, EMBEDDER_URL: away }
  const env = { ...stores, ...retrievalMemory, INTERNAL_TOKEN: TOKEN, SNAPSHOT_FILE: join(folder, 'words.snapshot') }
  const { group, limitMb } = givenGroup('retrieval', scope)
  const start = () => startChild('retrieval', env, { readyPath: '/healthz', nodeFlags: retrievalFlags, ...(group ? { group } : {}) })

  const first = await start()
  const load = await loading(first)
  await first[Symbol.asyncDispose]() // which writes the snapshot
  await using again = await start()
  const reload = await loading(again)
  const loaded = again.memory()

  const lexical: number[] = []
  const whole: number[] = []
  for (const query of library.questions) {
    const from = performance.now()
    const response = await fetch(`${again.url}/search`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'x-docent-token': TOKEN,
        'x-docent-principal': encodePrincipal({ id: 'bench', kind: 'anonymous', scopes: ['read'] }),
      },
      body: JSON.stringify({ query, explain: true }),
    })
    whole.push(performance.now() - from)
    const { explain } = SearchResponse.parse(await response.json())
    lexical.push(explain!.timings.lexical ?? Number.NaN)
  }
  const after = again.memory()
  return {
    chunks: filled,
    questions: lexical.length,
    'first load, ms from the open door': load.ms,
    'first load, s of CPU with the start of the process': load.cpuS,
    'first load, slowest health check meanwhile, ms': load.slowestMs,
    'next load, ms from the open door': reload.ms,
    'next load, s of CPU with the start of the process': reload.cpuS,
    'next load, slowest health check meanwhile, ms': reload.slowestMs,
    'lexical leg p50, ms': percentile(lexical, 0.5),
    'lexical leg p95, ms': percentile(lexical, 0.95),
    'search over HTTP without a dense leg p50, ms': percentile(whole, 0.5),
    'resident when loaded, MB': loaded.rssMb,
    'of that anonymous, MB': loaded.anonMb,
    'resident after the questions, MB': after.rssMb,
    'most resident, MB': after.peakMb,
    ...(group ? { [`charged at most under a limit of ${limitMb} MB`]: group.seen().peakMb } : {}),
  }
}
