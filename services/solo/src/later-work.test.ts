import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { until } from '../../lib/testkit/src/until.ts'
import { tellLaterWork } from './later-work.ts'

type Counts = Record<string, number> | 'away'

/** Follows an ingest that gives these counts one after the other, then idles; resolves with the lines when all were asked for. */
async function linesOf(given: Counts[], { lineMs = 0, reasons = [] as { reason: string; message: string }[] } = {}) {
  const left = [...given]
  let idle = 0
  const server = createServer((req, res) => {
    if (req.url === '/ingest') return void res.end(JSON.stringify({ state: reasons.length > 0 ? 'paused' : 'running', reasons }))
    if (req.url?.startsWith('/documents?state=indexing')) {
      const items = [{ path: 'long.pdf', progress: { stage: 'extract', unit: 'page', done: 3, total: 90 } }]
      return void res.end(JSON.stringify({ items }))
    }
    const counts = left.shift()
    if (counts === 'away') return void res.writeHead(503).end('{}')
    if (counts === undefined) idle++
    res.end(JSON.stringify({ counts: counts ?? { ready: 9 } }))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  const stop = new AbortController()
  const lines: string[] = []
  const solo = { ingestUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, internalToken: 'token' }
  const telling = tellLaterWork(solo, (line) => lines.push(line), stop.signal, { pollMs: 1, lineMs })
  await until('it idles', () => idle >= 3 || undefined)
  stop.abort()
  await telling
  return lines
}

test('work that comes later is told with its end, each time anew, and what is idle is silent', async () => {
  expect(await linesOf([{ ready: 9 }, { ready: 9 }])).toEqual([])
  expect(
    await linesOf([
      { queued: 4, ready: 9 },
      { queued: 2, ready: 11 },
      { queued: 3, ready: 12 },
      { ready: 15 },
      { queued: 1 },
      { ready: 16 },
    ]),
  ).toEqual(['indexing 0/4', 'indexing 2/4', 'indexing 2/5', 'indexing 5/5', 'indexing 0/1', 'indexing 1/1'])
})

test('between two lines a time passes: what was over before its first line was due is not told', async () => {
  const lines = await linesOf([{ queued: 4 }, { queued: 2 }, { ready: 4 }, { queued: 1 }, { ready: 5 }], { lineMs: 60_000 })
  expect(lines).toEqual(['indexing 0/4', 'indexing 4/4'])
})

test('what is being read is named, and why work waits', async () => {
  expect(await linesOf([{ indexing: 1 }, { ready: 1 }])).toEqual(['indexing 0/1, page 3/90 of long.pdf', 'indexing 1/1'])
  const reasons = [{ reason: 'disk', message: 'Disk space is short.' }]
  expect(await linesOf([{ queued: 2 }, { queued: 2 }, { ready: 2 }], { reasons })).toEqual([
    'indexing 0/2, waits: Disk space is short.',
    'indexing 2/2',
  ])
})

test('an ingest that does not answer is said once, and followed when it is back', async () => {
  expect(await linesOf(['away', 'away', { queued: 1 }, { ready: 1 }])).toEqual([
    'how far indexing is cannot be told now: ingest answered 503 when asked for its progress',
    'indexing 0/1',
    'indexing 1/1',
  ])
})
