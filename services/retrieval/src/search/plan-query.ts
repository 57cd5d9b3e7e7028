import { type Identifier, identifiersOf } from '@docent/core/text/identifiers'
import { languageOf, scriptOf } from '@docent/core/text/language'
import { questionTerms } from '@docent/core/text/tokens'
import type { Language } from '../index/chunk-index.ts'

export type PlannedTerm = { term: string; weight: number; content: boolean; idf: number }

export type Plan = {
  query: string
  language: Language
  script: 'hans' | 'hant'
  terms: PlannedTerm[]
  /** sum of weight × idf: what a chunk would score that holds every word once; of words that only ask, those the documents know */
  idfTotal: number
  /** share of the content's idf that occurs in the index at all */
  known: number
  /** a number, a code or a file name of the question occurs in the index */
  code: boolean
  /** part numbers, versions, error codes of the question itself: a follow-up may be about something else */
  identifiers: Identifier[]
  /** what is embedded: with the previous turn in front of a follow-up */
  embedText: string
  followUp: boolean
}

// words that only ask would otherwise weigh most where documents never ask; swept on the evaluation sets
const ASKING_WEIGHT = 0.4

type Known = { idf(term: string): number; frequency(term: string): number }

// beyond plain ASCII words: digits, or a joiner as in board.md; of one digit a text is full
function isCode(term: string): boolean {
  return term.length > 1 && /^[\x21-\x7e]+$/.test(term) && /[^a-z'’-]/.test(term)
}

/** Reads a question. A follow-up is searched together with the turn before it, its own words counted twice. */
export function planQuery({ query, previous }: { query: string; previous?: string | undefined }, index: Known): Plan {
  const weights = new Map<string, { weight: number; content: boolean; asks: boolean }>()
  const before = previous?.trim() ?? ''
  const say = (text: string, times: number) => {
    for (const { term, count, content, asks } of questionTerms(text)) {
      const weight = count * times * (asks ? ASKING_WEIGHT : 1)
      const known = weights.get(term)
      if (known) known.weight += weight
      else weights.set(term, { weight, content, asks })
    }
  }
  say(query, before ? 2 : 1)
  if (before) say(before, 1)

  const terms: PlannedTerm[] = []
  let idfTotal = 0
  let contentTotal = 0
  let contentKnown = 0
  let code = false
  for (const [term, { weight, content, asks }] of weights) {
    const idf = index.idf(term)
    terms.push({ term, weight, content, idf })
    const known = index.frequency(term) > 0
    code ||= known && isCode(term)
    // a word that only asks, and that no document says, is no sign that the answer is missing
    if (known || !asks) idfTotal += weight * idf
    if (!content) continue
    contentTotal += weight * idf
    if (known) contentKnown += weight * idf
  }
  return {
    query,
    language: languageOf(query),
    script: scriptOf(query),
    terms,
    idfTotal,
    known: contentTotal === 0 ? 0 : contentKnown / contentTotal,
    code,
    identifiers: identifiersOf(query),
    embedText: before ? `${before}\n${query}` : query,
    followUp: before !== '',
  }
}
