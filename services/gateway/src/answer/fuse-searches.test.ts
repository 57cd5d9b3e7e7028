import type { Passage, SearchResponse } from '@docent/core/passage'
import { expect, test } from 'vitest'
import { passage } from '../../test/harness.ts'
import { fuseSearches } from './fuse-searches.ts'

/** A passage of a document of its own, unless another is named. */
const of = (chunkId: string, extra: Partial<Passage> = {}) => passage(`text of ${chunkId}`, { chunkId, documentId: chunkId, ...extra })

function found(passages: Passage[], answerable = true, more: Partial<SearchResponse> & { score?: number } = {}): SearchResponse {
  const { score = answerable ? 1 : 0.1, ...rest } = more
  const gate = { answerable, score, threshold: 0.5, language: 'zh' as const, reason: `${score}` }
  return { passages, answerable, gate, degraded: [], tookMs: 1, ...rest }
}
const ids = ({ passages }: SearchResponse) => passages.map(({ chunkId }) => chunkId)
const most = { limit: 3 }
const fusedIds = (...lists: SearchResponse[]) => ids(fuseSearches(lists[0]!, lists[1], lists.slice(2), most))

test('what several searches found goes before what one found first', () => {
  const lists = [found([of('a'), of('x')]), found([of('b'), of('x')]), found([of('c'), of('y'), of('x')])]
  expect(fusedIds(...lists)).toEqual(['x', 'a', 'b'])
})

test('the first of one search stays among the first though the other agrees with the rest of it', () => {
  const lists = [found(['a', 'b', 'c', 'd'].map((id) => of(id))), found(['t', 'a', 'b', 'c'].map((id) => of(id)))]
  expect(fusedIds(...lists)).toEqual(['a', 'b', 't', 'c'])
})

test('one list keeps its order, whatever its scores', () => {
  expect(fusedIds(found([of('a', { score: 0.1 }), of('b', { score: 0.9 })]))).toEqual(['a', 'b'])
  expect(ids(fuseSearches(found([of('a'), of('b')]), undefined, [], most))).toEqual(['a', 'b'])
})

test('a search that holds no answer stands behind those that do, however many agree with it', () => {
  const miss = () => found([of('a'), of('b')], false)
  expect(fusedIds(miss(), miss(), miss(), found([of('t'), of('b')]))).toEqual(['t', 'b', 'a'])
  // else, of equal places, the question's own goes first
  expect(fusedIds(found([of('a')]), found([of('b'), of('c')]))).toEqual(['a', 'b', 'c'])
})

test('a passage is shown once, with the best of its scores', () => {
  const { passages } = fuseSearches(
    found([of('a', { score: 0.4, scores: { fused: 0.4, lexical: 7 } })], false),
    found([of('a', { score: 0.8, scores: { fused: 0.8, lexical: 3, dense: 0.7 } })]),
    [],
    most,
  )
  expect(passages).toMatchObject([{ chunkId: 'a', score: 0.8, scores: { fused: 0.8, lexical: 7, dense: 0.7 } }])
})

test('the same text, or a part of a passage that stands before it, is no second one', () => {
  const wide = of('wide', { documentId: 'd', start: 0, end: 900 })
  const part = of('part', { documentId: 'd', start: 500, end: 900 })
  const after = of('after', { documentId: 'd', start: 850, end: 1_300 })
  const copy = of('copy', { text: wide.text })
  expect(fusedIds(found([wide, of('a'), of('z')]), found([part, after]), found([copy, of('b')]))).toEqual(['wide', 'a', 'after'])
  expect(fusedIds(found([part, of('a')]), found([wide, of('b'), of('c')]))).toEqual(['part', 'a', 'b'])
  // another version of the document has other places
  expect(fusedIds(found([wide, of('a')]), found([{ ...part, version: 2 }]))).toEqual(['wide', 'part', 'a'])
})

test('no document has more passages than one search may find of it, unless it is the only one; no more are found in all', () => {
  const from = (first: number, count: number) =>
    Array.from({ length: count }, (_, i) => of(`m${first + i}`, { documentId: 'm', start: 100 * (first + i), end: 100 * (first + i) + 99 }))
  const [one, two] = [found([...from(0, 3), of('a')]), found([...from(3, 3), of('b')])]
  expect(fusedIds(one, two)).toEqual(['m0', 'm3', 'm1', 'a'])
  expect(ids(fuseSearches(one, two, [], { limit: 4, perDocument: 1 }))).toEqual(['m0', 'a', 'b'])
  expect(fusedIds(found(from(0, 4)), found(from(4, 4)))).toEqual(['m0', 'm4', 'm1', 'm5'])
})

test('the question and its rewriting decide whether there is an answer; further wordings do not', () => {
  const no = (score: number) => found([of('a')], false, { score })
  const yes = found([of('b')])
  expect(fuseSearches(yes, no(0.4), [], most)).toMatchObject({ answerable: true, gate: yes.gate })
  expect(fuseSearches(no(0.4), yes, [], most)).toMatchObject({ answerable: true, gate: yes.gate })
  expect(fuseSearches(no(0.2), no(0.4), [yes], most)).toMatchObject({ answerable: false, gate: { answerable: false, score: 0.4 } })
  expect(fuseSearches(no(0.2), undefined, [yes], most)).toMatchObject({ answerable: false, gate: { score: 0.2 } })
})

test('every step that any search had to do without is named once; what else is told is the question’s own', () => {
  const fused = fuseSearches(
    found([of('a')], true, { degraded: ['dense'], tookMs: 5, configVersion: 'own', indexed: 9 }),
    found([], true, { degraded: ['dense', 'rerank'], tookMs: 7, configVersion: 'other' }),
    [found([], false, { degraded: ['lexical'] })],
    most,
  )
  expect(fused).toMatchObject({ degraded: ['dense', 'rerank', 'lexical'], tookMs: 5, configVersion: 'own', indexed: 9 })
})
