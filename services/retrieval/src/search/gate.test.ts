import { expect, test } from 'vitest'
import type { Evidence } from './fuse.ts'
import { judge, thresholds } from './gate.ts'

const nothing: Evidence = { ratio: 0, own: 0, other: 0, ownChunks: 0, otherChunks: 0, ownFit: 0, otherFit: 0, translated: 0 }

test('words and meaning together pass what neither passes alone', () => {
  expect(judge({ ...nothing, ratio: 0.4, own: 0.045, ownChunks: 50 }, 'zh')).toMatchObject({
    answerable: true,
    reason: 'words and meaning fit',
    language: 'zh',
  })
  expect(judge({ ...nothing, ratio: 0.4, own: 0.01, ownChunks: 50 }, 'zh').answerable).toBe(false)
  expect(judge({ ...nothing, ratio: 0.1, own: 0.045, ownChunks: 50 }, 'zh').answerable).toBe(false)
})

test('without vectors the words decide', () => {
  expect(judge({ ...nothing, ratio: 0.6 }, 'zh')).toMatchObject({ answerable: true, threshold: thresholds.zh.wordsOnly })
  expect(judge({ ...nothing, ratio: 0.3 }, 'zh').answerable).toBe(false)
  expect(judge(nothing, 'en')).toMatchObject({ answerable: false, reason: 'no document holds the words of the question' })
})

test('another language: its best must fit, more so where its own language could have answered', () => {
  const { cross, crossInMixed } = thresholds.zh
  const between = (cross + crossInMixed) / 2
  expect(judge({ ...nothing, otherFit: between, otherChunks: 50 }, 'zh').answerable).toBe(true)
  expect(judge({ ...nothing, otherFit: cross - 0.1, otherChunks: 50 }, 'zh').answerable).toBe(false)
  expect(judge({ ...nothing, ownChunks: 50, otherFit: between, otherChunks: 50 }, 'zh').answerable).toBe(false)
  expect(judge({ ...nothing, ownChunks: 50, otherFit: crossInMixed, otherChunks: 50 }, 'zh').answerable).toBe(true)
  expect(judge({ ...nothing, ownFit: 1.5, ownChunks: 50, otherFit: 1.4, otherChunks: 50 }, 'zh').answerable).toBe(false)
})

test('a refusal in a folder of the other language tells how near it came', () => {
  const { crossFrom } = thresholds
  const { cross } = thresholds.zh
  const near = judge({ ...nothing, ratio: 0.1, otherFit: cross - 0.01, otherChunks: 50 }, 'zh')
  expect(near).toMatchObject({ answerable: false, reason: 'no document in the other language fits well enough' })
  expect(near.score / near.threshold).toBeCloseTo(1 - 0.01 / (cross - crossFrom), 3)
  const far = judge({ ...nothing, otherFit: crossFrom + 0.01, otherChunks: 50 }, 'zh')
  expect(far.score / far.threshold).toBeCloseTo(0.01 / (cross - crossFrom), 3)
  // words that nearly fit are nearer
  expect(judge({ ...nothing, ratio: 0.41, otherFit: crossFrom + 0.01, otherChunks: 50 }, 'zh')).toMatchObject({
    score: 0.41,
    answerable: false,
  })
})

test('an empty folder answers nothing', () => {
  expect(judge(nothing, 'zh').answerable).toBe(false)
})

test('an identifier that stands in few passages speaks for an answer, one that stands nowhere against', () => {
  const near = { ...nothing, ratio: 0.9, own: 0.02, ownChunks: 50 }
  const { score, threshold, answerable } = judge(near, 'en')
  expect(answerable).toBe(false)
  expect(judge({ ...near, naming: 'held' }, 'en')).toMatchObject({
    answerable: true,
    threshold,
    reason: 'what the question names stands there',
  })
  const fits = { ...nothing, ratio: 1.1, own: 0.02, ownChunks: 50 }
  expect(judge(fits, 'en').answerable).toBe(true)
  const refused = judge({ ...fits, naming: 'nowhere' }, 'en')
  expect(refused).toMatchObject({ answerable: false, reason: 'what the question names stands in no document' })
  expect(refused.score).toBeLessThan(score)
  // whatever little fits besides, a name alone is no answer
  expect(judge({ ...nothing, ratio: 0.1, ownChunks: 50, naming: 'held' }, 'en').answerable).toBe(false)
})

test('across languages a name that stands nowhere counts against as well', () => {
  const across = { ...nothing, otherFit: 1.4, ownChunks: 50, otherChunks: 50 }
  expect(judge(across, 'zh').answerable).toBe(true)
  expect(judge({ ...across, naming: 'nowhere' }, 'zh').answerable).toBe(false)
})
