import { loadavg } from 'node:os'
import { freePort } from '@docent/kit/free-port'
import { tempDatabase } from '../../temp-database.ts'
import { type ChildService, startChild, startProgram } from '../child-service.ts'
import { openBenchStores } from '../open-bench.ts'

export type Relay = Awaited<ReturnType<typeof openRelay>>

/** Private stores, a mock of model and retrieval in a process of its own, and gateways and rivals before it. */
export async function openRelay(scope: AsyncDisposableStack) {
  const stores = await openBenchStores(scope)
  const { chatUrl, ownerUrl } = await tempDatabase(stores.databaseUrl, scope)
  const mock = scope.use(await startProgram(new URL('mock-main.ts', import.meta.url), {}))
  return {
    ownerUrl,
    mock,
    gatewayFor: async (model: string): Promise<ChildService & { metricsUrl: string }> => {
      const metricsPort = await freePort()
      const service = await startChild(
        'gateway',
        {
          MALLOC_ARENA_MAX: '1',
          DATABASE_URL: chatUrl,
          QUEUE_URL: stores.queueUrl,
          CACHE_URL: stores.cacheUrl,
          RETRIEVAL_URL: mock.url,
          INGEST_URL: mock.url,
          INTERNAL_TOKEN: 'bench-internal-token-0123456789-abcdefg',
          ADMIN_KEY: 'bench-admin-key-0123456789-abcdefghijkl',
          RATE_LIMIT_PER_MINUTE: '10000000',
          DAILY_TOKEN_BUDGET: '2000000000',
          MAX_RUNNING_ANSWERS: '2000',
          METRICS_PORT: String(metricsPort),
          LLM_BASE_URL: `${mock.url}/v1`,
          LLM_MODEL: model,
          TRUST_PROXY: '1',
        },
        { nodeFlags: ['--max-semi-space-size=8', '--no-parallel-scavenge'] },
      ) // as compose starts it
      return { ...scope.use(service), metricsUrl: `http://127.0.0.1:${metricsPort}/metrics` }
    },
    rivalFor: async (kind: 'pipe' | 'sdk', model: string): Promise<ChildService> =>
      scope.use(await startProgram(new URL('rival-main.ts', import.meta.url), { RIVAL: kind, UPSTREAM: mock.url, MODEL: model })),
  }
}

type Part = (relay: Relay, scope: AsyncDisposableStack) => Promise<Record<string, number>>

/** The parts of a bench one after the other, those alone that BENCH_PARTS names; all their figures, and the load before and after. */
export async function runParts(parts: Record<string, Part>, scope: AsyncDisposableStack): Promise<Record<string, number>> {
  const relay = await openRelay(scope)
  const wanted = process.env.BENCH_PARTS?.split(',') ?? Object.keys(parts)
  const all: Record<string, number> = { 'load average at the begin': loadavg()[0]! }
  for (const [name, part] of Object.entries(parts)) {
    if (!wanted.includes(name)) continue
    console.error(name)
    Object.assign(all, await part(relay, scope))
  }
  return { ...all, 'load average at the end': loadavg()[0]! }
}
