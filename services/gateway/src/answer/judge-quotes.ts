import { NAMED_NOWHERE, type SearchResponse } from '@docent/core/passage'
import type { Signs } from './quote-signs.ts'

/** `sure`: quoted as the answer. `doubtful`: quoted with a word of doubt. `unsaid`: the documents do not say it. */
export type Judgement = 'sure' | 'doubtful' | 'unsaid'

/**
 * Log odds that quotations answer the question, from the gate's share of its threshold, the share of the question's words, how far the
 * nearest one stands out by meaning, and whether something is lacking. A logistic regression on the even questions of the evaluation sets,
 * each with the passage that answers it and without, and on the tuning halves of our own: decision 0021 and retrieval's EVALUATION.md.
 */
const odds = {
  zh: { gate: 0.8, words: 4.8, stands: 48, lacks: 3.6, bias: -6.7 },
  en: { gate: 2.4, words: 2.2, stands: 48, lacks: 3.6, bias: -8.7 },
  /** quotations in the other language, whatever that of the question */
  across: { gate: 0.6, words: 3.6, stands: 19, lacks: 1, bias: -2.9 },
}
// the identifier that was asked for stands in the quotation itself, which lacks nothing else, or it does not
const NAMES = { held: 3, missing: -3 }
// a share of many thresholds says no more than one of three
const MOST_GATE = 3
// below these odds a quotation is not shown
const DOUBTFUL = { own: -1.9, across: -0.6 }
/** share of the gate's threshold from which sentences are worth reading */
const WORTH_READING = 0.5
/** share of the gate's threshold from which a question is in doubt rather than refused, where no sentence is judged */
export const DOUBT = 0.78
// without meaning the gate decides, and of the words so many at least
const WORDS_ALONE = 0.3

type Found = Pick<SearchResponse, 'answerable' | 'gate'>

/** Near the threshold one question in twenty is refused that has an answer: there a model, or a reader, may see the closest passages. */
export function isDoubtful({ answerable, gate }: Found): boolean {
  return !answerable && gate.threshold > 0 && gate.score >= DOUBT * gate.threshold
}

/** Whether the sentences of these passages may say what the gate does not see; without a threshold it had too few documents to judge by. */
export function isWorthReading(found: Found): boolean {
  return found.answerable || found.gate.threshold === 0 || shareOf(found) >= WORTH_READING
}

/** Whether a model reads the passages: it can refuse what they do not answer. Not where a code or a version that was asked for stands nowhere. */
export function isForModel(found: Found): boolean {
  return found.answerable || isDoubtful(found) || (isWorthReading(found) && found.gate.reason !== NAMED_NOWHERE)
}

/** Judges the quotations themselves, which the gate has not seen; `odds` is absent where there was no meaning to judge by. */
export function judgeQuotes(found: Found, signs: Signs): { judgement: Judgement; odds?: number } {
  if (signs.stands === undefined) return { judgement: byWords(found, signs) }
  const { gate, words, stands, lacks, bias } = odds[signs.isAcross ? 'across' : found.gate.language]
  const isWhole = !signs.lacks && !signs.isUnnamed && signs.names !== 'missing'
  const named = signs.names === 'missing' || (isWhole && signs.names) ? NAMES[signs.names] : 0
  const sum =
    bias + gate * Math.min(MOST_GATE, shareOf(found)) + words * signs.words + stands * signs.stands + named - (signs.lacks ? lacks : 0)
  const judgement = sum >= 0 && isWhole ? 'sure' : sum >= DOUBTFUL[signs.isAcross ? 'across' : 'own'] ? 'doubtful' : 'unsaid'
  return { judgement, odds: Math.round(sum * 100) / 100 }
}

/** The gate's verdict, for follow-ups; of an identifier that was asked for and that no quotation holds they say nothing. */
export function byGate(found: Found, { names, lacks }: Pick<Signs, 'names' | 'lacks'> = { lacks: false }): Judgement {
  if (names === 'missing') return 'unsaid'
  if (found.answerable) return lacks ? 'doubtful' : 'sure'
  return isDoubtful(found) ? 'doubtful' : 'unsaid'
}

function byWords(found: Found, { words, isAcross, names, lacks, isUnnamed }: Signs): Judgement {
  const isWeak = lacks || isUnnamed || names === 'missing' || (names !== 'held' && !isAcross && words < WORDS_ALONE)
  const judgement = byGate(found)
  return isWeak ? (judgement === 'sure' ? 'doubtful' : 'unsaid') : judgement
}

/** What an attached file answers is answerable whatever the folder's gate says. */
function shareOf({ answerable, gate }: Found): number {
  const share = gate.threshold > 0 ? gate.score / gate.threshold : 0
  return answerable ? Math.max(1, share) : share
}
