import type { IndexingLoad } from '@docent/corpus/corpus'
import { expect, test } from 'vitest'
import { timeLeft } from './time-left.ts'

const pdf = 'application/pdf'
const text = 'text/plain'
const load: IndexingLoad = { made: { chunks: 100, seconds: 10 }, samples: [], running: [], queued: [] }
const embeds = (done: number, total: number) => ({ stage: 'embed' as const, unit: 'chunk' as const, done, total })

test('one big file among small ones counts by its chunks, not as one file', () => {
  const small = { mediaType: text, chunks: 10, bytes: 5_000 }
  const big = { mediaType: text, bytes: 2_500_000, progress: embeds(400, 4_800) }
  expect(timeLeft({ ...load, samples: [small], running: [big] })).toBe(440)
  // 100,000 bytes more are 10 + 4,800 chunks to 5,000 + 2,500,000 bytes each: 193 chunks
  expect(timeLeft({ ...load, samples: [small], running: [big], queued: [{ mediaType: text, documents: 4, bytes: 100_000 }] })).toBe(460)
  // not read yet: by its size
  expect(timeLeft({ ...load, samples: [small], running: [{ mediaType: text, bytes: 2_500_000 }] })).toBe(500)
})

test('what waits is expected by its media type, else by all, and no document has less than a chunk', () => {
  const samples = [
    { mediaType: pdf, chunks: 10, bytes: 100_000 },
    { mediaType: text, chunks: 90, bytes: 100_000 },
  ]
  const wait = (mediaType: string, bytes: number, documents = 1) =>
    timeLeft({ ...load, samples, queued: [{ mediaType, bytes, documents }] })
  expect([wait(pdf, 1_000_000), wait(text, 1_000_000), wait('text/csv', 1_000_000)]).toEqual([10, 90, 50])
  expect(wait(text, 0, 200)).toBe(20)
})

test('what is not known is not said, and with nothing left it is 0', () => {
  expect(timeLeft(load)).toBe(0)
  expect(timeLeft({ ...load, queued: [{ mediaType: pdf, documents: 1, bytes: 10 }] })).toBeNull()
  expect(
    timeLeft({ ...load, made: { chunks: 0, seconds: 0 }, running: [{ mediaType: pdf, bytes: 10, progress: embeds(0, 64) }] }),
  ).toBeNull()
})

test('for one big file it falls steadily, from the first batch on', () => {
  const said = Array.from({ length: 299 }, (_, i) => {
    const done = (i + 1) * 16
    return timeLeft({
      ...load,
      made: { chunks: done, seconds: done / 8 },
      running: [{ mediaType: text, bytes: 1e6, progress: embeds(done, 4_800) }],
    })!
  })
  expect(said[0]).toBe(598)
  expect(said.at(-1)).toBe(2)
  expect(said.every((one, i) => i === 0 || one === said[i - 1]! - 2)).toBe(true)
})

test('of pictures that are read, the pages done are work done', () => {
  const samples = [{ mediaType: pdf, chunks: 100, bytes: 1_000_000 }]
  const running = (done: number) => [
    { mediaType: pdf, bytes: 1_000_000, progress: { stage: 'ocr' as const, unit: 'page' as const, done, total: 50 } },
  ]
  expect([timeLeft({ ...load, samples, running: running(0) }), timeLeft({ ...load, samples, running: running(40) })]).toEqual([10, 2])
})
