// `npm run faults -- [--full]`: ingest is killed, frozen, cut off; a table per fault. `--full`: every seed and the long outages, and those of the
// gateway, kept in both FAULTS.md.
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
const gatewayTest = (name) => `services/gateway/test/${name}.test.ts`
/** Which rows of the fault matrix a test of the gateway tries, and what it does. */
const gatewayFaults = [
  ['kills', '8', 'killed at S1 to S6 of a stream'],
  ['leaving', '9', 'SIGTERM with open streams'],
  ['frozen', '10', 'frozen in mid-stream and thawed'],
  ['unreachable', '11, 24, 48', 'retrieval, a store or a model dead or unreachable'],
  ['without-sources', '11', 'retrieval dead where a persona may answer without sources'],
  ['nginx', '10, 12', 'nginx reloaded, killed, behind another proxy; a gateway frozen behind it'],
  ['stores', '13, 14, 16, 21, 22, 24, 25', 'Postgres or Redis killed, frozen, emptied, restarted, out of connections'],
  ['power-cut', '23', 'power cut of Postgres'],
  ['disk-full', '31', 'no room on the disk of Postgres'],
  ['upstream', '39, 40, 41', 'a model that refuses, is silent or breaks off'],
  ['providers', '39, 40, 43, 44', 'a provider that is down, slow, endless or asks for a pause'],
  ['malformed', '42', 'a model that speaks malformed SSE'],
  ['readers', '46', 'readers that are slow, stall, leave and come back'],
  ['crowd', '46', 'readers that never read or come back twenty times, two questions at once, more than there is room for'],
  ['resume', '13, 46', 'connections cut in mid-answer, two tabs, two replicas'],
  ['clock', '47', 'a clock that jumps'],
  ['bad-input', 'H1 to H41', 'each bad request of the list'],
  ['fuzz', 'C19', '100,000 requests made at random of the description of the API, over all services'],
]
const fullFiles = [...ingestFiles, ...gatewayFaults.map(([name]) => gatewayTest(name))]
const files = answers ? [gatewayTest('random-kills')] : isFull ? fullFiles : ingestFiles
const page = join(root, 'services/ingest/FAULTS.md')
const gatewayPage = join(root, 'services/gateway/FAULTS.md')
const section = '\n## Fault by fault\n'
const folder = mkdtempSync(join(tmpdir(), 'docent-faults-'))
const report = join(folder, 'vitest.json')
// the deadlines are those of the promises: a full run gives each fault the machine nearly to itself
const pace = isFull ? ['--maxConcurrency=2', '--no-file-parallelism'] : []
const flags = ['run', ...pace, '--reporter=default', '--reporter=json', `--outputFile.json=${report}`, ...files]
const env = { ...(isFull ? { FAULTS: 'full' } : {}), ...(answers ? { FAULT_ANSWERS: String(answers) } : {}) }
const { code, stoppedBy } = await run(['node_modules/vitest/vitest.mjs', ...flags], { env })
if (stoppedBy) process.exit(130)
const results = existsSync(report) ? JSON.parse(readFileSync(report, 'utf8')).testResults : []
const all = results.flatMap((file) => file.assertionResults)
// what a host has no room for says why in the name of its group; it counts apart
const notRun = all.filter(({ status }) => status === 'pending' || status === 'skipped')
const tests = all.filter((test) => !notRun.includes(test))
rmSync(folder, { recursive: true, force: true })
const failed = tests.filter(({ status }) => status !== 'passed')
const table = answers
  ? counted(tests[0]?.meta?.answers)
  : render(tests.flatMap(({ status, meta }) => (status === 'passed' && meta?.fault ? [meta.fault] : [])))
console.log(`\n${table}\n`)
for (const { fullName, failureMessages = [] } of failed)
  console.log(`FAILED  ${fullName}\n        ${(failureMessages[0] ?? '').split('\n')[0]}`)
for (const { fullName } of notRun) console.log(`not run: ${fullName}`)
if (isFull) console.log(`${gatewayTable()}\n`)
console.log(`${tests.length - failed.length} passed, ${failed.length} failed`)
if (code === 0 && tests.length > 0) {
  const [before, after = ''] = readFileSync(gatewayPage, 'utf8').split(section)
  if (answers) writeFileSync(gatewayPage, answersDocument(table) + (after && section + after))
  if (isFull) {
    const ofIngest = resultsOf((name) => ingestFiles.some((file) => name.endsWith(file))).length
    writeFileSync(page, document(table, ofIngest))
    writeFileSync(gatewayPage, before + section + gatewayDocument())
  }
}
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

function resultsOf(isWanted) {
  return results.filter(({ name }) => isWanted(name)).flatMap((file) => file.assertionResults.filter((test) => tests.includes(test)))
}

/** One line per test file of the gateway; the slowest of its tests counts. */
function gatewayTable() {
  const rows = gatewayFaults.map(([name, numbers, what]) => {
    const ran = resultsOf((path) => path.endsWith(gatewayTest(name)))
    const passed = ran.filter(({ status }) => status === 'passed')
    const slowest = Math.max(0, ...passed.map(({ duration }) => (duration ?? 0) / 1000))
    return [numbers, what, `${passed.length} of ${ran.length}`, slowest.toFixed(1)]
  })
  const head = ['rows', 'fault', 'tests passed', 'slowest, s']
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}

function gatewayDocument() {
  const apart = notRun.length > 0 ? `\n\nNot run on this host: ${notRun.map(({ fullName }) => fullName).join('; ')}.` : ''
  return `
Written by \`npm run faults -- --full\` ${stamp()}. A run that fails does not write this section. Rows are those of the fault matrix; what held is said by the tests' own names (\`services/gateway/test\`). Seconds are those of the slowest test of a line, its set-up included.

${gatewayTable()}${apart}
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
