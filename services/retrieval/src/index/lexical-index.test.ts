import { fold } from '@docent/core/text/fold'
import { stem } from '@docent/core/text/stem'
import { tokensOf } from '@docent/core/text/tokens'
import { expect, test } from 'vitest'
import { createLexicalIndex } from './lexical-index.ts'

const texts = [
  '无线网络密码每季度更换',
  '保修期为二十四个月',
  '退款在十四天内到账',
  'The warranty covers two years',
  'Refunds are paid within 14 days',
  'Reset the ERR_OOM error, see RFC-9457',
]
const fields = (text: string, header = '', path = '') => ({ header, text, path })
const terms = (...list: string[]) => list.map((term) => ({ term, weight: 1 }))

function filled() {
  const index = createLexicalIndex()
  for (const text of texts) index.add(fields(text))
  return index
}

test('the chunk that holds the words comes first', () => {
  const index = filled()
  expect(index.search(terms('保修', '保', '修'), 3)[0]!.chunk).toBe(1)
  expect(index.search(terms('refund'), 3).map((hit) => hit.chunk)).toEqual([4])
  expect(index.search(terms('err_oom'), 3).map((hit) => hit.chunk)).toEqual([5])
  expect(index.search(terms('9457'), 3).map((hit) => hit.chunk)).toEqual([5])
  expect(index.search(terms('nothing'), 3)).toEqual([])
})

test('BM25 is what the formula says', () => {
  const index = createLexicalIndex()
  index.add(fields('cat dog'))
  index.add(fields('cat cat cat bird'))
  const idf = Math.log(1 + 0.5 / 2.5)
  const score = (tf: number, length: number) => (idf * tf * 2.2) / (tf + 1.2 * (0.25 + (0.75 * length) / 3))
  const hits = index.search(terms('cat'), 2)
  expect(hits.map((hit) => hit.chunk)).toEqual([1, 0])
  expect(hits[0]!.score).toBeCloseTo(score(3, 4), 5)
  expect(hits[1]!.score).toBeCloseTo(score(1, 2), 5)
})

test('headings and the file name help to find', () => {
  const index = createLexicalIndex()
  index.add(fields('See the table below.', 'Travel expenses', 'policies/2025-travel.md'))
  index.add(fields('See the table below.', 'Sick leave', 'policies/2024-leave.md'))
  expect(index.search(terms('travel'), 1)[0]!.chunk).toBe(0)
  expect(index.search(terms('2024'), 1)[0]!.chunk).toBe(1)
  expect(index.search(terms('2025-travel.md'), 9).map((hit) => hit.chunk)).toEqual([0])
})

test('a removed chunk is gone, and the frequencies are those of the rest', () => {
  const index = filled()
  const rest = createLexicalIndex()
  for (const [i, text] of texts.entries()) if (i !== 4) rest.add(fields(text))
  index.remove(4, fields(texts[4]!))
  index.remove(4, fields(texts[4]!))
  expect(index.size).toBe(5)
  expect(index.dead).toBe(1)
  expect(index.search(terms('refund'), 3)).toEqual([])
  for (const term of ['refund', '14', 'warranti', 'the', '密']) expect(index.idf(term)).toBeCloseTo(rest.idf(term), 10)
})

test('compacting keeps order and scores, numbered anew', () => {
  const index = filled()
  index.remove(0, fields(texts[0]!))
  index.remove(3, fields(texts[3]!))
  const before = index.search(terms('the', '天', '14', '保修', 'day'), 10)
  const numbers = new Map<number, number>()
  index.compact((from, to) => numbers.set(from, to))
  expect([...numbers]).toEqual([
    [1, 0],
    [2, 1],
    [4, 2],
    [5, 3],
  ])
  expect(index.dead).toBe(0)
  expect(index.search(terms('the', '天', '14', '保修', 'day'), 10)).toEqual(
    before.map(({ chunk, score }) => ({ chunk: numbers.get(chunk), score })),
  )
  expect(index.add(fields('refund again'))).toBe(4)
  expect(index.search(terms('again'), 1)[0]!.chunk).toBe(4)
})

