import { type Chunk, embedText } from '@docent/core/chunk'
import type { Block, Extracted } from '@docent/core/document'
import { expect, test } from 'vitest'
import { cpuMs } from '../../../lib/testkit/src/cpu-ms.ts'
import { chunkDocument } from './chunk.ts'

const settings = { size: 500, overlap: 50 }
type Part = { kind?: Block['kind']; text: string; page?: number; heading?: string[] }

function documentOf(parts: readonly Part[], title?: string): Extracted {
  const blocks: Block[] = []
  let text = ''
  for (const part of parts) {
    if (text) text += '\n\n'
    blocks.push({
      kind: part.kind ?? 'paragraph',
      text: part.text,
      heading: part.heading ?? [],
      start: text.length,
      end: text.length + part.text.length,
      ...(part.page ? { page: part.page } : {}),
    })
    text += part.text
  }
  return { ...(title ? { title } : {}), mediaType: 'text/plain', text, blocks, notes: [] }
}

/** A small seeded generator: the same documents on every run. */
function random(seed: number): () => number {
  let state = seed
  return () => (state = (state * 1_103_515_245 + 12_345) % 2_147_483_648) / 2_147_483_648
}

function anyDocument(seed: number): Extracted {
  const next = random(seed)
  const pick = <T>(from: readonly T[]) => from[Math.floor(next() * from.length)]!
  const words = [
    '保修期为两年。',
    'The warranty lasts two years. ',
    'see e.g. page 3',
    '，',
    '👩‍👩‍👧‍👦',
    'e\u0301\u0302',
    '𠮷野家',
    ' ',
    '\n',
    '一二三四五六七八九十',
    'a-very-long-word-without-end',
    '! ',
    '🇩🇪🇫🇷',
    '한국어',
  ]
  const parts = Array.from({ length: 1 + Math.floor(next() * 12) }, (): Part => {
    const kind = pick(['paragraph', 'list', 'table', 'code', 'heading'] as const)
    const length = kind === 'heading' ? 3 : Math.floor(next() ** 3 * 400) + 1
    const text = Array.from({ length }, () => pick(words)).join('')
    return { kind, text: text.trim() || 'x', heading: next() < 0.5 ? [] : [pick(['A', 'B'])], page: 1 + Math.floor(next() * 2) }
  })
  return documentOf(parts, next() < 0.5 ? 'A title' : undefined)
}

test.each(Array.from({ length: 150 }, (_, seed) => seed))(
  "nothing is lost, order is kept, text is the document's own (seed %i)",
  (seed) => {
    const document = anyDocument(seed * 7919 + 1)
    const chunks = chunkDocument(document, settings)
    const covered = new Uint8Array(document.text.length)
    for (const [i, { ordinal, text, locator, parent }] of chunks.entries()) {
      expect(ordinal).toBe(i)
      expect(text).toBe(document.text.slice(locator.start, locator.end))
      expect(parent.text).toBe(document.text.slice(parent.start, parent.end))
      expect(parent.start <= locator.start && parent.end >= locator.end).toBe(true)
      expect(parent.text.length).toBeLessThanOrEqual(2_000)
      expect(text.length).toBeLessThanOrEqual(2 * settings.size)
      expect(text.isWellFormed()).toBe(true)
      if (i > 0) {
        expect(locator.start).toBeGreaterThan(chunks[i - 1]!.locator.start)
        expect(locator.end).toBeGreaterThan(chunks[i - 1]!.locator.end)
        expect(chunks[i - 1]!.locator.end - locator.start).toBeLessThanOrEqual(settings.overlap)
      }
      covered.fill(1, locator.start, locator.end)
    }
    const lost = document.blocks
      .flatMap((block) => Array.from({ length: block.end - block.start }, (_, i) => block.start + i))
      .filter((at) => !covered[at] && /\S/.test(document.text[at]!))
    expect(lost).toEqual([])
  },
)

test('no cut stands inside a character', () => {
  const text = `${'👩‍👩‍👧‍👦'.repeat(100)}${'e\u0301\u0302'.repeat(300)}${'𠮷'.repeat(400)}${'🇩🇪'.repeat(200)}x${'\u0301'.repeat(1_000)}end`
  const starts = new Set([...new Intl.Segmenter('und', { granularity: 'grapheme' }).segment(text)].map(({ index }) => index))
  starts.add(text.length)
  const chunks = chunkDocument(documentOf([{ text }]), settings)
  expect(chunks.length).toBeGreaterThan(5)
  for (const { locator } of chunks) expect([starts.has(locator.start), starts.has(locator.end)]).toEqual([true, true])
})

