import { expect, test } from 'vitest'
import { bothWays, crossWeight, denseWeight, type Evidence, evidenceOf, fuse, languages, ownOdds, READ, weights } from './fuse.ts'

const hit = (id: string, score: number) => ({ chunk: { id, written: id.startsWith('z') ? ('zh' as const) : ('en' as const) }, score })
const evidence = (over: Partial<Evidence> = {}): Evidence => ({
  ratio: 0.8,
  own: 0.05,
  other: 0,
  ownChunks: 50,
  otherChunks: 0,
  ownFit: 1.8,
  otherFit: 0,
  translated: 0,
  ...over,
})
const hans = { question: 'hans', text: 'hans', code: false } as const

test('without a dense leg the order is that of the words', () => {
  const fused = fuse([hit('a', 9), hit('b', 3)], [], 'en', { weight: 0.95 })
  expect(fused.map(({ chunk, scores }) => [chunk.id, scores.fused])).toEqual([
    ['a', 1],
    ['b', 1 / 3],
  ])
  expect(fused[0]!.scores.dense).toBeUndefined()
})

test('a passage that both legs like beats the favourite of one', () => {
  const fused = fuse(
    [hit('words', 10), hit('both', 9)],
    [{ language: 'en', hits: [hit('meaning', 0.9), hit('both', 0.89), hit('noise', 0.8)] }],
    'en',
    { weight: 0.5 },
  )
  expect(fused[0]!.chunk.id).toBe('both')
  expect(fused[0]!.ranks).toEqual({ lexical: 2, dense: 2, fused: 1 })
})

test('languages are compared by the distance from their own mean, not by cosine', () => {
  const zh = ['z1', 'z2', 'z3', 'z4'].map((id, i) => hit(id, 0.86 - i * 0.002)) // noise, but all above the English hit
  const en = [hit('answer', 0.82), hit('e2', 0.75), hit('e3', 0.74), hit('e4', 0.74)]
  expect(
    fuse(
      [],
      [
        { language: 'zh', hits: zh },
        { language: 'en', hits: en },
      ],
      'zh',
      { weight: 0.9 },
    )[0]!.chunk.id,
  ).toBe('answer')
})

test('every candidate is in the list once, ranked without a gap', () => {
  const fused = fuse([hit('a', 3), hit('b', 2), hit('c', 1)], [{ language: 'en', hits: [hit('c', 0.9), hit('d', 0.8)] }], 'en', {
    weight: 0.4,
  })
  expect(fused.map(({ chunk }) => chunk.id).sort()).toEqual(['a', 'b', 'c', 'd'])
  expect(fused.map(({ ranks }) => ranks.fused)).toEqual([1, 2, 3, 4])
})

test('the dense leg carries where the words are unknown, and weighs little where they are known', () => {
  expect(denseWeight(evidence(), 'zh', hans)).toBe(weights.zh.base)
  expect(denseWeight(evidence({ ratio: 0, own: 0, other: 0.06 }), 'zh', hans)).toBe(weights.cross)
  expect(denseWeight(evidence(), 'zh', { ...hans, question: 'hant', text: 'hant' })).toBe(weights.hant)
  expect(denseWeight(evidence(), 'zh', { ...hans, text: 'hant' })).toBe(weights.scripts)
  expect(denseWeight(evidence(), 'en', { ...hans, code: true })).toBe(weights.codes)
  const rising = [0.5, 0.3, 0.2, 0.1, 0].map((ratio) => denseWeight(evidence({ ratio, own: 0 }), 'zh', hans))
  expect(rising).toEqual([...rising].sort((a, b) => a - b))
})

test('evidence of an empty search is nothing', () => {
  expect(evidenceOf([], 0, [], 'en')).toEqual({
    ratio: 0,
    own: 0,
    other: 0,
    ownChunks: 0,
    otherChunks: 0,
    ownFit: 0,
    otherFit: 0,
    translated: 0,
  })
})

// a question in English; the Chinese list has an answer that stands out, the English one a passage that shares its words
const english = [hit('words', 0.84), hit('e2', 0.83), hit('e3', 0.82), hit('e4', 0.81)]
const chinese = [hit('z-answer', 0.82), hit('z2', 0.78), hit('z3', 0.77), hit('z4', 0.76)]
const groups = [
  { language: 'en' as const, hits: english },
  { language: 'zh' as const, hits: chinese },
]
const shared = [hit('words', 4), hit('e2', 3)]
const orderAt = (odds: number) => fuse(shared, groups, 'en', { weight: 0.45, odds }).map(({ chunk }) => chunk.id)

test('the likelier language leads, and the best of the other stays near the top while that is in doubt', () => {
  expect(orderAt(-4).slice(0, 2)).toEqual(['z-answer', 'words'])
  expect(orderAt(1).slice(0, 3)).toEqual(['words', 'z-answer', 'e2'])
  expect(
    orderAt(20)
      .slice(0, 4)
      .every((id) => !id.startsWith('z')),
  ).toBe(true)
  const { fused } = fuse(shared, groups, 'en', { weight: 0.45, odds: -4 }).at(-1)!.scores
  expect(fused).toBeGreaterThanOrEqual(0)
})

