import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { appendFileSync, chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createCorpus } from '@docent/corpus/create-corpus'
import { freePort } from '@docent/kit/free-port'
import { createLogger } from '@docent/kit/logger'
import { openPostgres } from '@docent/kit/postgres'
import type { Embedder } from '@docent/models/embedder'
import { createFakeEmbedder } from '@docent/models/fake/fake-embedder'
import { createHttpEmbedder } from '@docent/models/http-embedder'
import { openStores } from '@docent/solo/stores'
import pg from 'pg'
import { openOwnRedis } from '../own-redis.ts'
import { tempDatabase } from '../temp-database.ts'
import { until } from '../until.ts'
import { startEmbedTally } from './embed-tally.ts'

export type ChaosStack = Awaited<ReturnType<typeof openChaosStack>>
type Figures = { embedded: number; reused: number }

const setpriv = '/usr/bin/setpriv'
const token = 'a-token-of-the-chaos-0123456789-abcdefghij'
const STARTS_MS = 180_000

/** Private stores, the extractor, an embedder and processes of ingest that may be killed at any moment. */
export async function openChaosStack(scope: AsyncDisposableStack, { isModel }: { isModel: boolean }) {
  const home = mkdtempSync(join(tmpdir(), 'docent-chaos-'))
  chmodSync(home, 0o711) // Postgres runs as a user of its own when the run is root's
  scope.defer(() => (process.env.CHAOS_KEEP ? undefined : rmSync(home, { recursive: true, force: true })))
  const folder = join(home, 'documents')
  mkdirSync(folder)
  const dataDir = join(home, 'stores')
  const queue = await openOwnRedis(scope)
  // the queue's Redis is one of its own, and there is no cache in this picture
  const stores = await openStores({ dataDir, scope, log: () => undefined, given: { queueUrl: queue.url, cacheUrl: queue.url } })
  const { corpusUrl: databaseUrl, ownerUrl } = await tempDatabase(stores.databaseUrl, scope)
  const log = createLogger('chaos', 'silent')
  await noteGoneVectors(ownerUrl)
  const pool = scope.adopt(openPostgres(databaseUrl, log, { max: 3 }), (open) => open.end())
  const corpus = createCorpus(pool, { url: stores.chromaUrl }, log)
  const logFile = join(home, 'processes.log')

  function start(main: string, env: Record<string, string>): ChildProcess {
    const program = [process.execPath, fileURLToPath(new URL(main, import.meta.url))]
    const [command, ...args] = existsSync(setpriv) ? [setpriv, '--pdeathsig', 'KILL', ...program] : program
    const child = spawn(command!, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        PATH: process.env.PATH,
        NODE_COMPILE_CACHE: join(home, 'compiled'),
        HOST: '127.0.0.1',
        LOG_LEVEL: 'warn',
        DOCENT_FOLDER: folder,
        INTERNAL_TOKEN: token,
        ...env,
      },
    })
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (part: Buffer) => appendFileSync(logFile, part))
    scope.defer(() => end(child))
    return child
  }

  async function end(child: ChildProcess): Promise<void> {
    if (child.exitCode !== null || child.signalCode !== null) return
    const ended = once(child, 'exit')
    child.kill('SIGKILL')
    await ended
  }

  const socket = join(home, 'extractor.sock')
  start('../../../../extractor/src/main.ts', { EXTRACTOR_SOCKET: socket, EXTRACT_CONCURRENCY: '2' })
  const embedder = isModel ? await startModel(start) : createFakeEmbedder({ model: 'fake-hash', dimension: 384 })
  const tally = await startEmbedTally(embedder, scope)

  let lives = 0
  /** what each life last said of itself: a killed one takes its counters along */
  const said = new Map<number, Figures>()
  const alive = new Set<{ readMetrics(): Promise<void> }>()

  /** One worker after another in a place of its own: killed, it is started again at once. */
  async function startWorker() {
    const life = ++lives
    const [port, metricsPort] = [await freePort(), await freePort()]
    const child = start('../../../../ingest/src/main.ts', {
      PORT: String(port),
      METRICS_PORT: String(metricsPort),
      DATABASE_URL: databaseUrl,
      QUEUE_URL: queue.url,
      CHROMA_URL: stores.chromaUrl,
      EMBEDDER_URL: tally.urlOf(life),
      EXTRACTOR_SOCKET: socket,
      SETTLE_MS: '500',
      SCAN_INTERVAL_S: '3',
      RECONCILE_INTERVAL_S: '2',
    })
    const isOver = () => child.exitCode !== null || child.signalCode !== null
    async function readMetrics(): Promise<void> {
      const text = await fetch(`http://127.0.0.1:${metricsPort}/metrics`, { signal: AbortSignal.timeout(2_000) }).then(
        (answer) => answer.text(),
        () => '',
      )
      const figure = (name: string) => Number(new RegExp(`^${name}\\{.*\\} (\\d+)$`, 'm').exec(text)?.[1] ?? Number.NaN)
      const figures = { embedded: figure('docent_chunks_embedded_total'), reused: figure('docent_ingest_vectors_reused_total') }
      if (Number.isFinite(figures.embedded)) said.set(life, figures)
    }
    await until(
      'a worker is up',
      async () => {
        if (isOver()) throw new Error(`a worker ended by itself: ${tail()}`)
        return fetch(`http://127.0.0.1:${port}/healthz`).then(
          (answer) => answer.ok || undefined,
          () => undefined,
        )
      },
      STARTS_MS,
    )
    const worker = {
      isOver,
      readMetrics,
      async kill() {
        await readMetrics()
        alive.delete(worker)
        tally.killed(life)
        await end(child)
      },
    }
    alive.add(worker)
    return worker
  }

  const tail = () => (existsSync(logFile) ? readFileSync(logFile, 'utf8').slice(-2_000) : '')

  return {
    folder,
    corpus,
    pool,
    queue,
    tally,
    startWorker,
    workers: () => [...alive],
    tail,
    metrics: (): Figures =>
      [...said.values()].reduce((sum, one) => ({ embedded: sum.embedded + one.embedded, reused: sum.reused + one.reused }), {
        embedded: 0,
        reused: 0,
      }),
    /** when the vector of a text (sha256) was deleted, in ms since 1970 */
    async goneVectors() {
      const { rows } = await pool.query<{ text_hash: string; times: number[] }>(
        'SELECT text_hash, array_agg(extract(epoch FROM at)::float8 * 1000) AS times FROM gone_vector GROUP BY text_hash',
      )
      return new Map(rows.map((row) => [row.text_hash, row.times]))
    },
    /** SIGKILL; it is started again after a second */
    async killChroma() {
      const { pid } = JSON.parse(readFileSync(join(dataDir, 'run', 'chroma.json'), 'utf8')) as { pid: number }
      process.kill(pid, 'SIGKILL')
    },
  }
}

