import { expect, test } from 'vitest'
import { compareSearches } from './compare-searches.ts'

const list = (ids: string) => [...ids].map((id) => ({ chunkId: id, path: `${id}.md` }))

test('the same list is no change', () => {
  expect(compareSearches(list('abc'), list('abc'))).toEqual({
    k: 3,
    overlap: 1,
    isSameFirst: true,
    meanMove: 0,
    moved: [],
    gone: [],
    new: [],
  })
  expect(compareSearches([], [])).toMatchObject({ k: 0, overlap: 1, isSameFirst: true })
})

test('what moved, went and came is told with its places', () => {
  expect(compareSearches(list('abcd'), list('bax'))).toEqual({
    k: 4,
    overlap: 0.5,
    isSameFirst: false,
    meanMove: 1,
    moved: [
      { chunkId: 'a', path: 'a.md', from: 1, to: 2 },
      { chunkId: 'b', path: 'b.md', from: 2, to: 1 },
    ],
    gone: [
      { chunkId: 'c', path: 'c.md', from: 3 },
      { chunkId: 'd', path: 'd.md', from: 4 },
    ],
    new: [{ chunkId: 'x', path: 'x.md', to: 3 }],
  })
  expect(compareSearches(list('a'), [])).toMatchObject({ overlap: 0, isSameFirst: false, new: [] })
})
