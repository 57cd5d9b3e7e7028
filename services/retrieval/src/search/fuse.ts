import type { Language } from '../index/chunk-index.ts'
import type { Naming } from './named.ts'
import type { Languages, Weights } from './tuning.ts'

export type Hit<C> = { chunk: C; score: number }
type Candidate = { id: string; written: Language }
export type DenseGroup<C> = { language: Language; hits: Hit<C>[] }

/** What the two legs say about a question, before any chunk is judged. */
export type Evidence = {
  /** best BM25 ÷ what a chunk with every word of the question would score */
  ratio: number
  /** how far the best dense hit of the question's own language, and of the other, stands above its group */
  own: number
  other: number
  ownChunks: number
  otherChunks: number
  /** the best of one chunk in the question's language, and in the other: share of the words it holds + `SPREAD` × how far it stands out */
  ownFit: number
  otherFit: number
  /** share of the question's words, by how rare they are, that the dictionary finds in the documents */
  translated: number
  /** what the documents say of the question's identifiers */
  naming?: Naming
}

/** passages of the other language by the dictionary; `total`: the score of one with every word; `known`: share of it that occurs at all */
export type ByDictionary<C> = { hits: Hit<C>[]; total: number; known: number }

export type Fused<C> = {
  chunk: C
  scores: { lexical?: number; dense?: number; sentence?: number; fused: number; rerank?: number }
  ranks: { lexical?: number; dense?: number; fused: number; rerank?: number; final?: number }
  /** what the question says of its document: its name, a year or version in it; `code`: it holds a rare identifier of the question */
  hints?: ('name' | 'date' | 'code')[]
}

/** cosines of e5 crowd at 0.7–1 and differ by language: only the distance to the group's mean says something */
export function marginOf(hits: readonly { score: number }[]): number {
  return hits.length === 0 ? 0 : hits[0]!.score - meanOf(hits)
}

// of what was tried (5, 10, 20) this tells questions of other corpora best across languages
const SPREAD = 20
// as far as the bundled model's best stand out; another model's cosines may lie further apart, and must not silence the words
const MOST_SPREAD = 1.6

/** Words and meaning must meet in one chunk: `total` is what one with every word would score. */
function fitOf<C extends Candidate>(dense: readonly Hit<C>[], words: readonly Hit<C>[], total: number): number {
  const mean = meanOf(dense)
  const scores = new Map(words.map(({ chunk, score }) => [chunk.id, score]))
  return dense.reduce((most, { chunk, score }) => {
    const share = total === 0 ? 0 : (scores.get(chunk.id) ?? 0) / total
    return Math.max(most, share + Math.min(MOST_SPREAD, SPREAD * (score - mean)))
  }, 0)
}

/** `byDictionary` is absent where nothing is written in the other language, or there is no dictionary. */
export function evidenceOf<C extends Candidate>(
  lexical: readonly Hit<C>[],
  idfTotal: number,
  groups: readonly DenseGroup<C>[],
  language: Language,
  byDictionary?: ByDictionary<C>,
): Evidence {
  const own = groups.find((group) => group.language === language)?.hits ?? []
  const other = groups.find((group) => group.language !== language)?.hits ?? []
  return {
    ratio: idfTotal === 0 ? 0 : (lexical[0]?.score ?? 0) / idfTotal,
    own: marginOf(own),
    other: marginOf(other),
    ownChunks: own.length,
    otherChunks: other.length,
    ownFit: fitOf(own, lexical, idfTotal),
    otherFit: fitOf(other, byDictionary?.hits ?? [], byDictionary?.total ?? 0),
    translated: byDictionary?.known ?? 0,
  }
}

/**
 * Swept on the even questions of the evaluation sets; see EVALUATION.md. In Chinese the base is below one half: where the words are
 * known, the best passage by words never loses to one that only the dense leg likes. In English words alone are the weaker leg.
 */
export const weights = {
  // `sentence`: what the share of the question's words that stand in one sentence counts, times the weight of words
  zh: { low: 0.2, high: 0.4, base: 0.35, sentence: 0.75 },
  en: { low: 0.4, high: 0.7, base: 0.6, sentence: 0.5 },
  /** the bundled model is weak in traditional Chinese, and weaker where question and text are written in different scripts */
  hant: 0.2,
  scripts: 0.1,
  /** at most, where the question holds a number, a code or a file name that the documents hold: the model hardly sees these */
  codes: 0.4,
  cross: 0.95,
  /** the same where the dictionary knows all words of the question; between both by the share that it knows */
  translated: 0.55,
  margin: 6,
} as const

