import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { languageOf, scriptOf } from '@docent/core/text/language'
import type { Embedder } from '@docent/models/embedder'
import { z } from 'zod'
import type { Language } from '../index/chunk-index.ts'
import { createLexicalIndex, type LexicalIndex } from '../index/lexical-index.ts'
import { createDictionary } from '../search/dictionary.ts'
import { lessEverywhere, nearnessTo } from '../search/everywhere.ts'
import { dot } from '../search/flat-vectors.ts'
import { bothWays, crossWeight, type DenseGroup, denseWeight, evidenceOf, type Fused, fuse, type Hit, ownOdds } from '../search/fuse.ts'
import { type GateVerdict, judge } from '../search/gate.ts'
import { planQuery } from '../search/plan-query.ts'

const translate = createDictionary()

const SetFile = z.object({
  docs: z.array(z.object({ id: z.string(), title: z.string().default(''), text: z.string() })),
  queries: z.array(z.object({ id: z.string(), q: z.string(), rel: z.array(z.string()) })),
})
export type BenchSet = z.infer<typeof SetFile>
export type Doc = BenchSet['docs'][number] & { written: Language; vector?: Float32Array }
export type Query = BenchSet['queries'][number] & { place: number; vector?: Float32Array }

export function readSet(folder: string, name: string): BenchSet {
  return SetFile.parse(JSON.parse(readFileSync(join(folder, `${name}.json`), 'utf8')))
}

export type Everyday = Record<Language, readonly Float32Array[]>

/** Documents in memory, searched by the same functions as the service's. */
export type Shelf = { docs: readonly Doc[]; lexical: LexicalIndex; dense: boolean }

export function shelve(docs: readonly Doc[]): Shelf {
  const lexical = createLexicalIndex()
  for (const { title, text } of docs) lexical.add({ header: title, text, path: '' })
  return { docs, lexical, dense: docs.every((doc) => doc.vector) }
}

export type Found = { lexical: string[]; dense: string[]; hybrid: string[]; gate: GateVerdict; ratio: number; weight: number }

export function ask(
  { docs, lexical }: Shelf,
  question: string,
  vector: Float32Array | undefined,
  everyday: Everyday = { zh: [], en: [] },
): Found {
  const plan = planQuery({ query: question }, lexical)
  const words: Hit<Doc>[] = lexical.search(plan.terms, 100).map(({ chunk, score }) => ({ chunk: docs[chunk]!, score }))
  const near = vector ? docs.map((chunk) => ({ chunk, score: dot(vector, chunk.vector!) })).sort((a, b) => b.score - a.score) : []
  const groups: DenseGroup<Doc>[] = (['zh', 'en'] as const).map((language) => {
    const hits = near.filter(({ chunk }) => chunk.written === language)
    const questions = everyday[plan.language]
    const foreign = language !== plan.language && questions.length > 0
    return { language, hits: (foreign ? lessEverywhere(hits, ({ vector: own }) => nearnessTo(questions, own!)) : hits).slice(0, 50) }
  })
  const isOther = (chunk: number) => docs[chunk]!.written !== plan.language
  const { hits, ...rest } = lexical.searchMeanings(translate(question, plan.language), 100, isOther)
  const translated = { hits: hits.map(({ chunk, score }) => ({ chunk: docs[chunk]!, score })), ...rest }
  const evidence = evidenceOf(words, plan.idfTotal, groups, plan.language, translated)
  const odds = ownOdds(evidence, plan.language)
  const writing = { question: plan.script, text: words[0] && scriptOf(words[0].chunk.text), code: plan.code }
  const weight = denseWeight(odds === undefined ? evidence : { ...evidence, other: 0 }, plan.language, writing)
  const balance = { weight, odds, cross: crossWeight(evidence) }
  const fused: Fused<Doc>[] = fuse(bothWays(words, translated), groups, plan.language, balance)
  return {
    lexical: words.map(({ chunk }) => chunk.id),
    dense: near.slice(0, 10).map(({ chunk }) => chunk.id),
    hybrid: fused.slice(0, 10).map(({ chunk }) => chunk.id),
    gate: judge(evidence, plan.language),
    ratio: evidence.ratio,
    weight,
  }
}

/** Vectors of a set's texts, from `folder` where an earlier run left them, else from the embedder. */
export async function vectorsOf(
  texts: readonly string[],
  kind: 'query' | 'passage',
  file: string,
  { folder, embedder, dimension = 384 }: { folder: string; embedder?: Embedder | undefined; dimension?: number },
): Promise<(Float32Array | undefined)[]> {
  const path = join(folder, file)
  if (!existsSync(path)) {
    if (!embedder) return texts.map(() => undefined)
    const out: Float32Array[] = []
    for (const text of texts) {
      const signal = AbortSignal.timeout(60_000)
      out.push(kind === 'query' ? await embedder.query(text, signal) : (await embedder.passages([text], signal))[0]!)
    }
    mkdirSync(folder, { recursive: true })
    writeFileSync(path, Buffer.concat(out.map((vector) => Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength))))
  }
  const bytes = readFileSync(path)
  const all = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength))
  return texts.map((_, i) => ((i + 1) * dimension <= all.length ? all.subarray(i * dimension, (i + 1) * dimension) : undefined))
}

export function withLanguage(doc: BenchSet['docs'][number], vector: Float32Array | undefined): Doc {
  return { ...doc, written: languageOf(doc.text), ...(vector ? { vector } : {}) }
}
