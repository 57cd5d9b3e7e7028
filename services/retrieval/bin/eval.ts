// node services/retrieval/bin/eval.ts --suite core|smoke [--half even|odd|all]: a quick look while tuning; npm run eval measures the services
// Measures the pure functions of search on sets of questions; EVAL_SETS names their folder. With EMBEDDER_URL (or vectors that an
// earlier run left in EVAL_VECTORS) both legs, else the lexical leg alone. Tune on --half even, report --half odd.
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { fold } from '@docent/core/text/fold'
import { createHttpEmbedder } from '@docent/models/http-embedder'
import { ask, type BenchSet, type Doc, type Found, readSet, type Shelf, shelve, vectorsOf, withLanguage } from '../src/eval/bench-set.ts'
import { auroc, mean, ndcgAt10 } from '../src/eval/measure.ts'
import { everydayQuestions } from '../src/search/everyday-questions.ts'

const { values: options } = parseArgs({
  args: process.argv.slice(2).filter((arg) => arg !== '--'),
  options: { suite: { type: 'string', default: 'core' }, half: { type: 'string', default: 'odd' } },
})
const folder = process.env.EVAL_SETS
if (!folder) {
  console.error('EVAL_SETS must name the folder of the evaluation sets (cmrc_dev.json, drcd_dev.json, …).')
  process.exit(2)
}
const embedder = process.env.EMBEDDER_URL ? createHttpEmbedder({ url: process.env.EMBEDDER_URL }) : undefined
const cache = { folder: process.env.EVAL_VECTORS ?? join(tmpdir(), 'docent-eval-vectors'), embedder }
const smoke = options.suite === 'smoke'
const taken = (place: number) => options.half === 'all' || place % 2 === (options.half === 'even' ? 0 : 1)
const problems: string[] = []

const everydayOf = async (language: 'zh' | 'en') =>
  (await vectorsOf(everydayQuestions[language], 'query', `everyday.${language}.q.f32`, cache)).filter((vector) => vector !== undefined)
const everyday = { zh: await everydayOf('zh'), en: await everydayOf('en') }

type Loaded = {
  data: BenchSet
  docs: Doc[]
  queries: { q: string; rel: string[]; place: number; vector: Float32Array | undefined }[]
  shelf: Shelf
}
const loaded = new Map<string, Loaded>()

// the crossed sets hold the questions of one set and the documents of another
const crossed: Record<string, [questions: string, docs: string]> = {
  xquad_en2zh: ['xquad_en', 'xquad_zh'],
  xquad_zh2en: ['xquad_zh', 'xquad_en'],
}

/** `rewrite` changes the questions, `suffix` names that version in the cache of vectors. */
async function load(name: string, suffix = '', rewrite = (q: string) => q): Promise<Loaded> {
  const known = loaded.get(name + suffix)
  if (known) return known
  const data = readSet(folder!, name)
  const [questionsOf, docsOf] = crossed[name] ?? [name, name]
  const docVectors = await vectorsOf(
    data.docs.map(({ title, text }) => `${title}\n${text}`),
    'passage',
    `${docsOf}.d.f32`,
    cache,
  )
  const questionVectors = await vectorsOf(
    data.queries.map(({ q }) => rewrite(q)),
    'query',
    `${questionsOf}${suffix}.q.f32`,
    cache,
  )
  const docs = data.docs.map((doc, i) => withLanguage(doc, docVectors[i]))
  const queries = data.queries.map(({ q, rel }, place) => ({ q: rewrite(q), rel, place, vector: questionVectors[place] }))
  const set = { data, docs, queries, shelf: shelve(docs) }
  loaded.set(name + suffix, set)
  return set
}

/** Only questions that have a vector when the documents have: a table compares legs on the same questions. */
function asked(set: Loaded, shelf = set.shelf) {
  const chosen = set.queries.filter((query) => taken(query.place) && (!shelf.dense || query.vector))
  return smoke ? chosen.filter((_, i) => i % 8 === 0) : chosen
}

const percent = (value: number) => (100 * value).toFixed(2).padStart(6)

function ranking(
  label: string,
  set: Loaded,
  floors: readonly [lexical: number, hybrid: number] | undefined,
  only = (_: string[]) => true,
  shelf = set.shelf,
): void {
  // without vectors the words must still reach what they were seen to reach; across languages they cannot
  const floor = floors?.[shelf.dense ? 1 : 0] || undefined
  const queries = asked(set, shelf).filter((query) => only(query.rel))
  const rows = queries.map(({ q, rel, vector }) => ({ rel, found: ask(shelf, q, shelf.dense ? vector : undefined, everyday) }))
  const score = (leg: (found: Found) => string[]) => mean(rows.map(({ rel, found }) => ndcgAt10(leg(found), rel)))
  const lexical = score((found) => found.lexical)
  const dense = score((found) => found.dense)
  const hybrid = score((found) => found.hybrid)
  const weight = mean(rows.map(({ found }) => found.weight))
  console.log(
    `| ${label} | ${shelf.docs.length} / ${queries.length} | ${percent(lexical)} | ${shelf.dense ? `${percent(dense)} | ${percent(hybrid)} | ${weight.toFixed(2)}` : '– | – | –'} | ${floor ?? '–'} |`,
  )
  const best = shelf.dense ? hybrid : lexical
  if (floor !== undefined && 100 * best < floor) problems.push(`${label}: ${percent(best)} is under its floor ${floor}`)
  if (shelf.dense && hybrid < Math.max(lexical, dense) - 1e-9)
    problems.push(`${label}: the hybrid ${percent(hybrid)} is below its better leg ${percent(Math.max(lexical, dense))}`)
}

