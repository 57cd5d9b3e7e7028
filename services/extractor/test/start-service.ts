import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { type ExtractorConfig, startExtractor } from '../src/extractor-service.ts'
import type { Extracted, Progress } from '../src/types.ts'

export type Answer = { status: number; body: Extracted & { code?: string; detail?: string }; said: Progress[] }

export type TestService = AsyncDisposable & {
  root: string
  put(path: string, content: string | Uint8Array): string
  extract(path: string, more?: object): Promise<Answer>
  get(path: string): Promise<unknown>
  /** Puts and extracts in one step. */
  read(path: string, content: string | Uint8Array): Promise<Answer>
}

/** The real service over a real socket, on a folder of its own. */
export async function startService(config: Partial<ExtractorConfig> = {}): Promise<TestService> {
  const home = mkdtempSync(join(tmpdir(), 'extractor-'))
  const root = join(home, 'documents')
  const socket = join(home, 's.sock')
  mkdirSync(root)
  const scope = new AsyncDisposableStack()
  scope.defer(() => rmSync(home, { recursive: true, force: true }))
  await startExtractor({ root, socket, log: 'error', ...config }, scope)

  const service: TestService = {
    root,
    put(path, content) {
      mkdirSync(dirname(join(root, path)), { recursive: true })
      writeFileSync(join(root, path), content)
      return path
    },
    extract: (path, more = {}) => call(socket, 'POST', '/extract', JSON.stringify({ path, ...more })) as Promise<Answer>,
    get: async (path) => (await call(socket, 'GET', path)).body,
    read: (path, content) => service.extract(service.put(path, content)),
    [Symbol.asyncDispose]: () => scope.disposeAsync(),
  }
  return service
}

function call(socketPath: string, method: string, path: string, body?: string): Promise<{ status: number; body: unknown; said: object[] }> {
  return new Promise((resolve, reject) => {
    const req = request({ socketPath, path, method }, (res) => {
      let text = ''
      res.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
      res.on('end', () => {
        const lines = res.headers['content-type'] === 'application/x-ndjson' ? text.split('\n') : [text]
        const said = lines.slice(0, -1).map((line) => JSON.parse(line) as { status?: number })
        resolve({ status: said.at(-1)?.status ?? res.statusCode ?? 0, body: JSON.parse(lines.at(-1)!), said: said.slice(0, -1) })
      })
    })
    req.on('error', reject).end(body)
  })
}
