// `npm run faults -- [--full]`: ingest is killed, frozen, cut off; a table per fault. `--full`: every seed and the long outages, kept in FAULTS.md.
// `npm run faults -- --chaos [--minutes N] [--files N] [--seed N] [--book FOLDER]... [--model]`: everything at random at once (bin/chaos.ts).
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { ensureToolchain, fail, requireLinuxX64, root, run } from '../../../solo/bin/bootstrap.mjs'

const files = ['kills', 'worker-faults', 'random-kills', 'faults'].map((name) => `services/ingest/test/${name}.test.ts`)
const page = join(root, 'services/ingest/FAULTS.md')

const args = process.argv.slice(2)
const isChaos = args.includes('--chaos')
if (!isChaos && args.some((arg) => arg !== '--full')) fail('npm run faults -- [--full], or npm run faults -- --chaos [OPTIONS]')
const isFull = args.includes('--full')
requireLinuxX64()
await ensureToolchain()
if (isChaos) {
  const given = args.filter((arg) => arg !== '--chaos')
  process.exit((await run([join(root, 'services/lib/testkit/bin/chaos.ts'), ...given])).code)
}

const folder = mkdtempSync(join(tmpdir(), 'docent-faults-'))
const report = join(folder, 'vitest.json')
// the deadlines are those of the promises: a full run gives each fault the machine nearly to itself
const pace = isFull ? ['--maxConcurrency=2', '--no-file-parallelism'] : []
const flags = ['run', ...pace, '--reporter=default', '--reporter=json', `--outputFile.json=${report}`, ...files]
const env = isFull ? { FAULTS: 'full' } : {}
const { code, stoppedBy } = await run(['node_modules/vitest/vitest.mjs', ...flags], { env })
if (stoppedBy) process.exit(130)
const tests = existsSync(report) ? JSON.parse(readFileSync(report, 'utf8')).testResults.flatMap((file) => file.assertionResults) : []
rmSync(folder, { recursive: true, force: true })
const failed = tests.filter(({ status }) => status !== 'passed')
const table = render(tests.flatMap(({ status, meta }) => (status === 'passed' && meta?.fault ? [meta.fault] : [])))
console.log(`\n${table}\n`)
for (const { fullName, failureMessages = [] } of failed)
  console.log(`FAILED  ${fullName}\n        ${(failureMessages[0] ?? '').split('\n')[0]}`)
console.log(`${tests.length - failed.length} passed, ${failed.length} failed`)
if (isFull && code === 0 && tests.length > 0) writeFileSync(page, document(table, tests.length))
process.exit(code)

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

Written by \`npm run faults -- --full\`: ${count} tests passed, none failed, on ${new Date().toISOString().slice(0, 10)}, Node ${process.version}, ${cpus().length} cores. A run that fails does not write this page.

After each fault the verifier (\`npm run verify\`) had to find nothing: 0 documents lost, 0 chunks duplicate, orphan or missing, 0 versions mixed, 0 vectors absent. Seconds count from the moment the worker or the store was back, unless the note says otherwise; the slowest run is shown. Moments of a job: K1 seen, K2 in the ledger, K3 queued, K4 parsed, K5 a batch embedded, K6 half the vectors in Chroma, K7 all of them, K8 flipped, K9 old version deleted, K10 before the job is acknowledged.

${table}
${chaos()}`
}

/** The section that `--chaos` wrote is kept as it is. */
function chaos() {
  const [, section] = existsSync(page) ? readFileSync(page, 'utf8').split('\n## Chaos\n') : []
  return section ? `\n## Chaos\n${section}` : ''
}