test('ten thousand chunks with long lists, gaps and many slices agree with a plain count', () => {
  const index = createLexicalIndex()
  const holds = (chunk: number, k: number) => chunk % k === 0
  for (let chunk = 0; chunk < 10_000; chunk++)
    index.add(
      fields(
        [1, 2, 7, 499, 3001]
          .filter((k) => holds(chunk, k))
          .map((k) => `w${k}`)
          .join(' '),
      ),
    )
  for (const k of [1, 2, 7, 499, 3001]) {
    expect(index.frequency(`w${k}`)).toBe(Math.ceil(10_000 / k))
    const hits = index.search(terms(`w${k}`), 10_000).map((hit) => hit.chunk)
    expect(new Set(hits)).toEqual(new Set(Array.from({ length: 10_000 }, (_, chunk) => chunk).filter((chunk) => holds(chunk, k))))
  }
})

test('the limit keeps the best ones', () => {
  const index = createLexicalIndex()
  for (let i = 1; i <= 500; i++) index.add(fields(`${'needle '.repeat(i % 37)} ${'hay '.repeat(40)}`))
  const all = index.search(terms('needle'), 500)
  expect(index.search(terms('needle'), 7)).toEqual(all.slice(0, 7))
  expect(index.search(terms('needle'), 7, (chunk) => chunk % 2 === 1)).toEqual(all.filter((hit) => hit.chunk % 2 === 1).slice(0, 7))
})

test('without some chunks it is as an index that never held them, its frequencies and scores too', () => {
  const texts = Array.from({ length: 300 }, (_, n) => `${'red '.repeat(n % 5)}w${n % 7} w${n % 11} ${'hay '.repeat(n % 13)}保修${n % 3}`)
  const isHidden = (n: number) => n % 4 === 1
  const [all, rest] = [createLexicalIndex(), createLexicalIndex()]
  const kept = texts.map((_, n) => n).filter((n) => !isHidden(n))
  for (const text of texts) all.add(fields(text))
  for (const n of kept) rest.add(fields(texts[n]!))
  const seen = all.without(texts.map((_, n) => n).filter(isHidden))
  const asked = terms('red', 'w1', 'w5', '保修', 'hay', 'nothing')
  for (const { term } of asked) expect([seen.idf(term), seen.frequency(term)], term).toEqual([rest.idf(term), rest.frequency(term)])
  const said = [{ weight: 1, alternatives: [['red', 'hay'], ['w1']] }]
  const numbered = (hits: { chunk: number; score: number }[]) => hits.map(({ chunk, score }) => ({ chunk: kept[chunk]!, score }))
  expect(seen.search(asked, 1_000)).toEqual(numbered(rest.search(asked, 1_000)))
  const expected = rest.searchMeanings(said, 1_000)
  expect(seen.searchMeanings(said, 1_000)).toEqual({ ...expected, hits: numbered(expected.hits) })
  expect([seen.size, all.size]).toEqual([kept.length, 300])
})

test('a table that was widened many times still counts each term as a plain count does', () => {
  const index = createLexicalIndex()
  const counts = new Map<string, number>()
  const texts = Array.from({ length: 1_500 }, (_, n) => {
    const words = Array.from({ length: 20 }, (_, i) => `w${(n * 31 + i * 7919) % 40_000}`)
    return { words: new Set(words), text: `${words.join(' ')} ${String.fromCodePoint(0x4e00 + n, 0x5000 + (n % 400), 0x20000 + n)} ﷺ` }
  })
  for (const { text, words } of texts) {
    index.add(fields(text, 'same header', 'same/path.md'))
    for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1)
  }
  for (const [word, count] of counts) expect(index.frequency(word), word).toBe(count)
  expect(index.frequency('header')).toBe(1_500)
  expect(index.frequency('path')).toBe(1_500)
  expect(index.frequency(fold('一倀'))).toBe(1)
  expect(index.frequency('\u{20000}')).toBe(1)
  texts.forEach(({ text }, chunk) => {
    if (chunk % 2 === 0) index.remove(chunk, fields(text, 'same header', 'same/path.md'))
  })
  index.compact(() => undefined)
  expect(index.frequency('header')).toBe(750)
  expect(index.search(terms('\u{20001}'), 5)).toHaveLength(1)
})

test('of the alternatives of one word the best counts once, and a phrase by the share of it that is there', () => {
  const index = createLexicalIndex()
  for (const text of ['annual leave', 'vacation leave holiday', 'annual report', 'something else']) index.add(fields(text))
  const one = [{ weight: 1, alternatives: [['annual', 'leav'], ['vacation'], ['holidai']] }]
  const { hits, total, known } = index.searchMeanings(one, 9)
  expect(hits.map(({ chunk }) => chunk).sort()).toEqual([0, 1, 2])
  expect(hits.find(({ chunk }) => chunk === 1)!.score).toBeLessThan(1.5 * total)
  expect(hits.find(({ chunk }) => chunk === 0)!.score).toBeGreaterThan(hits.find(({ chunk }) => chunk === 2)!.score)
  expect(known).toBe(1)
  const unknown = index.searchMeanings([...one, { weight: 1, alternatives: [['nowher']] }], 9, (chunk) => chunk !== 1)
  expect(unknown.hits.map(({ chunk }) => chunk).sort()).toEqual([0, 2])
  expect(unknown.known).toBeGreaterThan(0)
  expect(unknown.known).toBeLessThan(0.6)
})

