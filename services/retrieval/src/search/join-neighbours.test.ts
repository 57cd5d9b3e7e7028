import type { Passage } from '@docent/core/passage'
import { expect, test } from 'vitest'
import { joinNeighbours } from './join-neighbours.ts'

const section = 'Alpha one.  Beta two. Gamma three.'
const passage = (chunkId: string, text: string, over: Partial<Passage> = {}): Passage => {
  const start = 100 + section.indexOf(text)
  return {
    chunkId,
    documentId: 'd',
    version: 1,
    path: 'a.md',
    title: 'A',
    mediaType: 'text/markdown',
    heading: 'H',
    start,
    end: start + text.length,
    text,
    parent: { start: 100, end: 100 + section.length, text: section },
    snippet: text,
    score: 0.5,
    scores: { fused: 0.5 },
    ...over,
  }
}
const join = (...passages: Passage[]) => joinNeighbours(passages, (text) => text)

test('passages that touch or overlap in a section are one, in the document’s own words, at the place of the better', () => {
  const { passages, joined } = join(
    passage('beta', 'Beta two.', { score: 0.9 }),
    passage('elsewhere', 'Gamma three.', { documentId: 'e' }),
    passage('alpha', 'Alpha one.', { score: 0.4 }),
  )
  expect(passages.map(({ chunkId, text, start, end, score }) => ({ chunkId, text, start, end, score }))).toEqual([
    { chunkId: 'beta', text: 'Alpha one.  Beta two.', start: 100, end: 121, score: 0.9 },
    expect.objectContaining({ chunkId: 'elsewhere' }),
  ])
  expect([...joined]).toEqual([['alpha', 1]])
  expect(join(passage('a', 'Alpha one.  Beta'), passage('b', 'Beta two.')).passages[0]!.text).toBe('Alpha one.  Beta two.')
})

test('one that stands between two others brings them together', () => {
  const { passages, joined } = join(passage('c', 'Gamma three.'), passage('a', 'Alpha one.'), passage('b', 'Beta two.'))
  expect(passages.map(({ chunkId, text }) => [chunkId, text])).toEqual([['c', section]])
  expect([...joined]).toEqual([
    ['a', 1],
    ['b', 1],
  ])
})

test('other pages, sections, versions and texts that are not at hand stay apart', () => {
  const apart = (over: Partial<Passage>) => join(passage('a', 'Alpha one.'), passage('b', 'Beta two.', over)).passages.length
  expect(apart({})).toBe(1)
  expect([apart({ page: 2 }), apart({ heading: 'I' }), apart({ version: 2 }), apart({ documentId: 'e' })]).toEqual([2, 2, 2, 2])
  expect(apart({ parent: { start: 112, end: 121, text: 'Beta two.' } })).toBe(2)
  expect(join(passage('a', 'Alpha one.'), passage('c', 'Gamma three.')).passages).toHaveLength(2)
})

test('rows of a sheet that are joined name the first and the last', () => {
  const rows = join(
    passage('b', 'Beta two.', { sheet: 'S', row: 4, lastRow: 6 }),
    passage('a', 'Alpha one.', { sheet: 'S', row: 2, lastRow: 3 }),
  )
  expect(rows.passages[0]).toMatchObject({ sheet: 'S', row: 2, lastRow: 6 })
})
