import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { SearchResponse, TuningPatch } from '@docent/core/passage'
import { fold } from '@docent/core/text/fold'
import type { Embedder } from '@docent/models/embedder'
import type { Stores } from '@docent/solo/stores'
import { z } from 'zod'
import { askSet, type Line, type Question } from './ask-set.ts'
import { hashOf, type Ingested, ingestOf } from './facts.ts'
import { openLibrary } from './open-library.ts'

const SetFile = z.object({
  docs: z.array(z.object({ id: z.string(), title: z.string().default(''), text: z.string() })),
  queries: z.array(z.object({ id: z.string(), q: z.string(), rel: z.array(z.string()) })),
})
type Doc = z.infer<typeof SetFile>['docs'][number]
type Read = (name: string) => z.infer<typeof SetFile>

/** The floors of the hybrid, nDCG@10; across languages the documents are all in the other one. */
export const coreFloors: Record<string, number> = {
  cmrc_dev: 0.98,
  'drcd_dev, simplified questions': 0.97,
  'xquad zh': 0.97,
  'xquad en': 0.973,
  'xquad en→zh': 0.82,
  'xquad zh→en': 0.79,
  clapnq_dev: 0.973,
}

type Plan = {
  docs: (read: Read) => Doc[]
  asked: { label: string; questions: string; rewrite?: (q: string) => string }[]
  /** questions that these documents do not answer, for the lines in the same language */
  outside: Record<string, string[]>
}
const plans: Record<string, Plan> = {
  xquad_zh: {
    docs: (read) => read('xquad_zh').docs,
    asked: [
      { label: 'xquad zh', questions: 'xquad_zh' },
      { label: 'xquad en→zh', questions: 'xquad_en2zh' },
    ],
    outside: { cmrc_dev: ['xquad zh'], clapnq_dev: ['xquad en→zh'] },
  },
  xquad_en: {
    docs: (read) => read('xquad_en').docs,
    asked: [
      { label: 'xquad en', questions: 'xquad_en' },
      { label: 'xquad zh→en', questions: 'xquad_zh2en' },
    ],
    outside: { clapnq_dev: ['xquad en'], cmrc_dev: ['xquad zh→en'] },
  },
  // one folder of two languages: the first half of the documents in Chinese, the second in English
  mixed: {
    docs: (read) => {
      const [zh, en] = [read('xquad_zh').docs, read('xquad_en').docs]
      return [...zh.slice(0, zh.length / 2), ...en.slice(zh.length / 2)]
    },
    asked: [
      { label: 'mixed folder, zh asks zh', questions: 'xquad_zh' },
      { label: 'mixed folder, en asks en', questions: 'xquad_en' },
      { label: 'mixed folder, zh→en', questions: 'xquad_zh2en' },
      { label: 'mixed folder, en→zh', questions: 'xquad_en2zh' },
    ],
    outside: {
      cmrc_dev: ['mixed folder, zh asks zh', 'mixed folder, zh→en'],
      clapnq_dev: ['mixed folder, en asks en', 'mixed folder, en→zh'],
    },
  },
  cmrc_dev: {
    docs: (read) => read('cmrc_dev').docs,
    asked: [{ label: 'cmrc_dev', questions: 'cmrc_dev' }],
    outside: { xquad_zh: ['cmrc_dev'] },
  },
  drcd_dev: {
    docs: (read) => read('drcd_dev').docs,
    asked: [{ label: 'drcd_dev, simplified questions', questions: 'drcd_dev', rewrite: fold }],
    outside: { cmrc_dev: ['drcd_dev, simplified questions'] },
  },
  clapnq_dev: {
    docs: (read) => read('clapnq_dev').docs,
    asked: [{ label: 'clapnq_dev', questions: 'clapnq_dev' }],
    outside: { xquad_en: ['clapnq_dev'] },
  },
}
export const allSets = Object.keys(plans)

