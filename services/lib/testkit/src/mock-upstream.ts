import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** How the next answers go wrong, or `good`. */
export type UpstreamMode =
  | 'good'
  | 'slow' // a piece each `pieceMs`
  | 'status' // answers `status` instead
  | 'silent' // accepts and never says anything
  | 'stall' // says some pieces, then nothing
  | 'cut' // says some pieces, then cuts the socket
  | 'reset' // the same by a reset of the connection
  | 'half' // says some pieces, then ends in the middle of a character
  | 'no-done' // says all pieces, then ends without finish_reason and [DONE]
  | 'error' // an error object in mid-stream
  | 'empty' // ends at once, complete but without a word
  | 'hang-after-finish' // finish_reason, then an open socket

/** `calls`: tools it asks for after the pieces; `status`: it answers with that instead; `body`: with these bytes as they are; `mode`: how this one goes wrong. */
export type MockReply = {
  pieces?: string[]
  calls?: { name: string; arguments: string }[]
  status?: number
  body?: { type: string; text: string }
  mode?: UpstreamMode
}

export type MockUpstream = AsyncDisposable & {
  url: string
  mode: UpstreamMode
  status: number
  /** headers of answers with `status` */
  headers: Record<string, string>
  pieces: string[]
  /** what is said to this request instead of `pieces` */
  reply: ((request: MockUpstream['requests'][number]) => MockReply | undefined) | undefined
  pieceMs: number
  usage: { prompt_tokens: number; completion_tokens: number } | undefined
  /** bodies of all requests so far */
  requests: { messages: { role: string; content: string }[]; model: string; stream?: boolean; [field: string]: unknown }[]
  /** performance.now() of each request whose client hung up before the end */
  hangUps: number[]
  open(): number
}

/** An OpenAI-compatible model for tests, with the failures of real ones. */
export async function openMockUpstream(
  options: Partial<Pick<MockUpstream, 'mode' | 'pieces' | 'pieceMs' | 'status'>> & { port?: number } = {},
): Promise<MockUpstream> {
  let open = 0
  const server = createServer((req, res) => {
    const chunks: Buffer[] = []
    req.on('data', (chunk: Buffer) => chunks.push(chunk))
    req.on('end', () => {
      const request = JSON.parse(Buffer.concat(chunks).toString('utf8')) as MockUpstream['requests'][number]
      mock.requests.push(request)
      open++
      res.on('close', () => {
        open--
        if (!res.writableEnded) mock.hangUps.push(performance.now())
      })
      void answer(request, res).catch(() => res.destroy())
    })
  })

  async function answer(request: MockUpstream['requests'][number], res: ServerResponse): Promise<void> {
    const reply = mock.reply?.(request) ?? {}
    const mode = reply.status ? 'status' : (reply.mode ?? mock.mode)
    const pieces = reply.pieces ?? (reply.calls ? [] : mock.pieces)
    if (reply.body) return void res.writeHead(200, { 'content-type': reply.body.type }).end(reply.body.text)
    if (mode === 'silent') return
    if (mode === 'status') {
      const status = reply.status ?? mock.status
      res.writeHead(status, { 'content-type': 'application/json', ...mock.headers })
      return void res.end(JSON.stringify({ error: { message: 'mock', code: status } }))
    }
    res.writeHead(200, { 'content-type': 'text/event-stream' })
    const half = Math.max(1, Math.floor(pieces.length / 2))
    const stopsHalfway = ['stall', 'cut', 'reset', 'half', 'error'].includes(mode)
    for (const piece of mode === 'empty' ? [] : pieces.slice(0, stopsHalfway ? half : undefined)) {
      res.write(chunk({ content: piece }, null))
      if (mode === 'slow' || mock.pieceMs > 0) await new Promise((done) => setTimeout(done, mock.pieceMs))
      if (res.destroyed) return
    }
    if (mode === 'stall') return
    if (mode === 'cut') return void setImmediate(() => res.destroy())
    if (mode === 'reset') return void setImmediate(() => res.socket?.resetAndDestroy())
    if (mode === 'half') {
      const bytes = Buffer.from(chunk({ content: '𠮷野家' }, null))
      res.write(bytes.subarray(0, bytes.indexOf(0xf0) + 2))
      return void setImmediate(() => res.destroy())
    }
    if (mode === 'error') return void res.end(`data: ${JSON.stringify({ error: { message: 'overloaded', code: 503 } })}\n\n`)
    if (mode === 'no-done') return void res.end()
    // each call in two pieces, as real ones come
    for (const [index, { name, arguments: given }] of (reply.calls ?? []).entries()) {
      const half = Math.ceil(given.length / 2)
      res.write(
        chunk(
          { tool_calls: [{ index, id: `call-${index}`, type: 'function', function: { name, arguments: given.slice(0, half) } }] },
          null,
        ),
      )
      res.write(chunk({ tool_calls: [{ index, function: { arguments: given.slice(half) } }] }, null))
    }
    res.write(chunk({}, reply.calls ? 'tool_calls' : 'stop'))
    if (mode === 'hang-after-finish') return
    if (mock.usage) res.write(`data: ${JSON.stringify({ choices: [], usage: mock.usage })}\n\n`)
    res.end('data: [DONE]\n\n')
  }

  server.listen(options.port ?? 0, '127.0.0.1')
  await once(server, 'listening')
  const mock: MockUpstream = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    mode: options.mode ?? 'good',
    status: options.status ?? 500,
    headers: { 'retry-after-ms': '1' },
    pieces: options.pieces ?? ['Hello', ' world', '.'],
    reply: undefined,
    pieceMs: options.pieceMs ?? 0,
    usage: { prompt_tokens: 11, completion_tokens: 7 },
    requests: [],
    hangUps: [],
    open: () => open,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((done) => server.close(done))
    },
  }
  return mock
}

function chunk(delta: object, finish: string | null): string {
  return `data: ${JSON.stringify({ id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 1, model: 'mock', choices: [{ index: 0, delta, logprobs: null, finish_reason: finish }] })}\n\n`
}