/** 0 where the folder knows the question's words, 1 where it does not know them in this language. */
export function strangeness(evidence: Evidence, language: Language, tuned: Weights = weights): number {
  const { low, high } = tuned[language]
  const words = evidence.ratio + tuned.margin * (evidence.own - evidence.other)
  return Math.min(1, Math.max(0, (high - words) / Math.max(1e-6, high - low)))
}

type Script = 'hans' | 'hant'
/** how the question and its best passage by words are written; `code`: it holds a number, a code or a file name of the documents */
export type Writing = { question: Script; text: Script | undefined; code: boolean }

/** The dense leg's weight: small where the words are found, nearly all where they are not (another language). */
export function denseWeight(evidence: Evidence, language: Language, { question, text, code }: Writing, tuned: Weights = weights): number {
  const sameScript = text === undefined || text === question
  const usual = sameScript ? (question === 'hant' ? tuned.hant : tuned[language].base) : tuned.scripts
  // nothing is written in the question's language: what weighs there says nothing
  if (evidence.ownChunks === 0 && evidence.translated > 0) return crossWeight(evidence, tuned)
  const base = code ? Math.min(usual, tuned.codes) : usual
  return base + (tuned.cross - base) * strangeness(evidence, language, tuned)
}

/** The dense leg's weight among passages of the other language. */
export function crossWeight({ translated }: Evidence, tuned: Weights = weights): number {
  return tuned.cross + (tuned.translated - tuned.cross) * translated
}

/** A passage that its own words and the dictionary's find counts by the better. */
export function bothWays<C extends Candidate>(lexical: readonly Hit<C>[], byDictionary?: ByDictionary<C>): readonly Hit<C>[] {
  if (!byDictionary) return lexical
  const translated = new Map(byDictionary.hits.map(({ chunk, score }) => [chunk.id, score]))
  const direct = lexical.map(({ chunk, score }) => ({ chunk, score: Math.max(score, translated.get(chunk.id) ?? 0) }))
  const found = new Set(direct.map(({ chunk }) => chunk.id))
  return [...direct, ...byDictionary.hits.filter(({ chunk }) => !found.has(chunk.id))].sort((a, b) => b.score - a.score)
}

/**
 * In a folder of two languages: is the answer written in the question's own? By what the best chunk of each has (`ownFit`, `otherFit`): a
 * regression on even questions of folders of both (see EVALUATION.md); `bias` holds the prior. Where one language has fewer than `minGroup` passages nothing is judged, and `step` 0
 * judges nothing at all: then both are one list.
 */
export const languages = {
  zh: { own: 6.4, other: 2.9, bias: -2.4 },
  en: { own: 3.6, other: 4.5, bias: 0.8 },
  /** what a passage of the less likely language loses for each unit of the log odds */
  step: 0.15,
  minGroup: 8,
} as const

/** The log odds that the answer is written in the question's language; undefined where both languages are one list. */
export function ownOdds(evidence: Evidence, language: Language, tuned: Languages = languages): number | undefined {
  const { step, minGroup } = tuned
  if (step === 0 || Math.min(evidence.ownChunks, evidence.otherChunks) < minGroup) return undefined
  const { own, other, bias } = tuned[language]
  return own * evidence.ownFit - other * evidence.otherFit + bias
}

/**
 * How the legs are weighed: `odds` as of `ownOdds`; `cross` is the weight of meaning among passages of the other language; `shareOf` is the
 * share of the question's words, by how rare they are, that stand in one sentence of a chunk, and `sentence` what it counts.
 */
export type Balance<C> = {
  weight: number
  odds?: number | undefined
  cross?: number
  step?: number
  sentence?: number
  shareOf?: (chunk: C) => number
}

/** Of so many of the best of a list the sentences are read: what words or meaning alone leave further down, one sentence does not bring up. */
export const READ = 12

/**
 * Score fusion: BM25 ÷ its top; dense as the distance above its language's mean ÷ the largest such distance; of the best also how much of
 * the question stands in one sentence, for BM25 does not know whether words stand together (decision 0041). In a folder of two
 * languages each has its list on a scale of its own, from 1 down, and the less likely one's passages all lose the same.
 */
