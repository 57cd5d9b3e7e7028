import { expect, test } from 'vitest'
import { tuned, versionOf, withTuning } from './tuning.ts'

test('nothing given is the tuned set, and has its version', () => {
  expect(withTuning()).toEqual(tuned)
  expect(versionOf(withTuning({}))).toBe(versionOf(tuned))
})

test('what is given replaces that alone, and the version tells', () => {
  const changed = withTuning({ perDocument: 5, weights: { zh: { base: 0.5 }, cross: undefined }, gate: { factor: 2, en: { both: 1 } } })
  expect(changed).toMatchObject({
    perDocument: 5,
    lexicalHits: tuned.lexicalHits,
    weights: { zh: { ...tuned.weights.zh, base: 0.5 }, en: tuned.weights.en, cross: tuned.weights.cross },
    gate: { factor: 2, en: { ...tuned.gate.en, both: 1 }, zh: tuned.gate.zh },
  })
  expect(versionOf(changed)).not.toBe(versionOf(tuned))
  expect(versionOf(withTuning({ perDocument: 5 }))).toBe(versionOf({ ...tuned, perDocument: 5 }))
})
