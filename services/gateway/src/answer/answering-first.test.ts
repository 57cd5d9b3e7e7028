import type { Passage } from '@docent/core/passage'
import { expect, test } from 'vitest'
import { answeringFirst } from './answering-first.ts'

const passage = (chunkId: string, text: string) =>
  ({
    chunkId,
    documentId: chunkId,
    path: `${chunkId}.md`,
    title: chunkId,
    mediaType: 'text/csv',
    start: 0,
    end: text.length,
    score: 1,
    text,
    parent: { start: 0, end: text.length, text },
  }) as Passage

test('of passages about what a question names those come first that hold the kind of thing it asks for', () => {
  const all = [
    passage('manual', 'The BX-300 has four channels.'),
    passage('prices', 'SKU | List price EUR\nBX-200 | 89\nBX-300 | 248'),
    passage('others', 'SKU | List price EUR\nBX-200 | 89\nBX-900 | 248'),
  ]
  const order = (question: string) => answeringFirst(question, all).map(({ chunkId }) => chunkId)
  expect(order('How much does the BX-300 cost?')).toEqual(['prices', 'manual', 'others'])
  // it names nothing, or asks for nothing that could be told by its form
  expect(order('How much does it cost?')).toEqual(['manual', 'prices', 'others'])
  expect(order('Who makes the BX-300?')).toEqual(['manual', 'prices', 'others'])
})
