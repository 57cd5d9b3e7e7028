import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import type { Stores } from '@docent/solo/stores'
import pg from 'pg'
import { assemble } from '../../../../extractor/test/make-pdf.ts'
import { makeFile } from '../chaos/make-files.ts'
import { tempDatabase } from '../temp-database.ts'
import { until } from '../until.ts'
import { startChild } from './child-service.ts'
import { asker, countsOf, headers, ingestEnv, openFolder, TOKEN } from './ingest-world.ts'
import { openMemoryGroup } from './memory-group.ts'
import { openBenchStores, percentile, retrievalFlags, retrievalMemory } from './open-bench.ts'

type Figures = Record<string, number>
const MB = 1024 * 1024
// what compose/services.yml gives the containers
const limits = { embedder: 336, extractor: 256, ingest: 176, retrieval: 224 }
// as compose/services.yml starts them
const ingestFlags = ['--max-semi-space-size=4', '--max-old-space-size-percentage=50']
const embedderFlags = ['--max-semi-space-size=4']

/**
 * PROMISES row 36: a folder that is full at once (BENCH_FILES files, 10,000 unless told; one branch 50 folders deep), then files of
 * 100 MB, while a question is asked every fifth of a second. Each service has its container's limit of memory; the real model, no network but loopback.
 */
export async function benchFlood(scope: AsyncDisposableStack): Promise<Figures> {
  const files = Number(process.env.BENCH_FILES ?? 10_000)
  const stores = await openBenchStores(scope)
  const world = await openLimited(stores, scope)
  putMany(world.folder, 50, 'at-rest')
  await world.settled(50)
  const idle = await world.askWhile(300)

  const started = performance.now()
  putMany(world.folder, files, 'flood')
  const meanwhile = await world.askUntil(world.settled(files + 50))
  const floodS = (performance.now() - started) / 1000
  const atFlood = { ...world.memory('flood'), ...(await world.stages()) }

  const sizes: Figures = {}
  for (const [name, bytes] of large()) {
    const path = join(world.folder, name)
    const since = performance.now()
    writeFileSync(`${path}.part`, bytes)
    renameSync(`${path}.part`, path)
    const { state, code } = await world.endOf(name)
    const seconds = (performance.now() - since) / 1000
    console.log(`  ${name}, ${Math.round(bytes.length / MB)} MB: ${state}${code ? ` (${code})` : ''} after ${seconds.toFixed(1)} s`)
    sizes[`${name}, ${Math.round(bytes.length / MB)} MB: s until ${code ?? state}`] = seconds
  }
  return {
    'flood: files': files,
    'flood: files/s': files / floodS,
    'flood: search p50 at rest, ms': percentile(idle, 0.5),
    'flood: search p99 at rest, ms': percentile(idle, 0.99),
    'flood: questions meanwhile': meanwhile.times.length,
    'flood: questions that failed': meanwhile.failed,
    'flood: search p50 meanwhile, ms': percentile(meanwhile.times, 0.5),
    'flood: search p99 meanwhile, ms': percentile(meanwhile.times, 0.99),
    ...atFlood,
    ...sizes,
    ...world.memory('large files'),
  }
}

