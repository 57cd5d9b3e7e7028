import type { IncomingHttpHeaders } from 'node:http'
import { Agent, type Dispatcher } from 'undici'

// time limits are the callers'; an address that drops what is sent to it is given up soon
const agent = new Agent({ connect: { timeout: 3_000 }, headersTimeout: 0, bodyTimeout: 0 })
const REST_MS = 1_000 // what a reader leaves unread is awaited so long for the connection's sake
const REST_BYTES = 64 * 1024
const UNHEARD_BYTES = 64 * 1024
const ENOUGH = new Error('enough') // made once: a reason costs a stack

/** Told each part as it is read from the socket; `false` means enough. */
type Hear = (part: Buffer) => boolean

/**
 * `fetch` for what our clients need, on undici's `dispatch`: no streams and no promises between socket and reader, which is most of
 * what fetch costs. Bodies that are sent are texts; nothing is compressed; a redirect is left to fetch itself. `body` is read
 * once, by `each`, `json` or `text`; leaving it early keeps the connection when the rest comes at once.
 */
export async function leanFetch(url: string | URL | Request, init: RequestInit = {}): Promise<Response> {
  if (url instanceof Request || (init.body != null && typeof init.body !== 'string')) return fetch(url, init)
  // an address that is asked again and again is given as a URL: to read it costs more than to ask there
  const { status, headers, body } = await answerTo(typeof url === 'string' ? new URL(url) : url, init)
  if (status >= 300 && status < 400 && headers.location) {
    void body.cancel()
    return fetch(url, init)
  }
  const text = async () => {
    const parts: Buffer[] = []
    await body.each((part) => parts.push(part) > 0)
    return Buffer.concat(parts).toString('utf8')
  }
  let made: Headers | undefined
  const response = {
    status,
    ok: status >= 200 && status < 300,
    url: String(url),
    // many a reader never looks at them, others again and again
    get headers() {
      made ??= headersOf(headers)
      return made
    },
    body,
    text,
    json: async () => JSON.parse(await text()) as unknown,
  }
  return response as unknown as Response
}

type Answer = { status: number; headers: IncomingHttpHeaders; body: Body }

/** Resolves with the head. Errors: the signal's reason; `fetch failed` with its cause. */
function answerTo({ origin, pathname, search }: URL, { method = 'GET', headers, body, signal }: RequestInit): Promise<Answer> {
  return new Promise((resolve, reject) => {
    let controller: Dispatcher.DispatchController | undefined
    let told: Body | undefined
    const leave = () => {
      reject(signal!.reason)
      controller?.abort(signal!.reason)
    }
    if (signal?.aborted) return leave()
    signal?.addEventListener('abort', leave, { once: true })
    const over = () => signal?.removeEventListener('abort', leave)
    agent.dispatch(
      {
        origin,
        path: pathname + search,
        method: method as Dispatcher.HttpMethod,
        headers: headers instanceof Headers || Array.isArray(headers) ? Object.fromEntries(headers) : (headers ?? {}),
        body: (body as string | null | undefined) ?? null,
      },
      {
        onRequestStart(started) {
          controller = started
          if (signal?.aborted) started.abort(signal.reason)
        },
        onResponseStart(started, status, head) {
          if (status < 200) return
          started.rawHeaders = null // they would keep the whole first read for as long as the body lasts
          told = createBody(started)
          resolve({ status, headers: head, body: told })
        },
        onResponseData: (_, part) => told?.push(part),
        onResponseEnd() {
          over()
          told?.end()
        },
        onResponseError(_, cause) {
          over()
          if (told) told.end(cause)
          else reject(new TypeError('fetch failed', { cause }))
        },
      },
    )
  })
}

type Body = ReturnType<typeof createBody>

/** What comes before somebody listens is kept; a socket that brings more than a little of it waits. */
function createBody(controller: Dispatcher.DispatchController) {
  let unheard: Buffer[] = []
  let unheardBytes = 0
  let over: { error?: Error } | undefined
  let hear: Hear | undefined
  let limit: NodeJS.Timeout | undefined
  const { promise, resolve, reject } = Promise.withResolvers<boolean>()

  function take(part: Buffer): void {
    try {
      if (hear!(part)) return
      resolve(false)
    } catch (error) {
      reject(error)
    }
    let left = REST_BYTES
    hear = ({ length }) => {
      left -= length
      if (left < 0) controller.abort(ENOUGH)
      return true
    }
    if (!over) limit = setTimeout(() => controller.abort(ENOUGH), REST_MS)
  }

  function push(part: Buffer): void {
    if (hear) take(part)
    else {
      unheard.push(part)
      unheardBytes += part.length
      if (unheardBytes > UNHEARD_BYTES) controller.pause()
    }
  }

  function end(error?: Error): void {
    clearTimeout(limit)
    over = error ? { error } : {}
    if (hear) settle()
  }

  function settle(): void {
    if (over?.error) reject(over.error)
    else if (over) resolve(true)
  }

  return {
    push,
    end,
    /** True at the end, false when `listener` has enough. Errors: what broke the connection, what `listener` throws. */
    each(listener: Hear): Promise<boolean> {
      hear = listener
      const parts = unheard
      unheard = []
      for (const part of parts) take(part)
      settle()
      if (controller.paused) controller.resume()
      return promise
    },
    cancel: async () => controller.abort(ENOUGH),
  }
}

/** What is read of headers, without what it costs to make the real ones: they are checked, sorted and copied by each look. */
function headersOf(given: IncomingHttpHeaders): Headers {
  const all = new Map<string, string>()
  for (const [name, value] of Object.entries(given)) if (value !== undefined) all.set(name, [value].flat().join(', '))
  const headers = {
    get: (name: string) => all.get(name.toLowerCase()) ?? null,
    has: (name: string) => all.has(name.toLowerCase()),
    entries: () => all.entries(),
    [Symbol.iterator]: () => all.entries(),
    forEach: (tell: (value: string, name: string) => void) => all.forEach(tell),
  }
  return headers as unknown as Headers
}
