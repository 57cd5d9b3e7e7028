import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { auroc, fprAt95 } from '@docent/retrieval/eval/measure'
import { z } from 'zod'
import { machine } from '../bench/open-bench.ts'
import type { Line } from './ask-set.ts'
import { hashOfFolder, type Ingested } from './facts.ts'

const AskedQuestion = z.object({
  id: z.string(),
  q: z.string(),
  rank: z.number().nullable(),
  ndcg: z.number(),
  answerable: z.boolean(),
  score: z.number(),
  threshold: z.number(),
})
const RecordLine = z.object({
  set: z.string(),
  configuration: z.string(),
  configVersion: z.string(),
  dataHash: z.string(),
  questions: z.number(),
  ndcg10: z.number(),
  interval: z.tuple([z.number(), z.number()]),
  recall1: z.number(),
  recall5: z.number(),
  recall10: z.number(),
  mrr10: z.number(),
  answerable: z.number(),
  searchMsP50: z.number(),
  searchMsP95: z.number(),
  degraded: z.number(),
  outsideOf: z.array(z.string()).optional(),
  asked: z.array(AskedQuestion),
})
const IngestedLine = z.object({
  set: z.string(),
  files: z.number(),
  chunks: z.number(),
  seconds: z.number(),
  stageMs: z.record(z.string(), z.number()),
  indexBytes: z.number(),
  rssMb: z.number(),
})
export const EvalRecord = z.object({
  suite: z.string(),
  command: z.string(),
  commit: z.string(),
  cpu: z.string(),
  node: z.string(),
  model: z.string(),
  /** of the files of the bundled model */
  modelHash: z.string(),
  ingested: z.array(IngestedLine),
  lines: z.array(RecordLine),
})
export type EvalRecord = z.infer<typeof EvalRecord>

const modelFiles = new URL('../../../../embedder/model/', import.meta.url).pathname

export function recordOf(suite: string, command: string, model: string, lines: Line[], ingested: Ingested[]): EvalRecord {
  const modelHash = hashOfFolder(modelFiles, (path) => /\.(onnx|bin)$/.test(path))
  return { suite, command, commit: commitNow(), ...machine(), model, modelHash, ingested, lines }
}

/** The command as anyone may repeat it: where this run wrote its record, and whether it rendered it, is no part of it. */
export function commandOf(args: readonly string[]): string {
  const isOut = (arg: string | undefined) => arg === '--out'
  const kept = args.filter((arg, i) => arg !== '--render' && !isOut(arg) && !isOut(args[i - 1]) && !arg.startsWith('--out='))
  return kept.length === 0 ? 'npm run eval' : `npm run eval -- ${kept.join(' ')}`
}

export function readRecord(file: string): EvalRecord {
  return EvalRecord.parse(JSON.parse(readFileSync(file, 'utf8')))
}

function commitNow(): string {
  try {
    const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim()
    const isDirty = execFileSync('git', ['status', '--porcelain'], { encoding: 'utf8' }).trim() !== ''
    return isDirty ? `${commit} with changes` : commit
  } catch {
    return 'no repository' // an installed copy has none
  }
}

const percent = (value: number) => (100 * value).toFixed(2)

/** The least a line must reach, and of which of its figures. */
export type FloorOf = (line: Line) => { of: string; at: number } | undefined

export function table(lines: readonly Line[], floorOf: FloorOf): string {
  const rows = lines
    .filter(({ outsideOf }) => !outsideOf)
    .map((line) => {
      const floor = floorOf(line)
      const [low, high] = line.interval
      const { ndcg10, recall1, recall5, recall10, mrr10 } = line
      // what cannot be answered has no right document
      const found = line.set.includes('unanswerable')
        ? '– | – | – | – | –'
        : `${percent(ndcg10)} (${percent(low)}–${percent(high)}) | ${[recall1, recall5, recall10, mrr10].map(percent).join(' | ')}`
      return `| ${line.set} | ${line.configuration} | ${line.questions} | ${line.degraded} | ${found} | ${percent(line.answerable)} | ${line.searchMsP50.toFixed(1)} / ${line.searchMsP95.toFixed(1)} | ${floor ? `${floor.of} ${percent(floor.at)}` : '–'} |`
    })
  return [
    '| set | configuration | questions | without a step | nDCG@10 (95 %) | R@1 | R@5 | R@10 | MRR@10 | judged answerable | search ms p50 / p95 | floor |',
    '|---|---|---|---|---|---|---|---|---|---|---|---|',
    ...rows,
  ].join('\n')
}

