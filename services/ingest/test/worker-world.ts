import { type ChildProcess, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Corpus } from '@docent/corpus/corpus'
import { createCorpus } from '@docent/corpus/create-corpus'
import { freePort } from '@docent/kit/free-port'
import { createLogger } from '@docent/kit/logger'
import { openPostgres } from '@docent/kit/postgres'
import { createFakeEmbedder, type FakeEmbedder } from '@docent/models/fake/fake-embedder'
import type { Pool } from 'pg'
import { inject } from 'vitest'
import { tempDatabase } from '../../lib/testkit/src/temp-database.ts'
import { until } from '../../lib/testkit/src/until.ts'
import { readConfig } from '../src/config.ts'
import { startIngest } from '../src/ingest-service.ts'
import { type Verdict, verify } from '../src/verify/verify.ts'
import { startEmbedderServer } from './embedder-server.ts'
import { type FakeExtractor, startFakeExtractor } from './fake-extractor.ts'

const main = fileURLToPath(new URL('../src/main.ts', import.meta.url))
// the kernel ends it with us, even when a test run is killed
const isGuarded = existsSync('/usr/bin/setpriv')
const [command, args] = isGuarded ? ['/usr/bin/setpriv', ['--pdeathsig', 'KILL', process.execPath, main]] : [process.execPath, [main]]
const STARTS_MS = 120_000 // no promise: a busy machine takes its time to start a process
const MAX_FILE_BYTES = 50 * 1024 * 1024

export type Worker = {
  /** resolves when it answers /healthz; rejects when it ended before */
  up(): Promise<void>
  /** awaits its end and tells how it came */
  ended(deadlineMs?: number): Promise<{ code: number | null; signal: NodeJS.Signals | null }>
  send(signal: NodeJS.Signals): void
  /** awaits the moment at which a fault point froze it */
  frozen(): Promise<void>
  /** what it wrote to stderr and stdout */
  output(): string
}

export type World = {
  folder: string
  corpus: Corpus
  pool: Pool
  embedder: FakeEmbedder
  extractor: FakeExtractor
  put(path: string, text: string): void
  rename(from: string, to: string): void
  remove(path: string): void
  /** the files that lie in the folder */
  paths(): string[]
  /** indexes what lies in the folder by a worker in this process, which then stops */
  indexHere(): Promise<void>
  /** an ingest process of its own; killed with the scope */
  worker(env?: Record<string, string>): Promise<Worker>
  /** paths by state */
  states(): Promise<Record<string, string>>
  /** awaits every file put, ready and of its last content */
  allReady(deadlineMs?: number): Promise<void>
  verify(): Promise<Verdict>
  /** awaits a verdict without findings; fails with the last ones */
  clean(deadlineMs?: number): Promise<Verdict>
}

