import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { strToU8, unzipSync, zipSync } from 'fflate'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { makeEpub } from './make-epub.ts'
import { readBytes } from './read-bytes.ts'
import { startService, type TestService } from './start-service.ts'

const zipped = ['docx', 'xlsx', 'pptx', 'odt', 'ods', 'odp'] as const
const samples = Object.fromEntries(
  zipped.map((format) => [format, readFileSync(join(import.meta.dirname, 'golden', `en.${format}`))]),
) as Record<(typeof zipped)[number], Buffer>
const mains = {
  docx: 'word/document.xml',
  xlsx: 'xl/worksheets/sheet1.xml',
  pptx: 'ppt/slides/slide1.xml',
  odt: 'content.xml',
  ods: 'content.xml',
  odp: 'content.xml',
} as const

/** The sample with some of its parts changed. */
function changed(format: (typeof zipped)[number], parts: Record<string, string | Uint8Array>): Buffer {
  const extra = Object.fromEntries(
    Object.entries(parts).map(([name, content]) => [name, typeof content === 'string' ? strToU8(content) : content]),
  )
  return Buffer.from(zipSync({ ...unzipSync(samples[format]), ...extra }, { level: 6 }))
}

async function outcome(path: string, content: Uint8Array | string): Promise<string> {
  return readBytes(path, content).then(
    () => 'OK',
    (error: { code?: string }) => `FAIL(${error.code ?? String(error)})`,
  )
}

const ole = Buffer.concat([Buffer.from('d0cf11e0a1b11ae1', 'hex'), Buffer.alloc(600)])
const underPassword = Buffer.concat([ole, Buffer.from('EncryptedPackage', 'utf16le')])

test.each(zipped)('a damaged, locked, hollow or misnamed %s says what is wrong with it', async (format) => {
  const sample = samples[format]
  const other = format === 'xlsx' ? samples.pptx : samples.xlsx
  expect(await outcome(`half.${format}`, sample.subarray(0, sample.length / 2))).toBe('FAIL(corrupt)')
  expect(await outcome(`locked.${format}`, underPassword)).toBe('FAIL(encrypted)')
  expect(await outcome(`old.${format}`, ole)).toBe('FAIL(type_mismatch)')
  expect(await outcome(`other.${format}`, other)).toBe('FAIL(type_mismatch)')
  expect(await outcome(`text.${format}`, 'no zip at all')).toBe('FAIL(corrupt)')
  expect(await outcome(`plain.${format}`, zipSync({ 'a.txt': strToU8('a') }))).toBe('FAIL(corrupt)')
  const damaged = Buffer.from(sample)
  const at = damaged.indexOf(mains[format]) + mains[format].length + 40
  damaged.fill(0x55, at, at + 60)
  expect(await outcome(`crc.${format}`, damaged)).toBe('FAIL(corrupt)')
})

test.each(zipped)('%s: entities, deep trees and a zip inside are no way in (F42, F51, F52)', async (format) => {
  const billion = `<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><x>&b;</x>`
  expect(await outcome(`laughs.${format}`, changed(format, { [mains[format]]: billion }))).toBe('FAIL(corrupt)')
  const deep = '<p>'.repeat(20_000) + '</p>'.repeat(20_000)
  expect(await outcome(`deep.${format}`, changed(format, { [mains[format]]: `<x>${deep}</x>` }))).toMatch(/^FAIL\((?:corrupt|empty)\)$/)
  const document = await readBytes(`nested.${format}`, changed(format, { 'inner.zip': samples.docx, 'word/inner.docx': samples.docx }))
  expect(document.text).toBe((await readBytes(`plain.${format}`, samples[format])).text)
})

test('an ODF under a password, and one that says it is another kind', async () => {
  const manifest =
    '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"><manifest:file-entry manifest:full-path="content.xml"><manifest:encryption-data/></manifest:file-entry></manifest:manifest>'
  for (const format of ['odt', 'ods', 'odp'] as const)
    expect(await outcome(`locked.${format}`, changed(format, { 'META-INF/manifest.xml': manifest }))).toBe('FAIL(encrypted)')
  expect(await outcome('sheet.odt', samples.ods)).toBe('FAIL(type_mismatch)')
})

