import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { makeMail } from './make-mail.ts'
import { makePdf } from './make-pdf.ts'
import { characterF1 } from './read-bytes.ts'
import { pictureKinds, pictureLines, scanPages } from './scan-sources.ts'
import { startService, type TestService } from './start-service.ts'

const golden = (name: string) => readFileSync(join(import.meta.dirname, 'golden', name))

let service: TestService
let small: TestService
beforeAll(async () => {
  service = await startService({ ocr: { maxPages: 3 }, timeoutMs: 60_000 })
  small = await startService({ ocr: { maxPages: 1 }, timeoutMs: 60_000 })
})
afterAll(async () => {
  await service[Symbol.asyncDispose]()
  await small[Symbol.asyncDispose]()
})

test('a scan is read in Chinese and in English, page by page, and each block says that it was', async () => {
  const { status, body } = await service.read('scan.pdf', golden('scan.pdf'))
  expect(status).toBe(200)
  const textOf = (page: number) =>
    body.blocks
      .filter((block) => block.page === page)
      .map(({ text }) => text)
      .join('\n')
  expect(characterF1(textOf(1), scanPages.zh.join('\n'))).toBeGreaterThan(0.93)
  expect(characterF1(textOf(2), scanPages.en.join('\n'))).toBeGreaterThan(0.97)
  // In reading order, without the spaces that Tesseract puts between Chinese characters.
  for (const phrase of ['每周检查一次锅炉水压', '严禁打开检修门']) expect(textOf(1)).toContain(phrase)
  for (const phrase of ['If it drops below 1.2 bar, open the valve', 'FX-4471']) expect(textOf(2)).toContain(phrase)
  expect(body.blocks.every(({ ocr }) => ocr === true)).toBe(true)
  expect(body.blocks.filter(({ kind }) => kind === 'heading').map(({ text }) => text)).toEqual([scanPages.zh[0], scanPages.en[0]])
  expect(body.notes).toEqual(['2 of 2 pages were read by OCR: single characters may be wrong'])
})

test.each(pictureKinds)('a picture is read: %s', async (kind) => {
  const { status, body } = await service.read(`picture.${kind}`, golden(`picture.${kind}`))
  expect(status).toBe(200)
  expect(body.mediaType).toBe(`image/${kind === 'jpg' ? 'jpeg' : kind === 'tif' ? 'tiff' : kind}`)
  expect(characterF1(body.text, pictureLines.join('\n'))).toBeGreaterThan(0.95)
  expect(body.blocks[0]).toMatchObject({ ocr: true, kind: 'paragraph' })
  expect(body.blocks[0]).not.toHaveProperty('page')
})

test('what OCR leaves out for its number of pages is said, and so is what it is too small for', async () => {
  const { body } = await small.read('scan.pdf', golden('scan.pdf'))
  expect(new Set(body.blocks.map(({ page }) => page))).toEqual(new Set([1]))
  expect(body.notes).toContain('1 scanned pages were not read: only 1 pages of a document are read by OCR: raise OCR_MAX_PAGES')
  await using poor = await startService({ ocr: { whyNot: 'OCR needs 240 MB' } })
  expect((await poor.read('scan.pdf', golden('scan.pdf'))).body).toMatchObject({
    code: 'no_text',
    detail: 'The pages are pictures with hardly any text, and OCR needs 240 MB.',
  })
})

test('a picture in a mail is read, and stands at its attachment', async () => {
  const mail = makeMail('Keys', { text: 'See the picture.' }, [{ type: 'image/png', name: 'note.png', content: golden('picture.png') }])
  const { body } = await service.read('a.eml', mail)
  expect(body.blocks.find(({ text }) => text.includes('spare key'))).toMatchObject({ attachment: 'note.png', ocr: true })
})

test('without OCR a scan is no_text and a picture unsupported, and both say how to switch it on', async () => {
  await using off = await startService()
  expect((await off.read('scan.pdf', golden('scan.pdf'))).body).toMatchObject({
    code: 'no_text',
    detail: expect.stringMatching(/OCR=auto/),
  })
  const picture = await off.read('a.png', golden('picture.png'))
  expect(picture.body).toMatchObject({ code: 'unsupported', detail: expect.stringMatching(/OCR=auto/) })
})

test('printed pages are not read again, and a picture without text is left out', async () => {
  const text = 'The warranty lasts two years from the day of delivery.'
  const { body } = await service.read('printed.pdf', makePdf([[{ text }]], { isScan: true }))
  expect(body).toMatchObject({ text, notes: [] })
  expect(body.blocks[0]).not.toHaveProperty('ocr')
  const blank = await service.read('blank.pdf', makePdf([[], []], { isScan: true }))
  expect(blank.body).toMatchObject({ code: 'no_text', detail: expect.stringMatching(/OCR found no text/) })
  expect(
    (await service.read('dot.gif', Buffer.from('R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7', 'base64'))).body,
  ).toMatchObject({
    code: 'unsupported',
    detail: 'OCR found no text in this picture.',
  })
})

test('a picture must be what its name says, and whole', async () => {
  const codeOf = async (path: string, content: Buffer | string) => (await service.read(path, content)).body.code
  expect(await codeOf('text.png', 'no picture at all')).toBe('type_mismatch')
  expect(await codeOf('other.png', makePdf([[{ text: 'a' }]]))).toBe('type_mismatch')
  expect(await codeOf('half.png', golden('picture.png').subarray(0, 900))).toBe('corrupt')
})

test('a scan whose OCR needs more memory than there is says so, and the next document is read', async () => {
  await using tight = await startService({ ocr: { maxPages: 3 }, childMemoryMb: 100, timeoutMs: 60_000 })
  const { body } = await tight.read('scan.pdf', golden('scan.pdf'))
  expect(body).toMatchObject({ code: 'no_text', detail: expect.stringMatching(/OCR needed too much memory: raise EXTRACT_MEMORY_MB/) })
  expect((await tight.read('a.txt', 'The next one.')).status).toBe(200)
})
