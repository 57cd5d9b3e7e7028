// npm run bench [-- NAME] [--record]: measures on private stores and prints the figures and one JSON line; all of them are recorded in
// services/BENCHMARKS.md, a single one with --record. Nothing is asserted.
import { execFileSync } from 'node:child_process'
import { loadavg } from 'node:os'
import { parseArgs } from 'node:util'
import { benchEmbed } from '../src/bench/bench-embed.ts'
import { benchFlood } from '../src/bench/bench-flood.ts'
import { benchGateway } from '../src/bench/bench-gateway.ts'
import { benchIngest } from '../src/bench/bench-ingest.ts'
import { benchLexical } from '../src/bench/bench-lexical.ts'
import { benchRetrieve } from '../src/bench/bench-retrieve.ts'
import { benchTurns } from '../src/bench/bench-turns.ts'
import { machine } from '../src/bench/open-bench.ts'
import { keepRecord } from '../src/bench/record.ts'

const benches: Record<string, (scope: AsyncDisposableStack) => Promise<Record<string, number>>> = {
  lexical: benchLexical,
  embed: benchEmbed,
  retrieve: benchRetrieve,
  gateway: benchGateway,
  turns: benchTurns,
  ingest: benchIngest,
  flood: benchFlood,
}

const { values, positionals } = parseArgs({ options: { record: { type: 'boolean', default: false } }, allowPositionals: true })
const names = positionals.length > 0 ? positionals : Object.keys(benches)
const isRecorded = values.record || positionals.length === 0
if (names.some((name) => !benches[name])) {
  console.error(`Which one? ${Object.keys(benches).join(', ')}`)
  process.exit(2)
}
for (const name of names) {
  console.log(name)
  await using scope = new AsyncDisposableStack()
  const before = loadavg()[0]!
  const figures = await benches[name]!(scope)
  for (const [figure, value] of Object.entries(figures)) console.log(`${figure.padEnd(48)} ${Number(value.toPrecision(4))}`)
  const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim()
  const at = new Date().toISOString().slice(0, 10)
  const record = { bench: name, commit, at, ...machine(), load: [before, loadavg()[0]!] as [number, number], figures }
  console.log(JSON.stringify(record))
  if (isRecorded) keepRecord(record)
}