test('words that only the likelier language lacks do not hold the answer down', () => {
  const order = (odds: number | undefined) => fuse(shared, groups, 'en', { weight: 0.95, odds })
  expect(order(-4)[0]!.chunk.id).toBe('z-answer')
  const list = order(undefined)
  expect(list.map(({ scores }) => scores.fused)).toEqual(list.map(({ scores }) => scores.fused).sort((a, b) => b - a))
})

test('which language answers is told by the best chunk of each, by words and meaning together', () => {
  const both = { ownChunks: 50, otherChunks: 50 }
  expect(ownOdds(evidence({ ...both, ownFit: 2, otherFit: 0.6 }), 'zh')).toBeGreaterThan(2)
  expect(ownOdds(evidence({ ...both, ownFit: 0.5, otherFit: 2 }), 'zh')).toBeLessThan(-2)
  expect(ownOdds(evidence({ ...both, ownFit: 0.5, otherFit: 2 }), 'zh', { ...languages, step: 0 })).toBeUndefined()
  expect(ownOdds(evidence({ ownChunks: 50, otherChunks: languages.minGroup - 1 }), 'zh')).toBeUndefined()
})

test('words and meaning count where they meet in one chunk', () => {
  const dense = [{ language: 'en' as const, hits: [hit('far', 0.82), hit('near', 0.81), hit('e3', 0.77)] }]
  const meet = evidenceOf([hit('near', 8)], 10, dense, 'en')
  const apart = evidenceOf([hit('e3', 8)], 10, dense, 'en')
  expect(meet.ownFit).toBeCloseTo(0.8 + 20 * 0.01)
  expect(apart.ownFit).toBeLessThan(meet.ownFit)
  const across = evidenceOf([], 10, dense, 'zh', { hits: [hit('near', 3)], total: 6, known: 0.5 })
  expect(across.otherFit).toBeCloseTo(0.5 + 20 * 0.01)
  expect(across.ownFit).toBe(0)
})

test('the more of a question the dictionary knows, the less meaning alone decides across languages', () => {
  expect(crossWeight(evidence({ translated: 0 }))).toBe(weights.cross)
  expect(crossWeight(evidence({ translated: 1 }))).toBeCloseTo(weights.translated)
  expect(denseWeight(evidence({ ratio: 0, ownChunks: 0, otherChunks: 50, translated: 1 }), 'zh', hans)).toBeCloseTo(weights.translated)
})

test('what the dictionary finds joins what the words find, each passage once, by its better score', () => {
  const joined = bothWays([hit('z1', 5), hit('a', 2)], { hits: [hit('b', 4), hit('a', 3)], total: 6, known: 1 })
  expect(joined.map(({ chunk, score }) => [chunk.id, score])).toEqual([
    ['z1', 5],
    ['b', 4],
    ['a', 3],
  ])
})

test('of two passages that hold the same words the one that says them in one sentence stands first, by the weight of words', () => {
  const words = [hit('scattered', 10), hit('together', 9), hit('none', 1)]
  const shareOf = ({ id }: { id: string }) => (id === 'together' ? 1 : 0.3)
  const order = (balance: Parameters<typeof fuse>[3]) => fuse(words, [], 'en', balance).map(({ chunk }) => chunk.id)
  expect(order({ weight: 0, sentence: 0.75, shareOf })).toEqual(['together', 'scattered', 'none'])
  expect(order({ weight: 0, sentence: 0, shareOf })).toEqual(['scattered', 'together', 'none'])
  const dense = [{ language: 'en' as const, hits: [hit('scattered', 0.9), hit('together', 0.8)] }]
  // where meaning is all that counts, words that stand together count for nothing either
  expect(fuse(words, dense, 'en', { weight: 1, sentence: 0.75, shareOf })[0]!.chunk.id).toBe('scattered')
  const [first] = fuse(words, [], 'en', { weight: 0, sentence: 0.75, shareOf })
  expect(first!.scores).toEqual({ lexical: 9, sentence: 1, fused: (0.9 + 0.75) / 1.75 })
})

test('only the best of a list have their sentences read, and none that holds no word of the question', () => {
  const words = Array.from({ length: 40 }, (_, i) => hit(`e${i}`, 40 - i))
  const read: string[] = []
  const shareOf = ({ id }: { id: string }) => {
    read.push(id)
    return 1
  }
  fuse(words, [{ language: 'en', hits: [hit('meaning', 0.9), hit('e0', 0.5)] }], 'en', { weight: 0.5, sentence: 0.75, shareOf })
  expect(read).toEqual(words.slice(0, READ - 1).map(({ chunk }) => chunk.id))
})