/** Real stores, a folder, an extractor and an embedder for ingest processes that can be hit. */
export async function openWorld(
  scope: AsyncDisposableStack,
  given: { queueUrl?: string; chromaUrl?: string; env?: Record<string, string>; candidate?: FakeEmbedder } = {},
): Promise<World> {
  const stores = { ...inject('stores'), ...given }
  const folder = scope.adopt(mkdtempSync(join(tmpdir(), 'world-')), (path) => rmSync(path, { recursive: true, force: true }))
  const sockets = scope.adopt(mkdtempSync(join(tmpdir(), 'sock-')), (path) => rmSync(path, { recursive: true, force: true }))
  const databaseUrl = (await tempDatabase(stores.databaseUrl, scope)).corpusUrl
  const log = createLogger('test', process.env.TEST_LOG ?? 'silent')
  const pool = scope.adopt(openPostgres(databaseUrl, log, { max: 2 }), (open) => open.end())
  const corpus = createCorpus(pool, { url: stores.chromaUrl }, log)
  const embedder = createFakeEmbedder()
  const embedderServer = scope.use(await startEmbedderServer(embedder, ...(given.candidate ? [given.candidate] : [])))
  const extractor = scope.use(await startFakeExtractor(folder, join(sockets, 'extractor.sock')))
  const check = () => verify({ corpus, folder, maxFileBytes: MAX_FILE_BYTES })
  const states = async () => Object.fromEntries((await corpus.listKnown()).map(({ path, state }) => [path, state]))
  const files = new Map<string, string>()
  const settings = {
    HOST: '127.0.0.1',
    METRICS_PORT: '0',
    LOG_LEVEL: 'warn',
    DATABASE_URL: databaseUrl,
    QUEUE_URL: stores.queueUrl,
    CHROMA_URL: stores.chromaUrl,
    EMBEDDER_URL: embedderServer.url,
    INTERNAL_TOKEN: 'a-token-of-the-test-0123456789-abcdefghij',
    DOCENT_FOLDER: folder,
    EXTRACTOR_SOCKET: extractor.socket,
    CHUNK_SIZE: '100',
    CHUNK_OVERLAP: '0',
    SETTLE_MS: '200',
    SCAN_INTERVAL_S: '0.3',
    RECONCILE_INTERVAL_S: '1',
    ...given.env,
  }

  const allReady = async (deadlineMs = 15_000) => {
    let left: string[] = []
    await until(
      `${files.size} files are ready with their last content`,
      async () => {
        const now = new Map((await corpus.listKnown()).map((document) => [document.path, document]))
        left = [...files].flatMap(([path, hash]) => {
          const found = now.get(path)
          if (found?.state === 'ready' && found.contentHash === hash) return []
          return [
            `${path}: ${found ? `${found.state} ${found.errorCode ?? ''}${found.contentHash === hash ? '' : ' of other content'}` : 'unknown'}`,
          ]
        })
        return left.length === 0 || undefined
      },
      deadlineMs,
    ).catch((error: Error) => {
      throw new Error(`${error.message}; ${left.length} are not: ${left.slice(0, 10).join(', ')}`)
    })
  }

  return {
    folder,
    corpus,
    pool,
    embedder,
    extractor,
    put(path, text) {
      files.set(path, createHash('sha256').update(text).digest('hex'))
      writeFileSync(join(folder, path), text)
    },
    rename(from, to) {
      files.set(to, files.get(from)!)
      files.delete(from)
      renameSync(join(folder, from), join(folder, to))
    },
    remove(path) {
      files.delete(path)
      rmSync(join(folder, path))
    },
    paths: () => [...files.keys()],
    async indexHere() {
      await using here = new AsyncDisposableStack()
      await startIngest(readConfig({ ...settings, PORT: '0' }), here, { log, embedder })
      await allReady(30_000)
    },
    async worker(env = {}) {
      const port = await freePort()
      const child = spawn(command, args, {
        stdio: ['ignore', 'pipe', 'pipe'],
        env: {
          PATH: process.env.PATH,
          NODE_COMPILE_CACHE: join(tmpdir(), 'docent-test-compile-cache'), // a worker starts in half the time
          ...settings,
          PORT: String(port),
          ...env,
        },
      })
      scope.defer(() => endOf(child))
      return follow(child, port)
    },
    states,
    allReady,
    verify: check,
    async clean(deadlineMs = 20_000) {
      let last: Verdict | undefined
      await until(
        'nothing is found',
        async () => {
          last = await check()
          return last.findings.length === 0 || undefined
        },
        deadlineMs,
      ).catch((error: Error) => {
        throw new Error(`${error.message}: ${JSON.stringify(last?.findings.slice(0, 10))}`)
      })
      return last!
    },
  }
}

function follow(child: ChildProcess, port: number): Worker {
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (part: Buffer) => (output += part.toString()))
  const isOver = () => child.exitCode !== null || child.signalCode !== null
  return {
    ended: async (deadlineMs) => {
      await until('the worker has ended', () => isOver() || undefined, deadlineMs).catch((error: Error) => {
        throw new Error(`${error.message}: ${output}`)
      })
      return { code: child.exitCode, signal: child.signalCode }
    },
    send: (signal) => void child.kill(signal),
    output: () => output,
    up: async () => {
      await until(
        'the worker is up',
        async () => {
          if (isOver()) throw new Error(`the worker ended before it was up: ${output}`)
          return fetch(`http://127.0.0.1:${port}/healthz`).then(
            (answer) => answer.ok || undefined,
            () => undefined,
          )
        },
        STARTS_MS,
      )
    },
    frozen: async () => {
      await until(
        'the worker is frozen',
        () => {
          if (isOver()) throw new Error(`the worker ended before its fault point: ${output}`)
          return readFileSync(`/proc/${child.pid}/stat`, 'utf8').includes(') T ') || undefined
        },
        STARTS_MS,
      )
    },
  }
}

async function endOf(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  child.kill('SIGKILL')
  await ended
}

/** Text of `n` chunks of 100 characters that no other document has. */
export function longText(name: string, n: number): string {
  return Array.from(
    { length: n },
    (_, i) => `Part ${i} of ${name} tells about number ${i * 7919} and word${i}${name}, nothing else at all.`,
  ).join('\n\n')
}