async function openLimited(stores: Stores, scope: AsyncDisposableStack) {
  const folder = openFolder(scope)
  const sockets = scope.adopt(mkdtempSync(join(tmpdir(), 'docent-')), (path) => rmSync(path, { recursive: true, force: true }))
  const socket = join(sockets, 'extractor.sock')
  const { corpusUrl } = await tempDatabase(stores.databaseUrl, scope)
  const groups = Object.entries(limits).map(([name, limitMb]) => [name, scope.use(openMemoryGroup(name, limitMb))] as const)
  const groupOf = (name: string) => groups.find(([key]) => key === name)![1]
  const embedder = scope.use(
    await startChild('embedder', { INTERNAL_TOKEN: TOKEN }, { nodeFlags: embedderFlags, group: groupOf('embedder') }),
  )
  scope.use(
    await startChild(
      'extractor',
      // as in its container, where it reads the limit itself: the service keeps 64 MB
      { DOCENT_FOLDER: folder, EXTRACTOR_SOCKET: socket, MAX_FILE_MB: '150', EXTRACT_MEMORY_MB: String(limits.extractor - 64) },
      { isReady: async () => existsSync(socket), group: groupOf('extractor') },
    ),
  )
  const env = { ...ingestEnv(stores, corpusUrl, folder, socket), EMBEDDER_URL: embedder.url, MAX_FILE_MB: '150' }
  const ingest = scope.use(await startChild('ingest', env, { readyPath: '/healthz', nodeFlags: ingestFlags, group: groupOf('ingest') }))
  const retrieval = scope.use(
    await startChild(
      'retrieval',
      { DATABASE_URL: corpusUrl, CHROMA_URL: stores.chromaUrl, EMBEDDER_URL: embedder.url, INTERNAL_TOKEN: TOKEN, ...retrievalMemory },
      { nodeFlags: retrievalFlags, group: groupOf('retrieval') },
    ),
  )
  const ask = asker(retrieval)
  const askUntil = async (end: Promise<unknown>) => {
    const times: number[] = []
    const failures: string[] = []
    let isOver = false
    const over = end.finally(() => {
      isOver = true
    })
    over.catch(() => undefined) // whoever awaits it below hears of it
    while (!isOver) {
      await ask().then(
        (ms) => times.push(ms),
        (error: Error) => failures.push(error.message),
      )
      await wait(200)
    }
    await over
    if (failures.length > 0) console.log(`  questions that failed: ${[...new Set(failures)].join(', ')}`)
    return { times, failed: failures.length }
  }
  return {
    folder,
    askUntil,
    askWhile: async (count: number) => {
      const times: number[] = []
      for (let i = 0; i < count + 50; i++) times.push(await ask())
      return times.slice(50)
    },
    /** resolves when so many files are ready; a failed one ends the run */
    settled: async (count: number) => {
      const since = performance.now()
      await until(
        `${count} files are ready`,
        async () => {
          await wait(900) // counting is work, too
          const counts = await countsOf(ingest)
          const s = Math.round((performance.now() - since) / 1000)
          if (s % 60 === 0) console.log(`  ${s} s: ${JSON.stringify(counts)}`)
          return counts.ready === count || undefined
        },
        3_600_000,
      )
    },
    endOf: async (path: string) =>
      await until(
        `${path} has ended`,
        async () => {
          const { items } = (await (await fetch(`${ingest.url}/documents?path=${path}`, { headers })).json()) as {
            items: { state: string; error?: { code: string } }[]
          }
          const state = items[0]?.state
          return state && ['ready', 'failed', 'skipped'].includes(state) ? { state, code: items[0]?.error?.code } : undefined
        },
        600_000,
      ),
    /** how long a file is in each stage */
    stages: async (): Promise<Figures> => {
      await using client = await connect(corpusUrl)
      const { rows } = await client.query<{ stage: string; ms: number }>(
        `SELECT key AS stage, percentile_cont(0.5) WITHIN GROUP (ORDER BY value::float) AS ms
         FROM corpus.attempt, jsonb_each_text(detail->'stages' || jsonb_build_object('all', detail->'ms')) WHERE outcome = 'done' GROUP BY key`,
      )
      return Object.fromEntries(rows.map(({ stage, ms }) => [`flood: stage ${stage}, p50 ms`, ms]))
    },
    memory: (when: string): Figures =>
      Object.fromEntries(
        groups.flatMap(([name, group]) => {
          const { peakMb, anonMb, killed } = group.seen()
          const limit = `limit ${limits[name as keyof typeof limits]}`
          return [
            [`${when}: ${name}, MB at most (${limit})`, peakMb],
            [`${when}: ${name}, MB of its own at the end`, anonMb],
            [`${when}: ${name}, killed for memory`, killed],
          ]
        }),
      ),
  }
}

async function connect(connectionString: string) {
  const client = new pg.Client({ connectionString })
  await client.connect()
  return Object.assign(client, { [Symbol.asyncDispose]: () => client.end() })
}

/** Texts in a hundred folders; each hundredth one lies 50 folders deep. */
function putMany(folder: string, count: number, name: string): void {
  const kinds = ['txt-zh', 'txt-en', 'md', 'csv', 'json']
  for (let i = 0; i < count; i++) {
    const kind = kinds[i % kinds.length]!
    const place = i % 100 === 0 ? Array.from({ length: 50 }, (_, depth) => `d${depth}`).join('/') : `part-${i % 100}`
    const path = join(folder, name, place, `${name}-${i}.${kind.split('-')[0]}`)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, makeFile({ kind, seeds: [`${name} ${i}`] }).bytes)
  }
}

function* large(): Generator<[string, Buffer]> {
  yield ['pictures.pdf', picturePdf(100)]
  yield ['text.txt', Buffer.from('The pump was serviced on day 12 and ran without a fault.\n'.repeat((100 * MB) / 57))]
  yield ['rows.csv', Buffer.from(`name,value\n${'pump,12\n'.repeat((100 * MB) / 8)}`)]
  yield ['noise.docx', Buffer.alloc(100 * MB, 7)]
}

/** A megabyte of raw picture on each page beside its text. */
function picturePdf(pages: number): Buffer {
  const objects = [
    '<< /Type /Catalog /Pages 2 0 R >>',
    `<< /Type /Pages /Kids [${Array.from({ length: pages }, (_, i) => `${4 + i * 3} 0 R`).join(' ')}] /Count ${pages} >>`,
    '<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>',
  ]
  const noise = Buffer.from(Array.from({ length: MB }, (_, i) => (i * 2_654_435_761) >>> 24)).toString('latin1')
  for (let i = 0; i < pages; i++) {
    const at = 4 + i * 3
    const content = `q 400 0 0 400 90 90 cm /Im0 Do Q\nBT /F1 12 Tf 72 780 Td (Page ${i + 1}: the pump number ${i * 7} was serviced on day ${i}.) Tj ET`
    objects.push(
      `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /Font << /F1 3 0 R >> /XObject << /Im0 ${at + 2} 0 R >> >> /Contents ${at + 1} 0 R >>`,
      `<< /Length ${content.length} >>\nstream\n${content}\nendstream`,
      `<< /Type /XObject /Subtype /Image /Width 1024 /Height 1024 /ColorSpace /DeviceGray /BitsPerComponent 8 /Length ${MB} >>\nstream\n${noise}\nendstream`,
    )
  }
  return assemble(objects)
}