test('one line of 5 MB is cut into bounded chunks in reasonable time', () => {
  for (const line of ['保'.repeat(5_000_000), 'e.g. '.repeat(1_000_000)]) {
    let chunks: Chunk[] = []
    const ms = cpuMs(() => {
      chunks = chunkDocument(documentOf([{ text: line }]), settings)
    })
    expect(ms).toBeLessThan(4_000)
    expect(Math.max(...chunks.map((chunk) => chunk.text.length))).toBeLessThanOrEqual(625)
    expect(chunks.length).toBeGreaterThan(8_000)
  }
})

test('sentences stay whole, in Chinese and in English', () => {
  const zh = Array.from({ length: 40 }, (_, i) => `第${i}条规定，产品自购买之日起享受两年的保修服务。`).join('')
  const en = Array.from({ length: 40 }, (_, i) => `Rule ${i} says that the product is covered for two years.`).join(' ')
  for (const chunk of chunkDocument(documentOf([{ text: zh }, { text: en }]), settings)) {
    expect(chunk.text).toMatch(/^(第|Rule)/)
    expect(chunk.text).toMatch(/[。.]$/)
    expect(chunk.text.length).toBeLessThanOrEqual(500)
  }
})

test('a table is cut by row, code stays whole, a section is not mixed with the next', () => {
  const rows = ['Name | Price', ...Array.from({ length: 60 }, (_, i) => `Product ${i} | ${i * 10} EUR`)].join('\n')
  const code = Array.from({ length: 40 }, (_, i) => `const value${i} = ${i}`).join('\n')
  const chunks = chunkDocument(
    documentOf([
      { kind: 'heading', text: 'Prices', heading: ['Prices'] },
      { kind: 'table', text: rows, heading: ['Prices'] },
      { kind: 'heading', text: 'Use', heading: ['Use'] },
      { kind: 'code', text: code, heading: ['Use'] },
    ]),
    settings,
  )
  const tables = chunks.filter((chunk) => chunk.locator.heading[0] === 'Prices')
  expect(tables.length).toBeGreaterThan(2)
  for (const { text } of tables.slice(1)) for (const line of text.split('\n')) expect(line).toMatch(/^Product \d+ \| \d+ EUR$/)
  expect(chunks.filter((chunk) => chunk.text.includes(code))).toHaveLength(1)
})

test('header is title and headings once; it and the text are what the hash covers', () => {
  const [one] = chunkDocument(documentOf([{ text: 'Two years.', heading: ['Manual', 'Warranty'] }], 'Manual'), settings)
  expect(one!.header).toBe('Manual › Warranty')
  expect(embedText(one!)).toBe('Manual › Warranty\nTwo years.')
  const [other] = chunkDocument(documentOf([{ text: 'Two years.', heading: ['Manual', 'Service'] }], 'Manual'), settings)
  expect(other!.textHash).not.toBe(one!.textHash)
})

test('a chunk stands on one page, its parent may reach over', () => {
  const chunks = chunkDocument(
    documentOf([
      { text: 'On one.', page: 1 },
      { text: 'On two.', page: 2 },
    ]),
    settings,
  )
  expect(chunks.map((chunk) => chunk.locator.page)).toEqual([1, 2])
  expect(chunks[0]!.parent.text).toContain('On two.')
})

test('an edit of one paragraph changes few hashes', () => {
  const section = (i: number, text: string): Part[] => [
    { kind: 'heading', text: `Part ${i}`, heading: [`Part ${i}`] },
    { text, heading: [`Part ${i}`] },
  ]
  const before = Array.from({ length: 10 }, (_, i) => section(i, `Text number ${i}. `.repeat(20).trim()))
  const after = before.with(4, section(4, 'Another text.'))
  const hashes = (parts: Part[][]) => chunkDocument(documentOf(parts.flat()), settings).map((chunk) => chunk.textHash)
  const known = new Set(hashes(before))
  expect(hashes(after).filter((hash) => !known.has(hash))).toHaveLength(1)
})

test('blocks that overlap or lie outside the text are borne', () => {
  const text = 'One sentence here. Another one there.'
  const block = (start: number, end: number): Block => ({ kind: 'paragraph', text: '', heading: [], start, end })
  const chunks = chunkDocument({ text, blocks: [block(10, 400), block(0, 18)] }, settings)
  expect(chunks.map((chunk) => chunk.text).join(' ')).toContain('One sentence here.')
  expect(chunks.at(-1)!.locator.end).toBe(text.length)
})
