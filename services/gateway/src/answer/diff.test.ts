import { expect, test } from 'vitest'
import { diffSources, diffText } from './diff.ts'

const source = (n: number, start: number) => ({
  n,
  documentId: '11111111-1111-4111-8111-111111111111',
  path: 'a.md',
  start,
  end: start + 10,
  score: 1,
})

test('sources are kept, gone, new or moved', () => {
  const diff = diffSources([source(1, 0), source(2, 10), source(3, 20)], [source(1, 0), source(2, 20), source(3, 30)])
  expect(diff).toEqual({ kept: [source(1, 0)], gone: [source(2, 10)], new: [source(3, 30)], moved: [{ ...source(2, 20), from: 3 }] })
})

test('the parts of a text diff give both texts again, in Chinese and English', () => {
  const texts = [
    '',
    '保修期为 24 个月 [1]。',
    '保修期是 12 个月，自购买之日起 [2]。',
    'The  warranty is 24 months.\n',
    'The warranty is\n12 months [1].',
  ]
  for (const before of texts) {
    for (const after of texts) {
      const parts = diffText(before, after)
      const joined = (skip: string) =>
        parts
          .filter(({ op }) => op !== skip)
          .map(({ text }) => text)
          .join('')
      expect([joined('new'), joined('gone')]).toEqual([before, after])
    }
  }
  expect(diffText('保修期为 24 个月', '保修期为 12 个月')).toEqual([
    { op: 'same', text: '保修期为 ' },
    { op: 'gone', text: '24' },
    { op: 'new', text: '12' },
    { op: 'same', text: ' 个月' },
  ])
})
