import { createLogger } from '@docent/kit/logger'
import { readConfig } from '../src/config.ts'
import { startGateway } from '../src/gateway-service.ts'

// a gateway in a process of its own, to be killed by a test; it never outlives the one that started it
process.stdin.on('end', () => process.exit(0)).resume()
const given = JSON.parse(process.env.VICTIM ?? '{}') as Record<'databaseUrl' | 'queueUrl' | 'cacheUrl' | 'neighbours' | 'model', string>
const gateway = await startGateway(
  readConfig({
    HOST: '127.0.0.1',
    PORT: '0',
    METRICS_PORT: '0',
    DATABASE_URL: given.databaseUrl,
    QUEUE_URL: given.queueUrl,
    CACHE_URL: given.cacheUrl,
    RETRIEVAL_URL: given.neighbours,
    INGEST_URL: given.neighbours,
    INTERNAL_TOKEN: 'test-internal-token-0123456789-abcdefg',
    ADMIN_KEY: 'test-admin-key-0123456789-abcdefghijkl',
    LLM_BASE_URL: given.model,
    LLM_MODEL: 'mock',
    RATE_LIMIT_PER_MINUTE: '100000',
  }),
  new AsyncDisposableStack(),
  { log: createLogger('victim', 'silent') },
)
console.log(gateway.port)