/** the same numbers from 0 to 1 each time */
function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0
    return (state >>> 0) / 2 ** 32
  }
}

/** As the formulas say, over plain maps. */
function plainly(held: ReadonlyMap<number, string>) {
  const counts = new Map([...held].map(([chunk, text]) => [chunk, Map.groupBy(tokensOf(text), (term) => term)]))
  const lengths = new Map([...held].map(([chunk, text]) => [chunk, tokensOf(text).length]))
  const average = [...lengths.values()].reduce((sum, length) => sum + length, 0) / held.size
  const frequency = (term: string) => [...counts.values()].filter((terms) => terms.has(term)).length
  const worth = (chunk: number, term: string) => {
    const tf = counts.get(chunk)!.get(term)?.length ?? 0
    const idf = Math.log(1 + (held.size - frequency(term) + 0.5) / (frequency(term) + 0.5))
    return tf === 0 ? 0 : (idf * tf * 2.2) / (tf + 1.2 * (0.25 + (0.75 * lengths.get(chunk)!) / average))
  }
  return { frequency, worth }
}

test('scores and places are those of a plain count: repeated words, long lists, removed chunks, filters', () => {
  const random = seeded(3)
  const vocabulary = [...'的一是在人有我他这中', ...Array.from({ length: 40 }, (_, i) => `word${i}`), 'err_oom', '14']
  const index = createLexicalIndex()
  const held = new Map<number, string>()
  for (let n = 0; n < 700; n++) {
    const words = Array.from({ length: 3 + Math.floor(random() * 20) }, () => vocabulary[Math.floor(random() ** 2 * vocabulary.length)]!)
    held.set(index.add(fields(words.join(' '))), words.join(' '))
  }
  for (const [chunk, text] of held) {
    if (chunk % 5 !== 0) continue
    index.remove(chunk, fields(text))
    held.delete(chunk)
  }
  const { frequency, worth } = plainly(held)
  const allowed = (chunk: number) => chunk % 3 !== 0
  const wanted = ['的', 'word0', 'word7', 'word39', 'oom', 'nowhere'].map((term, i) => ({ term: stem(term), weight: 1 + i / 4 }))
  const meanings = [
    { weight: 1, alternatives: [['一'], ['word1'], ['word2', 'word3', 'nowher']] },
    { weight: 0.6, alternatives: [['word9']] },
    { weight: 1, alternatives: [['nowher'], ['word20', 'oom']] },
  ]
  const ofTerms = (chunk: number) => wanted.reduce((sum, { term, weight }) => sum + weight * worth(chunk, term), 0)
  const ofMeanings = (chunk: number) =>
    meanings.reduce((sum, { weight, alternatives }) => {
      const each = alternatives.map((alternative) => {
        const known = alternative.filter((term) => frequency(term) > 0)
        return ((weight * known.length) / alternative.length ** 2) * known.reduce((some, term) => some + worth(chunk, term), 0)
      })
      return sum + Math.max(...each)
    }, 0)

  const scoresBy = (score: (chunk: number) => number) =>
    new Map([...held.keys()].filter((chunk) => allowed(chunk) && score(chunk) > 0).map((chunk) => [chunk, score(chunk)]))
  const byTerms = scoresBy(ofTerms)
  const byMeanings = scoresBy(ofMeanings)
  for (const limit of [1, 10, 100, 700]) {
    for (const [hits, score] of [
      [index.search(wanted, limit, allowed), byTerms],
      [index.searchMeanings(meanings, limit, allowed).hits, byMeanings],
    ] as const) {
      const best = [...score].sort((a, b) => b[1] - a[1])
      expect(hits.length).toBe(Math.min(limit, best.length))
      expect(new Set(hits.map(({ chunk }) => chunk)).size).toBe(hits.length)
      hits.forEach((hit, i) => {
        expect(hit.score).toBeCloseTo(score.get(hit.chunk)!, 4)
        expect(hit.score).toBeCloseTo(best[i]![1], 4)
      })
    }
  }
})
