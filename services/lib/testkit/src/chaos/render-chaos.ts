import type { ChaosResult } from './run-chaos.ts'

const EXAMPLES = 8

/** What a reader wants to know of a run, as a Markdown table. */
export function renderChaos(result: ChaosResult): string {
  const { kills, done, renames, verdict, repeats, metrics } = result
  const sum = Object.entries(done).map(([act, n]) => `${n} × ${act}`)
  const rows: [string, string][] = [
    ['files at the end', `${result.files}, ${result.bookFiles} of books`],
    ['changes meanwhile', sum.join(', ')],
    ['workers killed (SIGKILL, two at work)', String(kills.worker)],
    ['queue killed; emptied as well', `${kills.queue}; ${kills.emptied}`],
    ['Chroma killed', String(kills.chroma)],
    ['seconds from the last fault to rest', result.seconds === undefined ? 'never' : result.seconds.toFixed(0)],
    ['documents, chunks, entries of the dense index', `${verdict.documents}, ${verdict.chunks}, ${verdict.vectors}`],
    ['findings of the verifier', String(verdict.findings.length)],
    ['files that ended otherwise than they must', String(result.wrong.length)],
    ['renamed files followed; with another id', `${renames.length}; ${renames.filter(({ keepsId }) => !keepsId).length}`],
    ['renamed files that cost an embedding', String(result.reembedded.length)],
    ['texts embedded; distinct', `${repeats.embedded}; ${repeats.distinct}`],
    [
      'again: batch lost by a kill; two jobs at once; deleted meanwhile with its last document; without a reason',
      `${repeats.lostByKill}; ${repeats.atOnce}; ${repeats.forgotten}; ${repeats.without.length}`,
    ],
    [
      'docent_chunks_embedded_total; docent_ingest_vectors_reused_total',
      `${metrics.embedded}; ${metrics.reused} (what killed workers had not told is missing)`,
    ],
    ['attempts without an end; lost', `${result.openAttempts}; ${result.lostAttempts}`],
  ]
  return [['what', 'seen'], ['---', '---'], ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}

/** Everything that must not be, in words; empty for a run that passed. */
export function faultsOf(result: ChaosResult): string[] {
  const { verdict, wrong, reembedded, renames, repeats } = result
  const some = (lines: readonly string[]) => [
    ...lines.slice(0, EXAMPLES),
    ...(lines.length > EXAMPLES ? [`… and ${lines.length - EXAMPLES} more`] : []),
  ]
  return [
    ...(result.seconds === undefined ? ['it did not come to rest before the deadline'] : []),
    ...some(verdict.findings.map(({ fault, path, detail }) => `${fault} ${path}: ${detail}`)),
    ...some(wrong),
    ...some(reembedded.map((line) => `renamed and embedded again: ${line}`)),
    ...some(renames.filter(({ keepsId }) => !keepsId).map(({ from, to }) => `renamed and not the same document: ${from} → ${to}`)),
    ...some(repeats.without.map((text) => `embedded again without a reason: ${text.slice(0, 60)}`)),
    ...(result.unseen > 0 ? [`${result.unseen} renames were never seen`] : []),
    ...(result.openAttempts > 0 ? [`${result.openAttempts} attempts have no end`] : []),
  ]
}
