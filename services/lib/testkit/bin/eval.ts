// Drives the real extractor, ingest, embedder and retrieval over HTTP. Exits with 1 under a floor.
import { writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { readConfig as readEmbedder } from '@docent/embedder/config'
import { startEmbedder } from '@docent/embedder/embedder-service'
import { createLogger } from '@docent/kit/logger'
import { createHttpEmbedder } from '@docent/models/http-embedder'
import { openBenchStores } from '../src/bench/open-bench.ts'
import type { Line } from '../src/eval/ask-set.ts'
import { cachedEmbedder } from '../src/eval/cached-embedder.ts'
import { allSets, core, coreFloors } from '../src/eval/core.ts'
import { type Ingested, ingestOf } from '../src/eval/facts.ts'
import { openLibrary } from '../src/eval/open-library.ts'
import { commandOf, compare, gateTable, ingestTable, readRecord, recordOf, render, table } from '../src/eval/records.ts'
import { figureOf, sample, smoke, smokeFloors } from '../src/eval/smoke.ts'

const page = new URL('../../../retrieval/EVALUATION.md', import.meta.url).pathname
const args = process.argv.slice(2).filter((arg) => arg !== '--')
const usage = `npm run eval -- [--suite smoke|core] [--sets a,b|all] [--half odd|even|all] [--questions N] [--ladder] [--out FILE] [--render]
npm run eval -- compare A.json B.json
npm run eval -- render A.json      the tables of a record that is there

core asks all sets, each leg alone and both together (--ladder), at most 600 questions of a line; of named sets only the default search.
EVAL_SETS names the folder of the core sets; EVAL_CACHE the folder where vectors are kept between runs (default: one under the
system's temporary folder).`
const known = {
  suite: { type: 'string', default: 'smoke' },
  sets: { type: 'string', default: '' },
  half: { type: 'string', default: 'odd' },
  questions: { type: 'string', default: '600' },
  ladder: { type: 'boolean', default: false },
  out: { type: 'string' },
  render: { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
} as const
const { values: options, positionals } = readOptions()
if (options.help) {
  console.log(usage)
  process.exit(0)
}

function readOptions() {
  try {
    return parseArgs({ args, allowPositionals: true, options: known })
  } catch (error) {
    if (!(error instanceof TypeError)) throw error
    return refuse(`${error.message}\n\n${usage}`)
  }
}

if (positionals[0] === 'compare') {
  const [, a, b] = positionals
  if (!a || !b) refuse('compare needs two files: eval compare A.json B.json')
  console.log(compare(readRecord(a), readRecord(b)))
} else if (positionals[0] === 'render') {
  const [, file] = positionals
  if (!file) refuse('render needs a file: eval render A.json')
  const record = readRecord(file)
  render(page, record, (line) => floorOf(record.suite, line))
} else {
  const { suite, half } = options
  if (suite !== 'smoke' && suite !== 'core') refuse(`There is no suite ${suite}: smoke, core.`)
  if (half !== 'odd' && half !== 'even' && half !== 'all') refuse(`--half is odd, even or all, not ${half}.`)
  const folder = process.env.EVAL_SETS ?? ''
  if (suite === 'core' && !folder) refuse('EVAL_SETS must name the folder of the evaluation sets.')

  await using scope = new AsyncDisposableStack()
  const stores = await openBenchStores(scope)
  const served = await startEmbedder(readEmbedder({ HOST: '127.0.0.1', PORT: '0', METRICS_PORT: '0', CACHE_URL: stores.cacheUrl }), scope, {
    log: createLogger('embedder', 'error'),
  })
  const cache = process.env.EVAL_CACHE ?? join(tmpdir(), `docent-eval-vectors-${process.getuid?.() ?? 0}`)
  const embedder = await cachedEmbedder(createHttpEmbedder({ url: served.url, timeoutMs: 60_000 }), cache)
  const lines: Line[] = []
  let ingested: Ingested[] = []
  if (suite === 'smoke') {
    const library = await openLibrary(stores, sample, embedder, scope)
    lines.push(...(await smoke(library)))
    ingested = [await ingestOf('sample folder', library)]
  } else {
    const sets = options.sets && options.sets !== 'all' ? options.sets.split(',') : allSets
    const most = Number(options.questions)
    ingested = await core(folder, stores, embedder, { sets, half, most, ladder: options.ladder || !options.sets }, (line) => {
      lines.push(line)
      console.error(`${line.set}, ${line.configuration}: ${(100 * line.ndcg10).toFixed(2)}`)
    })
  }

  const { model } = await embedder.info()
  const record = recordOf(suite, commandOf(args), model, lines, ingested)
  console.log([table(lines, (line) => floorOf(suite, line)), gateTable(lines), ingestTable(ingested)].filter(Boolean).join('\n\n'))
  console.log(`\n${embedder.made} vectors were made, the others were there from earlier runs.`)
  if (options.out) writeFileSync(options.out, `${JSON.stringify(record)}\n`)
  if (options.render) render(page, record, (line) => floorOf(suite, line))

  const problems = [...underFloor(lines, suite), ...belowALeg(lines)]
  for (const problem of problems) console.log(`FAIL ${problem}`)
  process.exitCode = problems.length > 0 ? 1 : 0
}

function floorOf(suite: string, line: Line): { of: string; at: number } | undefined {
  if (suite !== 'smoke') return line.configuration === 'fused' ? named('nDCG@10', coreFloors[line.set]) : undefined
  return named(line.set.includes('unanswerable') ? 'refused' : 'R@5', smokeFloors[line.set])
}

function named(of: string, at: number | undefined) {
  return at === undefined ? undefined : { of, at }
}

function underFloor(lines: readonly Line[], suite: 'smoke' | 'core'): string[] {
  return lines.flatMap((line) => {
    if (line.outsideOf) return []
    const floor = floorOf(suite, line)
    const figure = suite === 'smoke' ? figureOf(line) : line.ndcg10
    return floor && figure < floor.at ? [`${line.set}: ${floor.of} ${(100 * figure).toFixed(2)} is under its floor ${100 * floor.at}`] : []
  })
}

function belowALeg(lines: readonly Line[]): string[] {
  return lines.flatMap((line) => {
    if (line.configuration !== 'fused' || line.outsideOf) return []
    const best = Math.max(
      0,
      ...lines
        .filter((leg) => leg.set === line.set && ['words', 'meaning'].includes(leg.configuration) && !leg.outsideOf)
        .map((leg) => leg.ndcg10),
    )
    return line.ndcg10 < best
      ? [`${line.set}: the fusion ${(100 * line.ndcg10).toFixed(2)} is below its better leg ${(100 * best).toFixed(2)}`]
      : []
  })
}

function refuse(message: string): never {
  console.error(message)
  process.exit(2)
}
