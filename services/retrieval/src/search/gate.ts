import type { Gate } from '@docent/core/passage'
import type { z } from 'zod'
import type { Language } from '../index/chunk-index.ts'
import type { Evidence } from './fuse.ts'
import type { Thresholds } from './tuning.ts'

export type GateVerdict = z.infer<typeof Gate>

/** Calibrated on the even questions of the evaluation sets against questions of other corpora; see EVALUATION.md. */
export const thresholds = {
  zh: { both: 0.8, margin: 11, wordsOnly: 0.42 },
  en: { both: 1.3, margin: 14.7, wordsOnly: 0.52 },
  /** distance above the other language's mean, where the words of the question are unknown */
  cross: 0.034,
  /** the same where the folder holds the question's language too, and it could have been there */
  crossInMixed: 0.037,
  /** fewer chunks have no spread to stand out from */
  minGroup: 8,
  /** above 1 less is answered, below 1 more */
  factor: 1,
} as const

/** Can the documents answer this? By the words and by meaning in the question's language, else by meaning in the other. */
export function judge(evidence: Evidence, language: Language, tuned: Thresholds = thresholds): GateVerdict {
  const { both, margin, wordsOnly } = tuned[language]
  const spread = evidence.ownChunks >= tuned.minGroup
  const score = spread ? evidence.ratio + margin * evidence.own : evidence.ratio
  const threshold = tuned.factor * (spread ? both : wordsOnly)
  if (score >= threshold) return verdict(true, score, threshold, language, spread ? 'words and meaning fit' : 'the words fit')

  const cross = tuned.factor * (evidence.ownChunks === 0 ? tuned.cross : tuned.crossInMixed)
  if (evidence.otherChunks >= tuned.minGroup && evidence.other >= cross && evidence.other > evidence.own) {
    return verdict(true, evidence.other, cross, language, 'the meaning fits a document in the other language')
  }
  const few = evidence.otherChunks > 0 && evidence.otherChunks < tuned.minGroup && evidence.ownChunks === 0
  if (few) return verdict(true, score, 0, language, 'too few documents to judge across languages')
  return verdict(
    false,
    score,
    threshold,
    language,
    evidence.ratio === 0 ? 'no document holds the words of the question' : 'no document fits well enough',
  )
}

function verdict(answerable: boolean, score: number, threshold: number, language: Language, reason: string): GateVerdict {
  return { answerable, score: round(score), threshold, language, reason }
}

function round(value: number): number {
  return Math.round(value * 10_000) / 10_000
}
