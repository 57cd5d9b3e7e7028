// `npm run faults -- --chaos`: files go in while everything is killed; prints a table and ends with 1 when anything is wrong.
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { machine } from '../src/bench/open-bench.ts'
import { faultsOf, renderChaos } from '../src/chaos/render-chaos.ts'
import { runChaos } from '../src/chaos/run-chaos.ts'

const page = new URL('../../../ingest/FAULTS.md', import.meta.url)
const usage = 'npm run faults -- --chaos [--minutes N] [--files N] [--seed N] [--deadline MINUTES] [--book FOLDER]... [--model]'

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    files: { type: 'string', default: '1000' },
    // every file is ready or refused within 10 minutes of the last fault; a busy machine may be given more, which the page then says
    deadline: { type: 'string', default: '10' },
    seed: { type: 'string', default: '20260731' },
    book: { type: 'string', multiple: true, default: [] },
    model: { type: 'boolean', default: false },
  },
})
const [minutes, files, seed, deadlineMinutes] = [values.minutes, values.files, values.seed, values.deadline].map(Number) as [
  number,
  number,
  number,
  number,
]
if (!(minutes > 0 && minutes <= 600) || !(files >= 50 && files <= 20_000) || !Number.isInteger(seed) || !(deadlineMinutes > 0)) stop(usage)
const books = values.book.map((folder) => resolve(process.env.INIT_CWD ?? process.cwd(), folder))
const missing = books.find((folder) => !existsSync(folder))
if (missing) stop(`--book ${missing}: no such folder`)

const started = performance.now()
const say = (line: string) => console.log(`${String(Math.round((performance.now() - started) / 1000)).padStart(5)} s  ${line}`)
const result = await runChaos({ minutes, deadlineMinutes, files, seed, isModel: values.model, books, say })
const table = renderChaos(result)
const faults = faultsOf(result)
console.log(`\n${table}\n`)
for (const fault of faults) console.log(`WRONG  ${fault}`)
console.log(faults.length === 0 ? 'all of it agrees' : `${faults.length} things are wrong`)
// the page holds what was asked for, and only when it holds
if (faults.length === 0 && minutes >= 10 && files >= 1_000 && result.bookFiles > 0) writeFileSync(page, withChaos(readPage(), table))
process.exitCode = faults.length === 0 ? 0 : 1

function readPage(): string {
  return existsSync(page) ? readFileSync(page, 'utf8') : ''
}

/** Its section is the last of the page; the rest is written by `--full`. */
function withChaos(text: string, table: string): string {
  const before = text.split('\n## Chaos\n')[0]!.trimEnd()
  const { cpu, node } = machine()
  const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim()
  const options = [
    `--minutes ${minutes}`,
    `--files ${files}`,
    `--seed ${seed}`,
    ...(deadlineMinutes === 10 ? [] : [`--deadline ${deadlineMinutes}`]),
    ...books.map(() => '--book FOLDER'),
    ...(values.model ? ['--model'] : []),
  ]
  const head = before || '# Faults of ingest, as last run'
  return `${head}

## Chaos

\`npm run faults -- --chaos ${options.join(' ')}\` on ${new Date().toISOString().slice(0, 10)}, ${cpu}, Node ${node}, commit ${commit}, ${values.model ? 'the bundled embedding model' : 'a fake embedder'}. A run in which anything is wrong does not write this section.

${table}
`
}

function stop(line: string): never {
  console.error(line)
  process.exit(2)
}
