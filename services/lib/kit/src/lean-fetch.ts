import { Agent, type IncomingMessage, request } from 'node:http'
import { request as requestSecurely, Agent as SecureAgent } from 'node:https'

const agent = new Agent({ keepAlive: true, maxFreeSockets: 256 })
const secureAgent = new SecureAgent({ keepAlive: true, maxFreeSockets: 256 })
const REST_MS = 1_000 // what a reader leaves unread is awaited so long for the connection's sake

/**
 * `fetch` for what our clients need, on node:http: no web streams between socket and reader, which is most of what fetch costs.
 * Bodies that are sent are texts; nothing is compressed; a redirect is left to fetch itself. `body` is read once, by
 * iterating, `json` or `text`; leaving it early keeps the connection when the rest comes at once.
 */
export async function leanFetch(url: string | URL | Request, init: RequestInit = {}): Promise<Response> {
  if (url instanceof Request || (init.body != null && typeof init.body !== 'string')) return fetch(url, init)
  const target = url instanceof URL ? url : new URL(url)
  const message = await answerTo(target, init)
  if (message.statusCode !== undefined && message.statusCode >= 300 && message.statusCode < 400 && message.headers.location) {
    message.destroy()
    return fetch(target, init)
  }
  return responseOf(message, target, init.signal ?? undefined)
}

function answerTo(target: URL, init: RequestInit, isAgain = false): Promise<IncomingMessage> {
  const { method = 'GET', signal, body } = init
  return new Promise((answered, failed) => {
    if (signal?.aborted) return failed(signal.reason)
    const isSecure = target.protocol === 'https:'
    const headers = headersOf(init.headers)
    if (typeof body === 'string') headers['content-length'] = String(Buffer.byteLength(body))
    const options = { method, headers, agent: isSecure ? secureAgent : agent }
    const req = isSecure ? requestSecurely(target, options, answered) : request(target, options, answered)
    const leave = () => req.destroy(signal!.reason as Error)
    signal?.addEventListener('abort', leave, { once: true })
    req.on('close', () => signal?.removeEventListener('abort', leave))
    req.on('error', (cause: NodeJS.ErrnoException) => {
      if (signal?.aborted) return failed(signal.reason)
      // a kept connection that the other side closed just now: nothing was answered on it
      if (req.reusedSocket && !isAgain && (cause.code === 'ECONNRESET' || cause.code === 'EPIPE'))
        return answered(answerTo(target, init, true))
      failed(new TypeError('fetch failed', { cause }))
    })
    req.end(body ?? undefined)
  })
}

function headersOf(given: RequestInit['headers']): Record<string, string> {
  if (!given) return {}
  return given instanceof Headers || Array.isArray(given) ? Object.fromEntries(given) : { ...given }
}

function responseOf(message: IncomingMessage, url: URL, signal: AbortSignal | undefined): Response {
  const status = message.statusCode ?? 0
  const body = bodyOf(message, signal)
  const text = async () => {
    const parts: Buffer[] = []
    for await (const part of body) parts.push(part)
    return Buffer.concat(parts).toString('utf8')
  }
  const response = {
    status,
    ok: status >= 200 && status < 300,
    statusText: message.statusMessage ?? '',
    url: url.href,
    // many a reader never looks at them
    get headers() {
      return new Headers(
        Object.entries(message.headersDistinct).flatMap(([name, values = []]) => values.map((value): [string, string] => [name, value])),
      )
    },
    body: Object.assign(body, {
      cancel: async () => void message.destroy(),
    }),
    text,
    json: async () => JSON.parse(await text()) as unknown,
  }
  return response as unknown as Response
}

/** The parts as they come. One reader, which is never far behind: nothing is held back. */
function bodyOf(message: IncomingMessage, signal: AbortSignal | undefined): AsyncIterableIterator<Buffer> {
  const parts: Buffer[] = []
  let ended = false
  let broken: Error | undefined
  let wake: (() => void) | undefined
  const rouse = () => {
    wake?.()
    wake = undefined
  }
  message.on('data', (part: Buffer) => {
    parts.push(part)
    rouse()
  })
  message.on('end', () => {
    ended = true
    rouse()
  })
  message.on('error', (error) => {
    broken = error
    rouse()
  })
  message.on('close', () => {
    if (!ended) broken ??= new Error('The connection was closed.')
    rouse()
  })
  return {
    [Symbol.asyncIterator]() {
      return this
    },
    async next() {
      for (;;) {
        const value = parts.shift()
        if (value) return { value, done: false }
        if (ended) return { value: undefined, done: true }
        if (broken) throw signal?.aborted ? signal.reason : broken
        await new Promise<void>((woken) => {
          wake = woken
        })
      }
    },
    async return() {
      if (!ended && !message.destroyed) {
        const limit = setTimeout(() => message.destroy(), REST_MS)
        message.once('close', () => clearTimeout(limit))
      }
      return { value: undefined, done: true }
    },
  }
}
