import type { IncomingHttpHeaders } from 'node:http'
import { Agent, type Dispatcher, request } from 'undici'

// time limits are the callers'; an address that drops what is sent to it is given up soon
const agent = new Agent({ connect: { timeout: 3_000 }, headersTimeout: 0, bodyTimeout: 0 })
const REST_MS = 1_000 // what a reader leaves unread is awaited so long for the connection's sake
const REST_BYTES = 64 * 1024

/**
 * `fetch` for what our clients need, by undici's `request`: no web streams between socket and reader, which is most of what
 * fetch costs. Bodies that are sent are texts; nothing is compressed; a redirect is left to fetch itself. `body` is read
 * once, by iterating, `each`, `json` or `text`; leaving it early keeps the connection when the rest comes at once.
 */
export async function leanFetch(url: string | URL | Request, init: RequestInit = {}): Promise<Response> {
  if (url instanceof Request || (init.body != null && typeof init.body !== 'string')) return fetch(url, init)
  const { statusCode: status, headers, body } = await answerTo(url, init)
  body.on('error', () => undefined) // whoever reads hears of it; a body that nobody reads must not end the process
  if (status >= 300 && status < 400 && headers.location) {
    body.destroy()
    return fetch(url, init)
  }
  const response = {
    status,
    ok: status >= 200 && status < 300,
    url: String(url),
    // many a reader never looks at them
    get headers() {
      return headersOf(headers)
    },
    body: {
      [Symbol.asyncIterator]: () => partsOf(body),
      each: (hear: (part: Buffer) => boolean) => tellParts(body, hear),
      cancel: async () => void body.destroy(),
    },
    text: () => body.text(),
    json: () => body.json(),
  }
  return response as unknown as Response
}

async function answerTo(url: string | URL, { method = 'GET', headers, body, signal }: RequestInit): Promise<Dispatcher.ResponseData> {
  try {
    return await request(url, {
      method: method as Dispatcher.HttpMethod,
      headers: headers instanceof Headers || Array.isArray(headers) ? Object.fromEntries(headers) : (headers ?? {}),
      body: (body as string | null | undefined) ?? null,
      signal: signal ?? null,
      dispatcher: agent,
    })
  } catch (cause) {
    if (signal?.aborted) throw signal.reason
    throw new TypeError('fetch failed', { cause })
  }
}

type Body = Dispatcher.ResponseData['body']

async function* partsOf(body: Body): AsyncGenerator<Buffer> {
  let isWhole = false
  let bytes = 0
  try {
    for await (const part of body.iterator({ destroyOnReturn: false })) {
      bytes += (part as Buffer).length
      yield part as Buffer
    }
    isWhole = true
  } finally {
    if (!isWhole) leaveRest(body, bytes)
  }
}

/** Tells each part as it is read from the socket, without a promise; resolves to true at the end, to false when `hear` has enough. */
function tellParts(body: Body, hear: (part: Buffer) => boolean): Promise<boolean> {
  return new Promise((resolve, reject) => {
    let bytes = 0
    const take = (part: Buffer) => {
      bytes += part.length
      try {
        if (hear(part)) return
        resolve(false)
      } catch (error) {
        reject(error)
      }
      body.off('data', take)
      leaveRest(body, bytes)
    }
    body.on('error', reject)
    body.on('end', () => resolve(true))
    body.on('data', take)
  })
}

/** undici counts what was read before towards the limit. */
function leaveRest(body: Body, bytes: number): void {
  if (!body.destroyed) body.dump({ limit: bytes + REST_BYTES, signal: AbortSignal.timeout(REST_MS) }).catch(() => body.destroy())
}

function headersOf(given: IncomingHttpHeaders): Headers {
  const pairs = Object.entries(given).flatMap(([name, value]) => [value ?? []].flat().map((one): [string, string] => [name, one]))
  return new Headers(pairs)
}
