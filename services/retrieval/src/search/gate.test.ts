import { expect, test } from 'vitest'
import type { Evidence } from './fuse.ts'
import { judge, thresholds } from './gate.ts'

const nothing: Evidence = { ratio: 0, ownRatio: 0, own: 0, other: 0, ownChunks: 0, otherChunks: 0 }

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

test('another language: the best must stand out, more so where its own language could have answered', () => {
  expect(judge({ ...nothing, other: 0.038, otherChunks: 50 }, 'zh').answerable).toBe(true)
  expect(judge({ ...nothing, other: 0.02, otherChunks: 50 }, 'zh').answerable).toBe(false)
  expect(judge({ ...nothing, own: 0.01, ownChunks: 50, other: 0.036, otherChunks: 50 }, 'zh').answerable).toBe(false)
  expect(judge({ ...nothing, own: 0.01, ownChunks: 50, other: 0.06, otherChunks: 50 }, 'zh').answerable).toBe(true)
  expect(judge({ ...nothing, own: 0.05, ownChunks: 50, other: 0.045, otherChunks: 50 }, 'zh').answerable).toBe(false)
})

test('a refusal in a folder of the other language tells how near the meaning came', () => {
  const near = judge({ ...nothing, ratio: 0.1, other: 0.033, otherChunks: 50 }, 'zh')
  expect(near).toMatchObject({ answerable: false, reason: 'no document in the other language fits well enough' })
  expect(near.score / near.threshold).toBeCloseTo(13 / 14)
  const far = judge({ ...nothing, other: 0.021, otherChunks: 50 }, 'zh')
  expect(far.score / far.threshold).toBeCloseTo(1 / 14)
  // words that nearly fit are nearer
  expect(judge({ ...nothing, ratio: 0.41, other: 0.021, otherChunks: 50 }, 'zh')).toMatchObject({ score: 0.41, answerable: false })
})

test('an empty folder answers nothing', () => {
  expect(judge(nothing, 'zh').answerable).toBe(false)
})