const only = (weight: number): TuningPatch => ({
  weights: {
    zh: { base: weight, sentence: 0 },
    en: { base: weight, sentence: 0 },
    hant: weight,
    scripts: weight,
    codes: weight,
    cross: weight,
    translated: weight,
  },
  // which language answers is judged by both legs, and what a document is called by none
  languages: { step: 0 },
  hints: { name: 0, date: 0, code: 0 },
})
/** the ladder: each leg alone, by the weights that a request may set, then the two together */
export const configurations: Record<string, TuningPatch> = {
  words: only(0),
  meaning: only(1),
  both: { weights: { zh: { sentence: 0 }, en: { sentence: 0 } }, hints: { name: 0, date: 0, code: 0 } },
  fused: {},
}

export type CoreOptions = { sets: readonly string[]; half: 'odd' | 'even' | 'all'; most: number; ladder: boolean }

/** Each set's documents as Markdown files through the real services; a passage counts for its document. */
export async function core(
  folder: string,
  stores: Stores,
  embedder: Embedder,
  options: CoreOptions,
  say: (line: Line) => void,
): Promise<Ingested[]> {
  const read: Read = (name) => SetFile.parse(JSON.parse(readFileSync(join(folder, `${name}.json`), 'utf8')))
  const ingested: Ingested[] = []
  for (const name of options.sets) {
    const plan = plans[name]
    if (!plan) throw new Error(`There is no set ${name}: ${allSets.join(', ')}`)
    await using scope = new AsyncDisposableStack()
    const docs = plan.docs(read)
    const ids = new Set(docs.map(({ id }) => id))
    const files = writeFiles(docs, scope)
    const library = await openLibrary(stores, files, embedder, scope)
    const choose = (questions: string, isOf: (rel: readonly string[]) => boolean, rewrite = (q: string) => q): Question[] =>
      read(questions)
        .queries.filter((_, place) => options.half === 'all' || place % 2 === (options.half === 'even' ? 0 : 1))
        .filter(({ rel }) => isOf(rel))
        .filter((_, place, { length }) => isSampled(place, length, options.most))
        .map(({ id, q, rel }) => ({ id, q: rewrite(q), rel }))
    for (const { label, questions, rewrite } of plan.asked) {
      const chosen = choose(questions, (rel) => rel.some((id) => ids.has(id)), rewrite)
      const dataHash = hashOf([...docs, ...chosen])
      for (const [configuration, tuning] of Object.entries(configurations)) {
        if (!options.ladder && configuration !== 'fused') continue
        say({ ...(await askSet(library, label, chosen, files.idsOf, configuration, { tuning })), dataHash })
      }
    }
    for (const [questions, outsideOf] of options.ladder ? Object.entries(plan.outside) : []) {
      const chosen = choose(questions, () => true)
      say({ ...(await askSet(library, questions, chosen, files.idsOf, 'fused')), dataHash: hashOf([...docs, ...chosen]), outsideOf })
    }
    ingested.push(await ingestOf(name, library))
  }
  return ingested
}

/** `most` of `length` places at even distances, the same each time. */
function isSampled(place: number, length: number, most: number): boolean {
  return most >= length || Math.floor(((place + 1) * most) / length) > Math.floor((place * most) / length)
}

function writeFiles(docs: readonly Doc[], scope: AsyncDisposableStack) {
  const folder = mkdtempSync(join(tmpdir(), 'docent-eval-'))
  scope.defer(() => rmSync(folder, { recursive: true, force: true }))
  const ids = new Map<string, string>()
  docs.forEach(({ id, title, text }, n) => {
    const path = `${n}.md`
    ids.set(path, id)
    writeFileSync(join(folder, path), `${title ? `# ${flatten(title)}\n\n` : ''}${flatten(text)}\n`)
  })
  return { folder, files: ids.size, idsOf: (found: SearchResponse) => found.passages.map(({ path }) => ids.get(path)!) }
}

/** one paragraph, and nothing that begins a line as Markdown does */
function flatten(text: string): string {
  return text.replace(/\s+/g, ' ').trim()
}
