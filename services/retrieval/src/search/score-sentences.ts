import type { SentencesRequest, SentencesResponse } from '@docent/core/passage'
import { languageOf } from '@docent/core/text/language'
import { tokensOf } from '@docent/core/text/tokens'
import type { Meaning, Words } from '../index/chunk-index.ts'
import type { DenseLeg } from './dense-leg.ts'
import type { Dictionary } from './dictionary.ts'
import { type PlannedTerm, planQuery } from './plan-query.ts'

type Sentence = SentencesRequest['sentences'][number]

/** a long sentence holds more words by chance */
const LONG = 0.15
/** words of the question in the headings over a sentence: it need not say them again */
const OVERHEAD = 0.85

/** `words`: what the caller sees of them now */
type Deps = { words: () => Words; dense: Pick<DenseLeg, 'compare'>; translate?: Dictionary | undefined }

/**
 * How well each sentence covers the question: by its words (share of idf; in the other language those of the dictionary) and by meaning
 * (rescaled over the candidates; and as it is, less what questions about anything reach).
 */
export async function scoreSentences(
  { query, sentences }: SentencesRequest,
  { words, dense, translate }: Deps,
  signal: AbortSignal,
): Promise<SentencesResponse> {
  const plan = planQuery({ query }, words())
  const texts = sentences.map(({ text, context }) => (context ? `${context}\n${text}` : text))
  const compared = sentences.length === 0 ? [] : await dense.compare({ text: plan.embedText, language: plan.language }, texts, signal)
  const lexical = coverage(wantedOf(plan.terms), sentences)
  if (translate && sentences.some(({ text }) => languageOf(text) !== plan.language)) {
    const { idf, frequency } = words()
    const worth = (term: string) => (frequency(term) > 0 ? idf(term) : idf(''))
    const translated = coverage(wantedByDictionary(translate(query, plan.language), worth), sentences)
    sentences.forEach(({ text }, i) => {
      if (languageOf(text) !== plan.language) lexical[i] = translated[i]!
    })
  }
  const cosines = compared?.map(({ cosine }) => cosine) ?? []
  const low = Math.min(...cosines)
  const span = Math.max(...cosines) - low
  return {
    scores: sentences.map((_, i) => ({
      lexical: lexical[i]!,
      ...(compared ? { dense: span > 1e-6 ? (cosines[i]! - low) / span : 1 } : {}),
      ...(compared?.[i]?.stands === undefined ? {} : { stands: compared[i].stands }),
    })),
    degraded: compared ? [] : ['dense'],
  }
}

/** one word of a question; an alternative of several terms counts by the share of them that is there */
type Wanted = { worth: number; alternatives: readonly (readonly string[])[] }

/** Words that only ask count when the question has no others. */
export function wantedOf(terms: readonly PlannedTerm[]): Wanted[] {
  const content = terms.some((term) => term.content) ? terms.filter((term) => term.content) : terms
  return content.map(({ term, weight, idf }) => ({ worth: weight * idf, alternatives: [[term]] }))
}

export function wantedByDictionary(meanings: readonly Meaning[], idf: (term: string) => number): Wanted[] {
  return meanings.map(({ weight, alternatives }) => {
    const rarest = Math.max(...alternatives.map((terms) => Math.min(...terms.map(idf))))
    return { worth: weight * rarest, alternatives }
  })
}

/** Share of what is wanted that a sentence holds. */
export function coverage(wanted: readonly Wanted[], sentences: readonly Sentence[]): number[] {
  const total = wanted.reduce((sum, { worth }) => sum + worth, 0)
  const tokens = sentences.map(({ text }) => tokensOf(text))
  const average = tokens.reduce((sum, list) => sum + list.length, 0) / Math.max(1, tokens.length)
  const over = new Map<string, Set<string>>()
  return sentences.map(({ context }, i) => {
    if (total === 0) return 0
    const held = new Set(tokens[i])
    const above = over.get(context) ?? new Set(tokensOf(context))
    over.set(context, above)
    const share = (term: string) => (held.has(term) ? 1 : above.has(term) ? OVERHEAD : 0)
    const shareOf = (terms: readonly string[]) => terms.reduce((sum, term) => sum + share(term), 0) / terms.length
    const covered = wanted.reduce((sum, { worth, alternatives }) => sum + worth * Math.max(...alternatives.map(shareOf)), 0)
    const excess = Math.max(0, tokens[i]!.length / Math.max(1, average) - 1)
    return covered / total / (1 + LONG * excess)
  })
}
