import { setTimeout as sleep } from 'node:timers/promises'
import { SearchResponse } from '@docent/core/passage'
import { encodePrincipal } from '@docent/core/principal'
import { tempDatabase } from '../temp-database.ts'
import { startChild } from './child-service.ts'
import { fillCorpus } from './fill-corpus.ts'
import { makeLibrary } from './make-library.ts'
import { givenGroup, openBenchStores, percentile, retrievalFlags } from './open-bench.ts'

const TOKEN = 'bench-internal-token-0123456789-abcdefg'

// as often as to see how long a health check waits, seldom enough not to be the load
const LOOK_MS = 20

/**
 * BENCH 19: the lexical leg over 50,000 chunks in a retrieval process of its own; no Chroma and no embedder. With BENCH_MEMORY_MB the
 * process lives under that limit of memory, as in its container.
 */
export async function benchLexical(scope: AsyncDisposableStack, chunks = 50_000): Promise<Record<string, number>> {
  const stores = await openBenchStores(scope)
  const { corpusUrl } = await tempDatabase(stores.databaseUrl, scope)
  const library = makeLibrary(chunks, {
    setsFolder: process.env.EVAL_SETS,
    sampleFolder: new URL('../../../../../documents', import.meta.url).pathname,
  })
  const filled = await fillCorpus(corpusUrl, library.chunks)
  const env = { DATABASE_URL: corpusUrl, CHROMA_URL: 'http://127.0.0.1:9', EMBEDDER_URL: 'http://127.0.0.1:9', INTERNAL_TOKEN: TOKEN }

  const { group, limitMb } = givenGroup('retrieval', scope)
  await using empty = await startChild('retrieval', env, { readyPath: '/healthz', nodeFlags: retrievalFlags, ...(group ? { group } : {}) })
  const health: number[] = []
  let loadedAfterMs = Number.NaN
  const started = performance.now()
  while (Number.isNaN(loadedAfterMs)) {
    const from = performance.now()
    await fetch(`${empty.url}/healthz`)
    health.push(performance.now() - from)
    if ((await fetch(`${empty.url}/readyz`)).ok) loadedAfterMs = performance.now() - started
    else await sleep(LOOK_MS)
    if (performance.now() - started > 120_000) throw new Error('retrieval did not load its index')
  }
  const loadCpuS = empty.cpuS()
  const loaded = empty.memory()

  const lexical: number[] = []
  const whole: number[] = []
  for (const query of library.questions) {
    const from = performance.now()
    const response = await fetch(`${empty.url}/search`, {
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
  const after = empty.memory()
  return {
    chunks: filled,
    questions: lexical.length,
    'load, ms from the open door': loadedAfterMs,
    'load, s of CPU with the start of the process': loadCpuS,
    'slowest health check while loading, ms': Math.max(...health),
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
