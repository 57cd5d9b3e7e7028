// npm run bench -- lexical|gateway|turns|ingest|flood|embed|retrieve: measures on private stores and prints the figures and one JSON line. Nothing is asserted.
import { execFileSync } from 'node:child_process'
import { benchEmbed } from '../src/bench/bench-embed.ts'
import { benchFlood } from '../src/bench/bench-flood.ts'
import { benchGateway } from '../src/bench/bench-gateway.ts'
import { benchIngest } from '../src/bench/bench-ingest.ts'
import { benchLexical } from '../src/bench/bench-lexical.ts'
import { benchRetrieve } from '../src/bench/bench-retrieve.ts'
import { benchTurns } from '../src/bench/bench-turns.ts'
import { machine } from '../src/bench/open-bench.ts'

const benches: Record<string, (scope: AsyncDisposableStack) => Promise<Record<string, number>>> = {
  lexical: benchLexical,
  gateway: benchGateway,
  turns: benchTurns,
  ingest: benchIngest,
  flood: benchFlood,
  embed: benchEmbed,
  retrieve: benchRetrieve,
}

const [name = ''] = process.argv.slice(2).filter((arg) => arg !== '--')
const bench = benches[name]
if (!bench) {
  console.error(`Which one? ${Object.keys(benches).join(', ')}`)
  process.exit(2)
}
await using scope = new AsyncDisposableStack()
const figures = await bench(scope)
for (const [figure, value] of Object.entries(figures)) console.log(`${figure.padEnd(48)} ${Number(value.toPrecision(4))}`)
const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim()
console.log(JSON.stringify({ bench: name, commit, ...machine(), figures }))
