import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer, type ServerResponse } from 'node:http'
import { join } from 'node:path'
import type { Block, Extracted, Progress } from '@docent/core/document'

export type FakeExtractor = AsyncDisposable & {
  socket: string
  /** how often each path was asked for */
  asked: Map<string, number>
  /** answers for this path with an error code instead */
  failWith(path: string, status: number, code: string): void
  /** says how far a document is that is held */
  tell(path: string, progress: Progress): void
  /** holds the answers until the returned function is called */
  hold(): () => void
}

/** The extractor's contract over a Unix socket, for plain text: a paragraph per blank line, `# ` is a heading. */
export async function startFakeExtractor(folder: string, socket: string): Promise<FakeExtractor> {
  const failures = new Map<string, { status: number; code: string }>()
  const asked = new Map<string, number>()
  const held = new Map<string, ServerResponse>()
  let gate: Promise<void> = Promise.resolve()
  const server = createServer(async (req, res) => {
    const send = (status: number, body: unknown) => {
      if (res.headersSent) res.write(`${JSON.stringify({ status })}\n`)
      else res.writeHead(status, { 'content-type': 'application/json' })
      res.end(JSON.stringify(body))
    }
    if (req.url === '/healthz') return send(200, { status: 'ok' })
    if (req.url === '/metrics.json') return send(200, { extracted: { 'txt,ok': asked.size } })
    const parts: Buffer[] = []
    for await (const part of req) parts.push(part as Buffer)
    const { path } = JSON.parse(Buffer.concat(parts).toString('utf8')) as { path: string }
    asked.set(path, (asked.get(path) ?? 0) + 1)
    held.set(path, res)
    await gate
    const failure = failures.get(path)
    if (failure) return send(failure.status, { code: failure.code, detail: `The file is ${failure.code}.` })
    try {
      send(200, extract(await readFile(join(folder, path), 'utf8')))
    } catch {
      send(410, { code: 'gone', detail: 'The file is gone.' })
    }
  })
  server.listen(socket)
  await once(server, 'listening')
  return {
    socket,
    asked,
    failWith: (path, status, code) => void failures.set(path, { status, code }),
    tell(path, progress) {
      const res = held.get(path)!
      if (!res.headersSent) res.writeHead(200, { 'content-type': 'application/x-ndjson' })
      res.write(`${JSON.stringify(progress)}\n`)
    },
    hold() {
      const { promise, resolve } = Promise.withResolvers<void>()
      gate = promise
      return resolve
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((done) => server.close(done))
    },
  }
}

function extract(text: string): Extracted {
  const blocks: Block[] = []
  let heading: string[] = []
  let at = 0
  for (const part of text.split('\n\n')) {
    const isHeading = part.startsWith('# ')
    if (isHeading) heading = [part.slice(2)]
    if (part.trim()) blocks.push({ kind: isHeading ? 'heading' : 'paragraph', text: part, heading, start: at, end: at + part.length })
    at += part.length + 2
  }
  return { mediaType: 'text/plain', charset: 'utf-8', text, blocks, notes: [] }
}