function gate(label: string, inside: Loaded, outside: Loaded, floor: number | undefined, shelf = inside.shelf): void {
  const judgeAll = (set: Loaded) => asked(set, shelf).map(({ q, vector }) => ask(shelf, q, shelf.dense ? vector : undefined, everyday))
  const [yes, no] = [judgeAll(inside), judgeAll(outside)]
  const share = (found: Found[]) => found.filter((one) => one.gate.answerable).length / Math.max(1, found.length)
  // each verdict has a threshold of its own: in parts of it scores can be compared
  const scoreOf = (found: Found) => found.gate.score / (found.gate.threshold || 1)
  const words = auroc(
    yes.map((found) => found.ratio),
    no.map((found) => found.ratio),
  )
  const both = auroc(yes.map(scoreOf), no.map(scoreOf))
  console.log(
    `| ${label} | ${yes.length} / ${no.length} | ${words.toFixed(3)} | ${both.toFixed(3)} | ${percent(share(yes))} | ${percent(share(no))} | ${floor ?? '–'} |`,
  )
  if (floor !== undefined && both < floor) problems.push(`gate ${label}: AUROC ${both.toFixed(3)} is under its floor ${floor}`)
}

console.log(
  `suite ${options.suite}, ${options.half} questions\n\n| set | documents / questions | lexical | dense | hybrid | mean dense weight | floor |\n|---|---|---|---|---|---|---|`,
)
const [zh, en, cmrc, drcd, clapnq] = [
  await load('xquad_zh'),
  await load('xquad_en'),
  await load('cmrc_dev'),
  await load('drcd_dev'),
  await load('clapnq_dev'),
]
ranking('cmrc_dev', cmrc, [98.4, 98])
ranking('drcd_dev', drcd, undefined)
ranking('drcd_dev, simplified questions', await load('drcd_dev', '.simplified', fold), [97.3, 97])
ranking('xquad zh', zh, [96.7, 97])
ranking('xquad en', en, [96.8, 97.3])
ranking('clapnq_dev', clapnq, [94.5, 97.3])
ranking('xquad en→zh', await load('xquad_en2zh'), [0, 82])
ranking('xquad zh→en', await load('xquad_zh2en'), [0, 79])

// one folder with documents in both languages: the first half of xquad in Chinese, the second in English
const cut = zh.docs.length / 2
const chinese = zh.docs.slice(0, cut)
const english = en.docs.slice(cut)
const mixed = shelve([...chinese, ...english])
const inEnglish = new Set(english.map((doc) => doc.id))
const inChinese = new Set(chinese.map((doc) => doc.id))
ranking('mixed folder, zh asks zh', zh, undefined, (rel) => rel.some((id) => inChinese.has(id)), mixed)
ranking('mixed folder, en asks en', en, undefined, (rel) => rel.some((id) => inEnglish.has(id)), mixed)
ranking('mixed folder, zh→en', await load('xquad_zh2en'), undefined, (rel) => rel.some((id) => inEnglish.has(id)), mixed)
ranking('mixed folder, en→zh', await load('xquad_en2zh'), undefined, (rel) => rel.some((id) => inChinese.has(id)), mixed)

console.log(
  `\n| gate: questions of / against documents of another corpus | in / out | AUROC words | AUROC both | answered, in % | answered, out % | floor |\n|---|---|---|---|---|---|---|`,
)
gate('zh: xquad_zh, out cmrc_dev', zh, cmrc, 0.965)
gate('zh: cmrc_dev, out xquad_zh', cmrc, zh, 0.965)
gate('zh-Hant: drcd_dev, out cmrc_dev', drcd, cmrc, undefined)
gate('en: xquad_en, out clapnq_dev', en, clapnq, 0.945)
gate('en: clapnq_dev, out xquad_en', clapnq, en, 0.945)
gate('en→zh: xquad, out clapnq_dev', await load('xquad_en2zh'), clapnq, undefined)
gate('zh→en: xquad, out cmrc_dev', await load('xquad_zh2en'), cmrc, undefined)
gate('mixed folder: zh, out cmrc_dev', zh, cmrc, undefined, mixed)
gate('mixed folder: en, out clapnq_dev', en, clapnq, undefined, mixed)

for (const problem of problems) console.log(`\nFAIL ${problem}`)
process.exitCode = problems.length > 0 ? 1 : 0
