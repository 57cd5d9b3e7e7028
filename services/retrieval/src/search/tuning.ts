import { createHash } from 'node:crypto'
import type { TuningPatch } from '@docent/core/passage'
import { languages, weights } from './fuse.ts'
import { thresholds } from './gate.ts'
import { hints } from './hints.ts'

type Numbers<T> = { readonly [K in keyof T]: T[K] extends number ? number : Numbers<T[K]> }
export type Weights = Numbers<typeof weights>
export type Languages = Numbers<typeof languages>
export type Thresholds = Numbers<typeof thresholds>
export type Tuning = {
  lexicalHits: number
  perDocument: number
  sameness: number
  weights: Weights
  gate: Thresholds
  languages: Languages
  hints: Numbers<typeof hints>
  rerankTop: number
  rerankTimeoutMs: number
}

export const tuned: Tuning = {
  lexicalHits: 100,
  perDocument: 3,
  sameness: 0.9,
  weights,
  gate: thresholds,
  languages,
  hints,
  rerankTop: 20,
  rerankTimeoutMs: 2_000,
}

/** The tuned set with what a request changes of it. */
export function withTuning(patch?: TuningPatch): Tuning {
  if (!patch) return tuned
  const { weights: w = {}, gate: g = {}, languages: l = {}, hints: h = {}, ...rest } = given(patch)
  return {
    ...tuned,
    ...rest,
    weights: { ...weights, ...given(w), zh: { ...weights.zh, ...given(w.zh) }, en: { ...weights.en, ...given(w.en) } },
    gate: { ...thresholds, ...given(g), zh: { ...thresholds.zh, ...given(g.zh) }, en: { ...thresholds.en, ...given(g.en) } },
    hints: { ...hints, ...given(h) },
    languages: { ...languages, ...given(l), zh: { ...languages.zh, ...given(l.zh) }, en: { ...languages.en, ...given(l.en) } },
  }
}

/** Two searches with the same version ran with the same numbers. */
export function versionOf(tuning: Tuning): string {
  if (tuning === tuned) return (tunedVersion ??= hashOf(tuned))
  return hashOf(tuning)
}

let tunedVersion: string | undefined

function hashOf(tuning: Tuning): string {
  return createHash('sha256')
    .update(JSON.stringify(sorted(tuning)))
    .digest('hex')
    .slice(0, 12)
}

type Given<T> = { [K in keyof T]?: Exclude<T[K], undefined> }
function given<T extends object>(patch: T | undefined): Given<T> {
  return Object.fromEntries(Object.entries(patch ?? {}).filter(([, value]) => value !== undefined)) as Given<T>
}

function sorted(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  return Object.entries(value)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, one]) => [key, sorted(one)])
}
