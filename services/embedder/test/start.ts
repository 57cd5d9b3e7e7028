import { createLogger } from '@docent/kit/logger'
import { readConfig } from '../src/config.ts'
import { startEmbedder } from '../src/embedder-service.ts'

/** The service as main.ts starts it, on ports of its own. */
export async function startForTest(scope: AsyncDisposableStack, env: Record<string, string> = {}) {
  const config = readConfig({ HOST: '127.0.0.1', PORT: '0', METRICS_PORT: '0', ...env })
  return startEmbedder(config, scope, { log: createLogger('embedder', 'silent') })
}

export async function post(url: string, body: unknown): Promise<{ status: number; type: string; headers: Headers; body: Reply }> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  })
  return {
    status: response.status,
    type: response.headers.get('content-type') ?? '',
    headers: response.headers,
    body: (await response.json()) as Reply,
  }
}

/** The fields that tests look at, of a reply or of a problem. */
export type Reply = {
  data: { index: number; embedding: number[] }[]
  usage: { prompt_tokens: number }
  model: string
  code: string
  detail: string
  errors: { path: string }[]
  results: { index: number }[]
}
