import { type Gate, NAMED_NOWHERE } from '@docent/core/passage'
import type { z } from 'zod'
import type { Language } from '../index/chunk-index.ts'
import type { Evidence } from './fuse.ts'
import type { Thresholds } from './tuning.ts'

export type GateVerdict = z.infer<typeof Gate>

/** Calibrated on the even questions of the evaluation sets against questions of other corpora; see EVALUATION.md. */
export const thresholds = {
  /**
   * `cross`: how well the other language's best chunk must fit where nothing is written in the question's; `crossInMixed` where the folder
   * holds both, and it could have been there
   */
  zh: { both: 0.8, margin: 11, wordsOnly: 0.42, cross: 1, crossInMixed: 1.2 },
  en: { both: 1.3, margin: 14.7, wordsOnly: 0.52, cross: 1, crossInMixed: 1.02 },
  /** what questions of other corpora reach of `cross`: the verdict counts from here, so that shares of its threshold say how near it came */
  crossFrom: 0.6,
  /** an identifier of the question that stands in a few passages speaks for an answer, one that stands nowhere against; shares of a threshold */
  held: 0.4,
  nowhere: 0.4,
  /** fewer chunks have no spread to stand out from */
  minGroup: 8,
  /** above 1 less is answered, below 1 more */
  factor: 1,
} as const

/** Can the documents answer this? By the words and by meaning in the question's language, else by meaning in the other. */
export function judge(evidence: Evidence, language: Language, tuned: Thresholds = thresholds): GateVerdict {
  const { both, margin, wordsOnly } = tuned[language]
  const spread = evidence.ownChunks >= tuned.minGroup
  const threshold = tuned.factor * (spread ? both : wordsOnly)
  const { naming } = evidence
  const named = naming === 'held' ? tuned.held : naming === 'nowhere' ? -tuned.nowhere : 0
  const score = Math.max(0, evidence.ratio + (spread ? margin * evidence.own : 0) + named * threshold)
  if (score >= threshold) {
    const reason = naming === 'held' ? 'what the question names stands there' : spread ? 'words and meaning fit' : 'the words fit'
    return verdict(true, score, threshold, language, reason)
  }

  // in a folder of the other language alone there is no evidence that is nearer at hand
  const alone = evidence.ownChunks === 0
  const from = alone ? tuned.factor * tuned.crossFrom : 0
  const cross = tuned.factor * tuned[language][alone ? 'cross' : 'crossInMixed'] - from
  const stands = evidence.otherFit - from + Math.min(0, named) * cross
  const judged = evidence.otherChunks >= tuned.minGroup && evidence.otherFit > evidence.ownFit
  if (judged && stands >= cross) return verdict(true, stands, cross, language, 'a document in the other language fits')
  if (judged && alone && stands * threshold > score * cross)
    return verdict(false, stands, cross, language, 'no document in the other language fits well enough')
  const few = evidence.otherChunks > 0 && evidence.otherChunks < tuned.minGroup && alone
  if (few) return verdict(true, score, 0, language, 'too few documents to judge across languages')
  return verdict(
    false,
    score,
    threshold,
    language,
    evidence.ratio === 0
      ? 'no document holds the words of the question'
      : naming === 'nowhere'
        ? NAMED_NOWHERE
        : 'no document fits well enough',
  )
}

function verdict(answerable: boolean, score: number, threshold: number, language: Language, reason: string): GateVerdict {
  return { answerable, score: round(score), threshold, language, reason }
}

function round(value: number): number {
  return Math.round(value * 10_000) / 10_000
}