export function fuse<C extends Candidate>(
  lexical: readonly Hit<C>[],
  groups: readonly DenseGroup<C>[],
  language: Language,
  { weight, odds, cross = weights.cross, step = languages.step, sentence = 0, shareOf }: Balance<C>,
): Fused<C>[] {
  const centred = groups.flatMap(({ hits }) => aboveMean(hits)).sort((a, b) => b.above - a.above || b.score - a.score)
  const candidates = new Map<string, Candidacy<C>>()
  lexical.forEach(({ chunk, score }, i) => {
    candidates.set(chunk.id, {
      chunk,
      lexical: score,
      lexicalRank: i + 1,
      dense: undefined,
      denseRank: 0,
      above: 0,
      sentence: undefined,
      fused: 0,
    })
  })
  centred.forEach(({ chunk, score, above }, i) => {
    const known = candidates.get(chunk.id)
    if (!known)
      candidates.set(chunk.id, {
        chunk,
        lexical: undefined,
        lexicalRank: 0,
        dense: score,
        denseRank: i + 1,
        above,
        sentence: undefined,
        fused: 0,
      })
    else {
      known.dense = score
      known.denseRank = i + 1
      known.above = above
    }
  })
  const all = [...candidates.values()]
  const read = (list: Candidacy<C>[], dense: number) =>
    shareOf && sentence > 0 ? readSentences(list, (1 - dense) * sentence, shareOf) : list
  if (odds === undefined) read(blend(all, weight), weight)
  else {
    const own = all.filter(({ chunk }) => chunk.written === language)
    const other = all.filter(({ chunk }) => chunk.written !== language)
    lower(read(blend(own, weight), weight), step * Math.max(0, -odds))
    lower(blend(other, cross), step * Math.max(0, odds))
  }
  return all.sort((a, b) => b.fused - a.fused || (a.chunk.id < b.chunk.id ? -1 : 1)).map(toFused)
}

type Centred<C> = Hit<C> & { above: number }
/** what the legs say of a chunk; a rank is 0 where a leg does not know it */
type Candidacy<C> = {
  chunk: C
  lexical: number | undefined
  lexicalRank: number
  dense: number | undefined
  denseRank: number
  above: number
  sentence: number | undefined
  fused: number
}

/** Weighs both legs of one list, in the order in which they found its chunks. */
function blend<C>(list: Candidacy<C>[], weight: number): Candidacy<C>[] {
  let bestWords = 0
  let furthest = 0
  let hasDense = false
  for (const { lexical, dense, above } of list) {
    if (lexical !== undefined && lexical > bestWords) bestWords = lexical
    if (above > furthest) furthest = above
    hasDense ||= dense !== undefined
  }
  const wordShare = hasDense ? 1 - weight : 1
  for (const one of list) {
    if (one.lexical !== undefined) one.fused = (wordShare * one.lexical) / (bestWords || 1)
    if (one.dense !== undefined) one.fused += (weight * one.above) / (furthest || 1)
  }
  return list
}

/** Adds `by` times the share of the question that one sentence holds to the best of a list, which stays on the scale from 1 down. */
function readSentences<C>(list: Candidacy<C>[], by: number, shareOf: (chunk: C) => number): Candidacy<C>[] {
  const best = [...list].sort((a, b) => b.fused - a.fused).slice(0, READ)
  for (const one of best) {
    if (one.lexical === undefined) continue // none of its words
    one.sentence = shareOf(one.chunk)
    one.fused += by * one.sentence
  }
  for (const one of list) one.fused /= 1 + by
  return list
}

/** The list on the scale from 1 down, less `by`. */
function lower<C>(list: Candidacy<C>[], by: number): void {
  let best = 0
  for (const { fused } of list) if (fused > best) best = fused
  for (const one of list) one.fused = one.fused / (best || 1) - by
}

function toFused<C>(one: Candidacy<C>, i: number): Fused<C> {
  const { chunk, lexical, lexicalRank, dense, denseRank, sentence } = one
  const fused = Math.max(0, one.fused)
  const rank = i + 1
  const said = sentence === undefined ? { fused } : { sentence: Math.round(sentence * 1_000) / 1_000, fused }
  if (dense === undefined) return { chunk, scores: { lexical: lexical!, ...said }, ranks: { lexical: lexicalRank, fused: rank } }
  if (lexical === undefined) return { chunk, scores: { dense, ...said }, ranks: { dense: denseRank, fused: rank } }
  return { chunk, scores: { lexical, dense, ...said }, ranks: { lexical: lexicalRank, dense: denseRank, fused: rank } }
}

function aboveMean<C>(hits: readonly Hit<C>[]): Centred<C>[] {
  // a group of one has no mean of its own: it counts as standing where its only hit stands
  const mean = meanOf(hits)
  return hits.map(({ chunk, score }) => ({ chunk, score, above: hits.length > 1 ? Math.max(0, score - mean) : 0 }))
}

function meanOf(hits: readonly { score: number }[]): number {
  return hits.reduce((sum, hit) => sum + hit.score, 0) / Math.max(1, hits.length)
}