test('what is hidden in a workbook or a deck is left out, and said', async () => {
  const book = unzipSync(samples.xlsx)
  const hidden = Buffer.from(book['xl/workbook.xml']!)
    .toString()
    .replace(/(<sheet name="Contacts"[^>]*?)state="visible"/, '$1state="hidden"')
  const rows = Buffer.from(book[mains.xlsx]!)
    .toString()
    .replace(/<row r="4"[^>]*hidden="false"/, (row) => row.replace('hidden="false"', 'hidden="true"'))
  const read = await readBytes('a.xlsx', changed('xlsx', { 'xl/workbook.xml': hidden, [mains.xlsx]: rows }))
  expect(read.text).not.toMatch(/Ann Miller|North/)
  expect(read.text).toContain('East')
  expect(read.notes).toEqual(expect.arrayContaining(['hidden sheets were left out', 'hidden rows were left out']))
  const sheets = Buffer.from(unzipSync(samples.ods)['content.xml']!)
    .toString()
    .replace(
      '<office:automatic-styles>',
      '<office:automatic-styles><style:style style:name="gone" style:family="table"><style:table-properties table:display="false"/></style:style>',
    )
    .replace(/(<table:table table:name="Contacts") table:style-name="[^"]*"/, '$1 table:style-name="gone"')
  const ods = await readBytes('a.ods', changed('ods', { 'content.xml': sheets }))
  expect(ods.text).not.toContain('Ann Miller')
  expect(ods.notes).toContain('hidden sheets were left out')
  const deck = Buffer.from(unzipSync(samples.pptx)[mains.pptx]!).toString().replace('<p:sld ', '<p:sld show="0" ')
  const pptx = await readBytes('a.pptx', changed('pptx', { [mains.pptx]: deck }))
  expect(pptx.text).not.toContain('Revenue')
  expect(pptx.blocks[0]!.slide).toBe(2)
})

test('a zip without an extension is told by its parts', async () => {
  for (const format of zipped)
    expect((await readBytes('noname', samples[format])).text).toBe((await readBytes(`a.${format}`, samples[format])).text)
  expect((await readBytes('noname', makeEpub([{ file: 'a.xhtml', title: 'One', body: '<p>text</p>' }]))).mediaType).toBe(
    'application/epub+zip',
  )
})

test('mails and RTFs that are none, and odd ones', async () => {
  expect(await outcome('a.eml', 'just a text, no header\n')).toBe('FAIL(type_mismatch)')
  expect(await outcome('a.eml', samples.docx)).toBe('FAIL(type_mismatch)')
  expect(await outcome('a.rtf', 'just a text')).toBe('FAIL(type_mismatch)')
  expect(await outcome('a.rtf', samples.docx)).toBe('FAIL(type_mismatch)')
  expect(await outcome('a.epub', samples.docx)).toBe('FAIL(type_mismatch)')
  expect(await outcome('deep.rtf', `{\\rtf1 ${'{'.repeat(300_000)}deep${'}'.repeat(300_000)}}`)).toBe('OK')
  expect(await outcome('cut.rtf', '{\\rtf1 {\\b half')).toBe('OK')
  expect(await outcome('bin.rtf', '{\\rtf1 a{\\pict\\bin99999999 }b}')).toBe('OK')
  expect(
    (await readBytes('gbk.rtf', `{\\rtf1\\ansi\\ansicpg936{\\fonttbl{\\f0\\fcharset134 SimSun;}}\\f0 \\'c4\\'ea\\'bc\\'d9\\u21150\\'bf}`))
      .text,
  ).toBe('年假办')
})

let service: TestService
beforeAll(async () => {
  service = await startService({ timeoutMs: 20_000 })
})
afterAll(() => service[Symbol.asyncDispose]())

const rows = (row: string, times: number) =>
  `<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>${row.repeat(times)}</sheetData></worksheet>`

test.each([
  ['F81: XLSX of zeros', 'a.xlsx', () => changed('xlsx', { [mains.xlsx]: rows('<row><c t="str"><v>0</v></c></row>', 200_000) })],
  [
    'F81: XLSX that repeats a long string',
    'b.xlsx',
    () =>
      changed('xlsx', {
        'xl/sharedStrings.xml': `<sst><si><t>${'long text '.repeat(50_000)}</t></si></sst>`,
        [mains.xlsx]: rows('<row><c t="s"><v>0</v></c></row>', 1_000),
      }),
  ],
  ['XLSX with far cells', 'c.xlsx', () => changed('xlsx', { [mains.xlsx]: rows('<row><c r="ALK1" t="str"><v>x</v></c></row>', 20_000) })],
  ['PPTX of letters', 'd.pptx', () => changed('pptx', { [mains.pptx]: `<x>${'a'.repeat(5_000_000)}</x>` })],
  [
    'ODS with repeated rows',
    'e.ods',
    () =>
      changed('ods', {
        [mains.ods]: `<x><table name="a">${'<table-row table:number-rows-repeated="1000000"><table-cell table:number-columns-repeated="1000000"><p>wide text</p></table-cell></table-row>'.repeat(500)}</table></x>`,
      }),
  ],
  ['EPUB of letters', 'f.epub', () => makeEpub([{ file: 'a.xhtml', title: 'x', body: `<p>${'a'.repeat(5_000_000)}</p>` }])],
])('%s ends without taking the service along', async (_name, path, make) => {
  const { status, body } = await service.read(path, make())
  expect(status, JSON.stringify(body).slice(0, 200)).not.toBe(200)
  expect(body.code).toMatch(/^(?:bomb|too_large|parser_memory|parser_timeout)$/)
  expect((await service.read('next.txt', '下一个文件')).body.text).toBe('下一个文件')
})
