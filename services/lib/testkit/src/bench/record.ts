import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { goals } from './goals.ts'

export type BenchRecord = {
  bench: string
  commit: string
  /** day */
  at: string
  cpu: string
  node: string
  /** load average over a minute before it, and after it, when its own work is in */
  load: [number, number]
  figures: Record<string, number>
}

const records = new URL('./recorded.jsonl', import.meta.url)
const page = new URL('../../../../BENCHMARKS.md', import.meta.url)

/** Keeps the last record of each bench and writes the page from them. */
export function keepRecord(record: BenchRecord): void {
  const kept = [...readRecords().filter(({ bench }) => bench !== record.bench), record].sort((a, b) => (a.bench < b.bench ? -1 : 1))
  writeFileSync(records, `${kept.map((one) => JSON.stringify(one)).join('\n')}\n`)
  writeFileSync(page, renderBenchmarks(kept))
}

export function readRecords(): BenchRecord[] {
  return existsSync(records)
    ? readFileSync(records, 'utf8')
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line) as BenchRecord)
    : []
}

/** The page holds nothing that is not in the records. */
export function renderBenchmarks(kept: readonly BenchRecord[]): string {
  const rows = goals.map(({ what, bench, figure, wanted, holds }) => {
    const value = kept.find((record) => record.bench === bench)?.figures[figure]
    return `| ${what} | ${wanted} | ${value === undefined ? '–' : rounded(value)} | ${value === undefined ? '–' : holds(value) ? 'yes' : 'no'} | ${bench} |`
  })
  const parts = kept.map(
    ({ bench, commit, at, cpu, node, load, figures }) => `## ${bench}

\`npm run bench -- ${bench} --record\` at commit ${commit}, ${at}, ${cpu}, Node ${node}; load average ${load[0].toFixed(1)} before it and ${load[1].toFixed(1)} after it.

| figure | |
| --- | --- |
${Object.entries(figures)
  .map(([figure, value]) => `| ${figure} | ${rounded(value)} |`)
  .join('\n')}
`,
  )
  return `# Benchmarks, as last recorded

Written by \`npm run bench\` (all of them) or \`npm run bench -- NAME --record\` (one), from what they measured alone. The load, the mock model and the stores share the machine with what is measured; where other work did, too, the load average says so, and ratios can be believed sooner than times. What stands behind a figure is told in the README of the service.

| what | wanted | measured | holds | bench |
| --- | --- | --- | --- | --- |
${rows.join('\n')}

${parts.join('\n')}`
}

function rounded(value: number): string {
  return Number(value.toPrecision(3)).toLocaleString('en', { maximumFractionDigits: 4 })
}
