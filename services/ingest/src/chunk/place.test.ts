import type { Block } from '@docent/core/document'
import { expect, test } from 'vitest'
import { chunkDocument } from './chunk.ts'

test('a chunk stands on one slide or sheet and names its own rows; every chunk of a table has the header', () => {
  const tables = ['A', 'B'].flatMap((sheet) =>
    [0, 1, 2].map((n) => ({
      sheet,
      row: 2 + n * 20,
      lastRow: 21 + n * 20,
      text: ['City | Limit', ...Array.from({ length: 20 }, (_, i) => `Town ${n}-${i} of ${sheet} | ${600 + i}`)].join('\n'),
    })),
  )
  const blocks: Block[] = []
  let text = ''
  for (const { text: own, ...place } of tables) {
    if (text) text += '\n\n'
    blocks.push({ kind: 'table', text: own, heading: [], ...place, start: text.length, end: text.length + own.length })
    text += own
  }
  const chunks = chunkDocument({ text, blocks }, { size: 500, overlap: 50 })
  expect(chunks.map(({ locator: { sheet, row, lastRow } }) => [sheet, row, lastRow])).toEqual(
    tables.map(({ sheet, row, lastRow }) => [sheet, row, lastRow]),
  )
  for (const chunk of chunks) expect(chunk.text.startsWith('City | Limit\n')).toBe(true)
  const joined = chunkDocument({ text, blocks }, { size: 2_000, overlap: 50 })
  expect(joined.map(({ locator: { sheet, row, lastRow } }) => [sheet, row, lastRow])).toEqual([
    ['A', 2, 61],
    ['B', 2, 61],
  ])
})