/** A deleted file takes its vectors along, so a copy that is indexed afterwards must be embedded again: the judge has to know. */
async function noteGoneVectors(ownerUrl: string): Promise<void> {
  const owner = new pg.Client({ connectionString: ownerUrl })
  await owner.connect()
  await owner.query(`
    CREATE TABLE corpus.gone_vector (text_hash text NOT NULL, at timestamptz NOT NULL DEFAULT clock_timestamp());
    GRANT SELECT ON corpus.gone_vector TO PUBLIC;
    CREATE FUNCTION corpus.note_gone_vector() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
      BEGIN INSERT INTO corpus.gone_vector (text_hash) VALUES (OLD.text_hash); RETURN NULL; END $$;
    CREATE TRIGGER note_gone_vector AFTER DELETE ON corpus.embedding FOR EACH ROW EXECUTE FUNCTION corpus.note_gone_vector()`)
  await owner.end()
}

async function startModel(start: (main: string, env: Record<string, string>) => ChildProcess): Promise<Embedder> {
  const port = await freePort()
  start('../../../../embedder/src/main.ts', { PORT: String(port), METRICS_PORT: '0' })
  const embedder = createHttpEmbedder({ url: `http://127.0.0.1:${port}` })
  await until(
    'the embedder is up',
    () =>
      embedder.info(AbortSignal.timeout(5_000)).then(
        () => true,
        () => undefined,
      ),
    STARTS_MS,
  )
  return embedder
}
