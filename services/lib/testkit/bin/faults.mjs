// `npm run faults -- [--full]`: ingest is killed, frozen, cut off; a table per fault. `--full`: every seed and the long outages, kept in FAULTS.md.
// `npm run faults -- --chaos [--minutes N] [--files N] [--seed N] [--deadline MINUTES] [--book FOLDER]... [--model]`: everything at random at once (bin/chaos.ts).
// `npm run faults -- --answers [N]`: two gateways behind nginx are killed at random until N answers were resumed; kept in the gateway's FAULTS.md.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { ensureToolchain, fail, requireLinuxX64, root, run } from '../../../solo/bin/bootstrap.mjs'

const args = process.argv.slice(2)
const isChaos = args.includes('--chaos')
const isFull = args[0] === '--full'
const answers = args[0] === '--answers' ? Number(args[1] ?? 1_000) : 0
const isKnown =
  args.length === 0 || isChaos || (isFull && args.length === 1) || (Number.isInteger(answers) && answers > 0 && args.length <= 2)
if (!isKnown) fail('npm run faults -- [--full | --answers [N] | --chaos [OPTIONS]]')
requireLinuxX64()
await ensureToolchain()
if (isChaos) {
  const given = args.filter((arg) => arg !== '--chaos')
  process.exit((await run([join(root, 'services/lib/testkit/bin/chaos.ts'), ...given])).code)
}

const ingestFiles = ['kills', 'worker-faults', 'random-kills', 'faults'].map((name) => `services/ingest/test/${name}.test.ts`)
const files = answers ? ['services/gateway/test/random-kills.test.ts'] : ingestFiles
const page = join(root, answers ? 'services/gateway/FAULTS.md' : 'services/ingest/FAULTS.md')
const folder = mkdtempSync(join(tmpdir(), 'docent-faults-'))
const report = join(folder, 'vitest.json')
// the deadlines are those of the promises: a full run gives each fault the machine nearly to itself
const pace = isFull ? ['--maxConcurrency=2', '--no-file-parallelism'] : []
const flags = ['run', ...pace, '--reporter=default', '--reporter=json', `--outputFile.json=${report}`, ...files]
const env = { ...(isFull ? { FAULTS: 'full' } : {}), ...(answers ? { FAULT_ANSWERS: String(answers) } : {}) }
const { code, stoppedBy } = await run(['node_modules/vitest/vitest.mjs', ...flags], { env })
if (stoppedBy) process.exit(130)
const tests = existsSync(report) ? JSON.parse(readFileSync(report, 'utf8')).testResults.flatMap((file) => file.assertionResults) : []
rmSync(folder, { recursive: true, force: true })
const failed = tests.filter(({ status }) => status !== 'passed')
const table = answers
  ? counted(tests[0]?.meta?.answers)
  : render(tests.flatMap(({ status, meta }) => (status === 'passed' && meta?.fault ? [meta.fault] : [])))
console.log(`\n${table}\n`)
for (const { fullName, failureMessages = [] } of failed)
  console.log(`FAILED  ${fullName}\n        ${(failureMessages[0] ?? '').split('\n')[0]}`)
console.log(`${tests.length - failed.length} passed, ${failed.length} failed`)
if ((isFull || answers) && code === 0 && tests.length > 0)
  writeFileSync(page, answers ? answersDocument(table) : document(table, tests.length))
process.exit(code)

/** What a run of random gateway kills counted; nothing when it failed. */
function counted(counts) {
  if (!counts) return ''
  const rows = [
    ['gateways killed (SIGKILL)', counts.kills],
    ['answers asked', counts.answers],
    ['resumed at least once', counts.resumed],
    ['resumptions in mid-answer', counts.resumes],
    ['ended `done`, with the whole text of the model', counts.done],
    ['ended `interrupted`, with the beginning of it', counts.interrupted],
    ['text not byte-equal to the stored one', 0],
    ['events lost, doubled or out of order', 0],
    ['model called twice for a question', 0],
    ['POSTs until all questions were acknowledged', counts.posts],
    ['seconds', counts.seconds],
  ]
  return ['| | count |', '| --- | --- |', ...rows.map((cells) => `| ${cells.join(' | ')} |`)].join('\n')
}

function stamp() {
  return `on ${new Date().toISOString().slice(0, 10)}, Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model ?? 'unknown CPU'}`
}

function answersDocument(table) {
  return `# Answers under random gateway kills, as last run

Written by \`npm run faults -- --answers ${answers}\` ${stamp()}. A run that fails does not write this page: each zero below is asserted for every answer.

Two gateways, processes of their own with the clocks of production, stand behind nginx with the composed stack's configuration. Each of them gets SIGKILL after 1 to 9 seconds, drawn at random, and is started again up to two seconds later, again and again; at times both are down. Forty clients at a time ask (with an Idempotency-Key, until acknowledged) and read with an unmodified EventSource, which also goes away once and comes back by \`?after=\`. The model is a mock that takes 1.8 s for an answer of 120 pieces with characters outside the BMP. At the end each answer is read again from its first event on, at the replica that the stored text was not read from, and must show the same.

${table}
`
}

/** One line per fault and moment; the slowest of its runs counts. */
function render(records) {
  const groups = new Map()
  for (const record of records) {
    const key = `${record.row} ${record.fault} ${record.moment}`
    groups.set(key, [...(groups.get(key) ?? []), record])
  }
  const rows = [...groups.values()].map((runs) => {
    const { row, fault, moment } = runs[0]
    const slowest = Math.max(...runs.map(({ seconds }) => seconds))
    return [row, fault, moment, runs.length, slowest.toFixed(1), runs[0].note ?? 'until all are ready']
  })
  const number = (moment) => Number(/\d+/.exec(moment)?.[0] ?? 0)
  rows.sort((a, b) => a[0] - b[0] || number(a[2]) - number(b[2]) || String(a[1]).localeCompare(String(b[1]), 'en', { numeric: true }))
  const head = ['row', 'fault', 'moment', 'runs', 'slowest, s', 'note']
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}

function document(table, count) {
  return `# Faults of ingest, as last run

Written by \`npm run faults -- --full\`: ${count} tests passed, none failed, ${stamp()}. A run that fails does not write this page.

After each fault the verifier (\`npm run verify\`) had to find nothing: 0 documents lost, 0 chunks duplicate, orphan or missing, 0 versions mixed, 0 vectors absent. Seconds count from the moment the worker or the store was back, unless the note says otherwise; the slowest run is shown. Moments of a job: K1 seen, K2 in the ledger, K3 queued, K4 parsed, K5 a batch embedded, K6 half the vectors in Chroma, K7 all of them, K8 flipped, K9 old version deleted, K10 before the job is acknowledged.

${table}
${chaos()}`
}

/** The section that `--chaos` wrote is kept as it is. */
function chaos() {
  const [, section] = existsSync(page) ? readFileSync(page, 'utf8').split('\n## Chaos\n') : []
  return section ? `\n## Chaos\n${section}` : ''
}
