import { ConfigError } from '@docent/kit/config'
import { expect, test } from 'vitest'
import { checkConfig, gatewayEnv } from './service-env.ts'

const check = (env: Record<string, string>) => checkConfig({ folder: '/documents', host: '127.0.0.1', port: 8080, env })

function problemsOf(env: Record<string, string>): readonly string[] {
  try {
    check(env)
  } catch (error) {
    if (error instanceof ConfigError) return error.problems
    throw error
  }
  return []
}

const namesOf = (env: Record<string, string>) => problemsOf(env).map((problem) => problem.split(':')[0])

test('without any variable, or with empty ones, there is no problem', () => {
  expect(problemsOf({})).toEqual([])
  expect(problemsOf({ LOG_LEVEL: '', CHUNK_SIZE: '', DATABASE_URL: '', DRAIN_S: '' })).toEqual([])
})

test('the problems of all services come at once, each name once and no value', () => {
  const env = {
    LOG_LEVEL: 'hush-value', // read by all five
    RATE_LIMIT_PER_MINUTE: '-771',
    MAX_FILE_MB: 'big-value', // read by two
    CHUNK_SIZE: 'wide-value',
    FEED_POLL_MS: '-772',
    EMBEDDINGS_PROVIDER: 'nobody-value',
    EXTRACT_TIMEOUT_S: '-773',
    DATABASE_URL: 'no-url-value',
  }
  expect(namesOf(env).toSorted()).toEqual(Object.keys(env).toSorted())
  expect(problemsOf(env).join()).not.toMatch(/value|77\d/)
})

test('rules between variables are looked at, too, when others are bad', () => {
  const names = namesOf({
    FEED_POLL_MS: 'x',
    SETTLE_MS: 'x',
    ACCESS: 'x',
    RERANK_API: 'x',
    CHUNK_SIZE: '200',
    CHUNK_OVERLAP: '300',
    OPENROUTER_API_KEY: 'k',
    EMBEDDINGS_PROVIDER: 'openai',
  })
  expect(names).toEqual(expect.arrayContaining(['CHUNK_OVERLAP', 'DEFAULT_MODEL', 'EMBEDDINGS_MODEL', 'EMBEDDINGS_BASE_URL']))
  expect(names).toHaveLength(8)
})

test.each([
  [{ LLM_MODEL: 'qwen3' }, ['LLM_MODEL']],
  [{ LLM_BASE_URL: 'http://127.0.0.1:11434/v1' }, ['LLM_MODEL']],
  [{ LLM_API_KEY: 'k' }, ['LLM_MODEL']],
  [{ OPENROUTER_API_KEY: 'k' }, ['DEFAULT_MODEL']],
  [{ OPENROUTER_API_KEY: 'k', DEFAULT_MODEL: 'm' }, []],
  [{ LLM_MODEL: 'm', LLM_API_KEY: 'k' }, []],
  [{ LLM_MODEL: 'm', DEEPSEEK_API_KEY: 'k' }, []],
  [{ DAILY_MONEY_BUDGET: '5', DEEPSEEK_API_KEY: 'k' }, ['DAILY_MONEY_BUDGET, MONTHLY_MONEY_BUDGET']],
])('%o: the variable that is missing is named', (env, names) => {
  expect(namesOf(env as Record<string, string>)).toEqual(names)
})

test('documents are listed without a key where only this machine asks and nobody signs in; what is said holds', () => {
  const reads = (host: string, env: Record<string, string> = {}) =>
    gatewayEnv({}, { folder: '/documents', host, port: 8080, env, adminKey: 'key' }, {}).PUBLIC_READS
  expect([reads('127.0.0.1'), reads('localhost'), reads('::1')]).toEqual(['true', 'true', 'true'])
  expect([reads('0.0.0.0'), reads('192.168.1.5'), reads('127.0.0.1', { ACCESS: 'keys' })]).toEqual(['false', 'false', 'false'])
  expect(reads('127.0.0.1', { OIDC_ISSUER: 'https://id.example', OIDC_AUDIENCE: 'docent' })).toBe('false')
  expect([reads('0.0.0.0', { PUBLIC_READS: 'true' }), reads('127.0.0.1', { PUBLIC_READS: 'false' })]).toEqual(['true', 'false'])
})
