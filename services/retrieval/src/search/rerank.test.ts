import type { Reranker } from '@docent/models/reranker'
import { expect, test } from 'vitest'
import type { Fused } from './fuse.ts'
import { rerank, toUnit } from './rerank.ts'

type Chunk = { id: string; text: string; header: string }
const list: Fused<Chunk>[] = ['a', 'b', 'c', 'd'].map((id, i) => ({
  chunk: { id, text: id, header: '' },
  scores: { fused: 1 - i / 10 },
  ranks: { fused: i + 1 },
}))
const scoring = (scores: number[]): Reranker => ({ model: 'fake', rerank: async () => scores })
const options = { top: 3, timeoutMs: 1_000, signal: AbortSignal.timeout(5_000) }
const idsOf = (entries: Fused<Chunk>[]) => entries.map(({ chunk }) => chunk.id).join('')

test.each([
  ['raw logits', [-4.2, 3.1, -0.5]],
  ['raw logits, all above 0', [1.2, 7.4, 3]],
  ['raw logits, all below 0', [-9, -2, -3]],
  ['shares', [0.1, 0.9, 0.3]],
  ['percentages', [12, 97.5, 40]],
  ['tiny shares', [0.00001, 0.0009, 0.0003]],
])('%s come to one scale, in their order, and none is lost', async (_, scores) => {
  const units = toUnit(scores)
  expect(units.every((unit) => unit > 0 && unit <= 1)).toBe(true)
  const reranked = await rerank(list, 'q', { reranker: scoring(scores), ...options })
  expect(idsOf(reranked)).toBe('bcad')
  expect(reranked.map(({ ranks }) => [ranks.fused, ranks.rerank])).toEqual([
    [2, 1],
    [3, 2],
    [1, 3],
    [4, undefined],
  ])
  expect(reranked[0]!.scores.rerank).toBe(units[1])
})

test('what each scale means', () => {
  expect(toUnit([0, 2])[0]).toBe(0.5)
  expect(toUnit([50, 100])).toEqual([0.5, 1])
  expect(toUnit([0.25, 1])).toEqual([0.25, 1])
  expect(toUnit([0, 0])).toEqual([0, 0])
})

test('equal scores keep the order they had', async () => {
  expect(idsOf(await rerank(list, 'q', { reranker: scoring([0.5, 0.5, 0.5]), ...options }))).toBe('abcd')
})

test('holes, too few scores and silence are errors, in time', async () => {
  await expect(rerank(list, 'q', { reranker: scoring([1, Number.NaN, 0]), ...options })).rejects.toThrow('did not score')
  await expect(rerank(list, 'q', { reranker: scoring([1]), ...options })).rejects.toThrow('did not score')
  const silent: Reranker = { model: 'silent', rerank: () => new Promise(() => undefined) }
  await expect(rerank(list, 'q', { reranker: silent, ...options, timeoutMs: 50 })).rejects.toThrow()
})
