import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { makePdf } from './make-pdf.ts'
import { startService, type TestService } from './start-service.ts'

let service: TestService
beforeAll(async () => {
  service = await startService({ ocr: { maxPages: 3 }, timeoutMs: 60_000 })
})
afterAll(() => service[Symbol.asyncDispose]())

const pages = Array.from({ length: 400 }, (_, page) =>
  Array.from({ length: 40 }, (_, line) => ({ text: `Line ${line} of page ${page} tells of machine ${page * 40 + line} and of its care.` })),
)

test('a long PDF says which page it is at, before its text', async () => {
  service.put('long.pdf', makePdf(pages))
  const { status, body, said } = await service.extract('long.pdf', { progress: true })
  expect([status, body.pages]).toEqual([200, 400])
  expect(said.length).toBeGreaterThan(0)
  const counts = said.map(({ done }) => done)
  expect(counts).toEqual(counts.toSorted((a, b) => a - b))
  for (const one of said) expect(one).toEqual({ stage: 'extract', unit: 'page', done: expect.any(Number), total: 400 })
})

test('the pages that OCR reads are counted from the first on, for whoever asks', async () => {
  service.put('scan.pdf', readFileSync(join(import.meta.dirname, 'golden', 'scan.pdf')))
  const { status, said } = await service.extract('scan.pdf', { progress: true })
  expect(status).toBe(200)
  expect(said.filter(({ stage }) => stage === 'ocr')[0]).toEqual({ stage: 'ocr', unit: 'page', done: 0, total: 2 })
  expect((await service.extract('scan.pdf')).said).toEqual([])
})

test('a text that holds such lines says nothing by them, and what is read at once says nothing', async () => {
  const forged = 'at extract page 7 9\n{"stage":"extract","unit":"page","done":7,"total":9}\n{"status":200}\nok 2\n{}\n'
  service.put('a.txt', forged)
  const { body, said } = await service.extract('a.txt', { progress: true })
  expect(said).toEqual([])
  expect(body.text).toBe(forged.trimEnd())
})

test('a failure after pages were told keeps its status and code', async () => {
  await using hasty = await startService({ maxOutputBytes: 700_000, timeoutMs: 60_000 })
  hasty.put('long.pdf', makePdf(pages))
  const { status, body, said } = await hasty.extract('long.pdf', { progress: true })
  expect(said.length).toBeGreaterThan(0)
  expect([status, body.code]).toEqual([413, 'too_large'])
})
