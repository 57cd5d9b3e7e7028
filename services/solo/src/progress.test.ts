import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { followIndexing, renderProgress, renderReads, renderTime } from './progress.ts'

const half = { done: 120, total: 240, failed: 0, filesPerSecond: 2.5, secondsLeft: 48, waitsFor: '', reads: '' }

test('the bar shows counts, pace and the time left', () => {
  expect(renderProgress(half)).toBe('  [############------------] 120/240  50 %  48 s left  2.5 files/s')
  expect(renderProgress({ ...half, failed: 3, secondsLeft: null, filesPerSecond: 0 })).toBe(
    '  [############------------] 120/240  50 %  3 failed',
  )
  expect(renderProgress({ ...half, done: 239 })).toContain('[#######################-] 239/240  99 %')
})

test('a pause is said in its place, and no line is longer than the terminal', () => {
  expect(renderProgress({ ...half, waitsFor: 'Disk space is short.' })).toContain('waits: Disk space is short.')
  expect(renderProgress({ ...half, waitsFor: 'x'.repeat(300) }, 60)).toHaveLength(59)
})

test('what is being read is named with its page, shortened to the terminal, and cannot steer it', () => {
  const progress = { stage: 'extract' as const, unit: 'page' as const, done: 31, total: 250 }
  const reads = renderReads({ path: 'manuals/boiler.pdf', progress })
  expect(reads).toBe('page 31/250 of boiler.pdf')
  expect(renderProgress({ ...half, reads }, 100)).toMatch(/48 s left {2}page 31\/250 of boiler\.pdf {2}2\.5 files\/s$/)
  expect(renderReads({ path: 'scan.pdf', progress: { ...progress, stage: 'ocr' } })).toBe('OCR, page 31/250 of scan.pdf')
  expect(renderReads({ path: `${'长'.repeat(40)}.pdf`, progress })).toBe(`page 31/250 of ${'长'.repeat(12)}…${'长'.repeat(7)}.pdf`)
  expect(renderReads({ path: 'a\u001b[2Jb.pdf', progress })).toBe('page 31/250 of a[2Jb.pdf')
  // a Chinese character takes two columns
  expect(renderProgress({ ...half, waitsFor: '锅'.repeat(30) }, 72)).toBe(
    `  [############------------] 120/240  50 %  waits: ${'锅'.repeat(10)}`,
  )
  // in 80 columns the counter is seen, however long the name is
  const long = {
    path: 'annual-report-of-the-whole-company.txt',
    progress: { stage: 'embed' as const, unit: 'chunk' as const, done: 1_600, total: 4_800 },
  }
  expect(renderProgress({ ...half, failed: 3, secondsLeft: 440, reads: renderReads(long) }, 80)).toBe(
    '  [####----] 120/240  50 %  3 failed  7 min 20 s left  chunk 1600/4800 of annua',
  )
  expect(renderReads({ path: 'a.txt', progress: { stage: 'extract', done: 0, total: 0 } })).toBe('')
})

test('times are said in two units at most', () => {
  expect([renderTime(5), renderTime(65), renderTime(7_500)]).toEqual(['5 s', '1 min 5 s', '2 h 5 min'])
})

/** An ingest that gives these counts one after the other, the last one for ever. */
async function fakeIngest(counts: Record<string, number>[], reasons: { reason: string; message: string }[] = []) {
  const server = createServer((req, res) => {
    const documents = counts.length > 1 && req.url === '/stats' ? counts.shift() : counts[0]
    const status = { state: reasons.length > 0 ? 'paused' : 'running', reasons, filesPerSecond: 1, secondsLeft: 2 }
    const items = [{ path: 'long.pdf', progress: { stage: 'extract', unit: 'page', done: 3, total: 90 } }]
    if (req.url?.startsWith('/documents')) return void res.end(JSON.stringify({ items }))
    res.end(JSON.stringify(req.url === '/stats' ? { documents, lastScanAt: 'now' } : status))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  return { ingestUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, internalToken: 'token' }
}
const never = new AbortController().signal

test('a terminal gets one line that is drawn over, a pipe gets plain lines', async () => {
  const counts = (): Record<string, number>[] => [{ queued: 2 }, { queued: 1, ready: 1 }, { ready: 1, failed: 1 }]
  let drawn = ''
  expect(
    await followIndexing(await fakeIngest(counts()), () => undefined, never, { columns: 80, write: (text) => (drawn += text) }),
  ).toEqual({ ready: 1, failed: 1, waiting: 0 })
  expect(drawn.split('\r\u001b[2K').slice(1)).toEqual([
    expect.stringContaining('0/2  0 %'),
    expect.stringContaining('1/2  50 %  2 s left  1.0 files/s'),
    expect.stringMatching(/2\/2 {2}100 % {2}1 failed\n$/),
  ])
  const lines: string[] = []
  await followIndexing(await fakeIngest(counts()), (line) => lines.push(line), never)
  expect(lines).toEqual(['indexing 0/2', 'indexing 2/2'])
})

test('the page of a document that is being read is shown', async () => {
  const counts = (): Record<string, number>[] => [{ indexing: 1 }, { ready: 1 }]
  let drawn = ''
  await followIndexing(await fakeIngest(counts()), () => undefined, never, { columns: 120, write: (text) => (drawn += text) })
  expect(drawn).toContain('0/1  0 %  2 s left  page 3/90 of long.pdf  1.0 files/s')
  const lines: string[] = []
  await followIndexing(await fakeIngest(counts()), (line) => lines.push(line), never)
  expect(lines).toEqual(['indexing 0/1, page 3/90 of long.pdf', 'indexing 1/1'])
})

test('paused by hand the start does not wait for the rest', async () => {
  const lines: string[] = []
  const ingest = await fakeIngest([{ queued: 3, ready: 1 }], [{ reason: 'manual', message: 'Paused by hand.' }])
  expect(await followIndexing(ingest, (line) => lines.push(line), never)).toEqual({ ready: 1, failed: 0, waiting: 3 })
  expect(lines.at(-1)).toBe('indexing waits: Paused by hand.')
})
