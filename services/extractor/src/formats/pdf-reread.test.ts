import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { makePdf } from '../../test/make-pdf.ts'
import { openOcr } from '../ocr.ts'
import { extractPdf } from './pdf.ts'
import type { PdfCharacter } from './pdf-characters.ts'
import { rereader } from './pdf-reread.ts'

const noOcr = openOcr(undefined, () => {})

const line = (text: string, top: number): PdfCharacter[] =>
  [...text].map((char, i) => ({ char, left: i * 10, right: i * 10 + 9, top, bottom: top + 12, bold: false, generated: false }))
const region = (text: string, top: number) => ({ left: 0, right: text.length * 10, top, bottom: top + 12 })

test('characters are what the file says, spaces those of the layout', () => {
  const reader = rereader([line('显色指数Ra97', 40), line('2700K', 60)])
  expect(reader.reread('显色指数 Ra 57', region('显色指数Ra97', 40))).toBe('显色指数 Ra 97')
  expect(reader.reread('-700 K', region('2700K', 60))).toBe('2700 K')
  expect(reader.missed()).toEqual([])
})

test('what the file cannot name stays as the layout reader has it', () => {
  const reader = rereader([line('a\ufffd\ue001d', 40)])
  expect(reader.reread('abcd', region('abcd', 40))).toBe('abcd')
})

test('another number of glyphs is a dispute, a ligature is none, and lines never asked for are missed', () => {
  const reader = rereader([line('ofﬁce', 40), line('lost', 80)])
  expect(reader.reread('office', region('ofﬁce', 40))).toBe('office')
  expect(reader.reread('off', region('ofﬁce', 40))).toBeUndefined()
  expect(reader.missed().map((one) => one.map(({ char }) => char).join(''))).toEqual(['lost'])
})

test('figures of the sample manual, whose fonts are not embedded, are right whatever fonts this machine has', async () => {
  const bytes = readFileSync(new URL('../../../../documents/product/arc-a1-manual.zh.pdf', import.meta.url))
  const { text } = await extractPdf(bytes, 1_000_000, noOcr)
  for (const fact of ['显色指数为 Ra 97', '2700 K 至 6500 K', '离开座位 20 分钟', '2.4 GHz', '400-000-2016', '| 1.85 kg'])
    expect(text).toContain(fact)
})

test('every page of a long document is cited under its own number', async () => {
  const pages = Array.from({ length: 120 }, (_, i) => [
    { text: `第 ${i + 1} 章 Chapter ${i + 1}`, size: 18 },
    { text: `设备编号为 ${7_000 + i} 的装置位于第 ${i + 1} 层。` },
    { text: `The device ${7_000 + i} weighs ${300 + i} g.` },
  ])
  const { blocks, text, pages: count } = await extractPdf(makePdf(pages), 1_000_000, noOcr)
  expect(count).toBe(120)
  const wrong = blocks.filter((block) =>
    [...text.slice(block.start, block.end).matchAll(/(7\d\d\d)/g)].some(([, n]) => Number(n) - 6_999 !== block.page),
  )
  expect(wrong).toEqual([])
  expect(new Set(blocks.map((block) => block.page)).size).toBe(120)
})
