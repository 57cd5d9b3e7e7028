import { createServer, type ServerResponse } from 'node:http'

// A model and a retrieval service for measurements, in a process of their own. The model's name says how it talks:
// `burst-N` sends N tokens at once, `paced-R-N` sends N tokens at R a second, one timer for all streams.
type Stream = { res: ServerResponse; next: number; count: number; perMs: number; startedAt: number }
const TICK_MS = 10
const paced = new Set<Stream>()
const sources = {
  passages: [
    {
      documentId: '11111111-1111-4111-8111-111111111111',
      path: 'manual.md',
      title: 'Manual',
      mediaType: 'text/markdown',
      start: 0,
      end: 30,
      snippet: 'The warranty lasts 24 months.',
      score: 0.9,
      chunkId: 'c1',
      version: 1,
      text: 'The warranty lasts 24 months.',
      parent: { start: 0, end: 30, text: 'The warranty lasts 24 months.' },
      scores: { fused: 0.9 },
    },
  ],
  answerable: true,
  gate: { answerable: true, score: 1, threshold: 0.5, language: 'en', reason: 'bench' },
  degraded: [],
  tookMs: 1,
  configVersion: 'bench',
}

/** About 250 bytes, as real ones have. */
function piece(i: number): string {
  return `data: {"id":"chatcmpl-0123456789abcdef0123456789abcdef","object":"chat.completion.chunk","created":1766000000,"model":"bench-model","system_fingerprint":"fp_0123456789","choices":[{"index":0,"delta":{"content":"词${i} "},"logprobs":null,"finish_reason":null}]}\n\n`
}
const tail = `data: {"id":"x","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: {"choices":[],"usage":{"prompt_tokens":50,"completion_tokens":200}}\n\ndata: [DONE]\n\n`

setInterval(() => {
  const now = performance.now()
  for (const stream of paced) {
    const due = Math.min(stream.count, 1 + Math.floor((now - stream.startedAt) * stream.perMs))
    // each token in a write of its own, as models send them
    for (; stream.next < due; stream.next++) stream.res.write(piece(stream.next))
    if (stream.next < stream.count) continue
    stream.res.end(tail)
    paced.delete(stream)
  }
}, TICK_MS)

const server = createServer(async (req, res) => {
  if (req.url === '/readyz') return void res.end('{"status":"ok"}')
  let body = ''
  for await (const part of req) body += String(part)
  if (req.url === '/search') return void res.setHeader('content-type', 'application/json').end(JSON.stringify(sources))
  if (req.url === '/chunking') {
    const { settingsVersion } = JSON.parse(body) as { settingsVersion: number }
    const state = { size: 500, overlap: 50, from: 'settings', settingsVersion, documentsLeft: 0 }
    return void res.setHeader('content-type', 'application/json').end(JSON.stringify(state))
  }
  if (!req.url?.endsWith('/chat/completions')) return void res.writeHead(404).end()
  const [how, ...numbers] = (JSON.parse(body) as { model: string }).model.split('-')
  res.writeHead(200, { 'content-type': 'text/event-stream' })
  if (how === 'burst') {
    const count = Number(numbers[0])
    let all = ''
    for (let i = 0; i < count; i++) all += piece(i)
    return void res.end(all + tail)
  }
  const stream = { res, next: 0, count: Number(numbers[1]), perMs: Number(numbers[0]) / 1_000, startedAt: performance.now() }
  paced.add(stream)
  res.on('close', () => paced.delete(stream))
})
// an idle connection that is closed just as it is used again would fail a rival that does not try twice
server.keepAliveTimeout = 600_000
server.listen(Number(process.env.PORT), process.env.HOST)
process.once('SIGTERM', () => process.exit(0))
