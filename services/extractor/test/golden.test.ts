import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { Extracted } from '../src/types.ts'
import { type GoldenSource, goldenSources } from './golden-sources.ts'
import { characterF1, outlineOf, readBytes } from './read-bytes.ts'

const languages = ['zh', 'en'] as const

async function golden(name: string): Promise<Extracted> {
  const document = await readBytes(name, readFileSync(join(import.meta.dirname, 'golden', name)))
  for (const block of document.blocks) expect(document.text.slice(block.start, block.end)).toBe(block.text)
  return document
}

function rows(table: readonly (readonly string[])[]): string {
  return table.map((row) => row.join(' | ')).join('\n')
}

function textOutline({ text }: GoldenSource, footnote: string): string[] {
  const [[, first], [, second]] = text.heading as [[number, string], [number, string]]
  const path = `[${first} > ${second}]`
  return [
    `heading1 [${first}] ${first}`,
    `paragraph [${first}] ${text.paragraphs[0]}[1]`,
    `list [${first}] ${text.list.map((item) => `- ${item}`).join('\n')}`,
    `heading2 ${path} ${second}`,
    `paragraph ${path} ${text.paragraphs[1]}`,
    `table ${path} ${rows(text.table)}`,
    `paragraph ${path} ${text.box}`,
    `list ${path} ${footnote} ${text.footnote}`,
  ]
}

test.each(languages.flatMap((language) => ['odt', 'docx', 'rtf'].map((format) => [language, format] as const)))(
  'F56, F83: %s.%s keeps headings, lists, tables, footnotes and text boxes, and leaves deleted text out',
  async (language, format) => {
    const source = goldenSources[language]
    const document = await golden(`${language}.${format}`)
    expect(document.title).toBe(source.title)
    expect(outlineOf(document)).toEqual(textOutline(source, format === 'docx' ? '1.' : '[1]'))
    const { heading, paragraphs, list, table, footnote, box } = source.text
    const truth = [heading.map(([, text]) => text), paragraphs, list, rows(table), footnote, box].flat().join('\n')
    expect(characterF1(document.text, truth)).toBeGreaterThan(0.97)
  },
)

test.each(languages.flatMap((language) => ['ods', 'xlsx'].map((format) => [language, format] as const)))(
  '%s.%s: cells as shown, at their sheet and row',
  async (language, format) => {
    const source = goldenSources[language]
    const [sales, contacts] = source.sheets as [GoldenSource['sheets'][number], GoldenSource['sheets'][number]]
    const [title, header, first, second] = sales.rows.map((row) => row[0])
    const head = sales.rows[1]!.join(' | ')
    const document = await golden(`${language}.${format}`)
    expect(document.title).toBe(source.title)
    expect(outlineOf(document)).toEqual([
      `heading1 sheet=${sales.name} [${sales.name}] ${sales.name}`,
      `paragraph sheet=${sales.name} row=1 [${sales.name}] ${title}`,
      `table sheet=${sales.name} row=3 lastRow=4 [${sales.name}] ${head}\n${first} | 2025-03-01 | 1,234,567.50 | 25.6%\n${second} | 2025-04-15 | 980,000.00 | 20.4%`,
      `heading1 sheet=${contacts.name} [${contacts.name}] ${contacts.name}`,
      `table sheet=${contacts.name} row=2 [${contacts.name}] ${rows(contacts.rows as string[][])}`,
    ])
    expect(header).toBe(sales.rows[1]![0])
  },
)

test.each(languages.flatMap((language) => ['odp', 'pptx'].map((format) => [language, format] as const)))(
  '%s.%s: titles, points, columns from left to right, tables and notes, at their slide',
  async (language, format) => {
    const source = goldenSources[language]
    const [first, second] = source.slides as [GoldenSource['slides'][number], GoldenSource['slides'][number]]
    const document = await golden(`${language}.${format}`)
    expect(document.title).toBe(source.title)
    expect(outlineOf(document)).toEqual([
      `heading1 slide=1 [${first.title}] ${first.title}`,
      `list slide=1 [${first.title}] ${first.points.map((point) => `- ${point}`).join('\n')}`,
      `paragraph slide=1 [${first.title}] ${first.notes}`,
      `heading1 slide=2 [${second.title}] ${second.title}`,
      `paragraph slide=2 [${second.title}] ${second.left}`,
      `paragraph slide=2 [${second.title}] ${second.right}`,
      `table slide=2 [${second.title}] ${rows(second.table!)}`,
    ])
  },
)

test.each(['zh.doc', 'zh.xls'])('F85: %s is refused with what to do', async (name) => {
  await expect(golden(name)).rejects.toMatchObject({ code: 'unsupported', detail: expect.stringMatching(/save it as \.(?:docx|xlsx)/) })
})