/** How well the gate tells a set's questions from those of another corpus, by its score ÷ its threshold. Empty without such questions. */
export function gateTable(lines: readonly Line[]): string {
  const scoresOf = ({ asked }: Line) => asked.map(({ score, threshold }) => score / (threshold || 1))
  const rows = lines.flatMap((outside) =>
    (outside.outsideOf ?? []).flatMap((set) => {
      const inside = lines.find((line) => !line.outsideOf && line.set === set && line.configuration === outside.configuration)
      if (!inside) return []
      const [yes, no] = [scoresOf(inside), scoresOf(outside)]
      const shares = [fprAt95(yes, no), inside.answerable, outside.answerable].map(percent).join(' | ')
      return [`| ${set} | ${outside.set} | ${yes.length} / ${no.length} | ${auroc(yes, no).toFixed(3)} | ${shares} |`]
    }),
  )
  if (rows.length === 0) return ''
  return [
    '| questions of | against questions that it cannot answer | in / out | AUROC | let through where 95 % are, % | answered, % | answered, out, % |',
    '|---|---|---|---|---|---|---|',
    ...rows,
  ].join('\n')
}

export function ingestTable(ingested: readonly Ingested[]): string {
  const rows = ingested.map(({ set, files, chunks, seconds, stageMs, indexBytes, rssMb }) => {
    const each = (ms = 0) => (ms / files).toFixed(0)
    const stages = [stageMs.extract, stageMs.chunk, stageMs.embed, stageMs.write].map(each).join(' / ')
    return `| ${set} | ${files} / ${chunks} | ${seconds.toFixed(1)} | ${(files / seconds).toFixed(1)} / ${(chunks / seconds).toFixed(1)} | ${stages} | ${(indexBytes / 1024 / 1024).toFixed(1)} | ${rssMb} |`
  })
  return [
    '| folder | files / chunks | indexed in s | files/s / chunks/s | ms a file: extract / chunk / embed / write | corpus in Postgres, MB | process, MB |',
    '|---|---|---|---|---|---|---|',
    ...rows,
  ].join('\n')
}

/** Replaces what stands between the suite's marks of a Markdown file. */
export function render(file: string, record: EvalRecord, floorOf: FloorOf): void {
  const text = readFileSync(file, 'utf8')
  const [begin, end] = [`<!-- eval:${record.suite}:begin -->`, `<!-- eval:${record.suite}:end -->`]
  const from = text.indexOf(begin)
  const to = text.indexOf(end)
  if (from < 0 || to < from) throw new Error(`${file} has no place for suite ${record.suite}`)
  const facts = `\`${record.command}\`, commit ${record.commit}, model ${record.model} (${record.modelHash}), ${record.cpu}, Node ${record.node}.`
  writeFileSync(
    file,
    `${text.slice(0, from)}${begin}\n${facts}\n\n${[table(record.lines, floorOf), gateTable(record.lines), ingestTable(record.ingested)].filter(Boolean).join('\n\n')}\n${text.slice(to)}`,
  )
}

/** The lines that both records have, and the questions that lost most from A to B. */
export function compare(a: EvalRecord, b: EvalRecord): string {
  const out = ['| set | configuration | A | B | difference (95 % of the paired one) |', '|---|---|---|---|---|']
  const lost: { by: number; text: string }[] = []
  for (const after of b.lines) {
    if (after.outsideOf) continue
    const before = a.lines.find((line) => !line.outsideOf && line.set === after.set && line.configuration === after.configuration)
    if (!before) continue
    const known = new Map(before.asked.map((one) => [one.id, one]))
    const pairs = after.asked.flatMap((one) => (known.has(one.id) ? [{ one, was: known.get(one.id)! }] : []))
    const differences = pairs.map(({ one, was }) => one.ndcg - was.ndcg)
    const mean = differences.reduce((sum, value) => sum + value, 0) / Math.max(1, differences.length)
    const spread = Math.sqrt(differences.reduce((sum, value) => sum + (value - mean) ** 2, 0)) / Math.max(1, differences.length)
    const signed = (value: number) => `${value >= 0 ? '+' : ''}${percent(value)}`
    out.push(
      `| ${after.set} | ${after.configuration} | ${percent(before.ndcg10)} | ${percent(after.ndcg10)} | ${signed(mean)} (${signed(mean - 1.96 * spread)} to ${signed(mean + 1.96 * spread)}) |`,
    )
    for (const { one, was } of pairs)
      if (one.ndcg < was.ndcg)
        lost.push({
          by: was.ndcg - one.ndcg,
          text: `${after.set}, ${after.configuration}: ${was.rank ?? '–'} → ${one.rank ?? '–'}  ${one.q}`,
        })
  }
  const worst = lost.sort((x, y) => y.by - x.by).slice(0, 20)
  return [...out, '', `${lost.length} questions lost places; the worst:`, ...worst.map(({ text }) => `  ${text}`)].join('\n')
}
