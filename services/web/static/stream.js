import { getJson, Problem, request } from './api.js'

const finals = ['done', 'stopped', 'interrupted', 'error']
const names = ['meta', 'sources', 'delta', 'citation', 'warning', 'usage', ...finals]
const WAIT_MS = 2_000
const never = new AbortController().signal

/**
 * Asks and calls `onEvent(name, data)` for each event, the final one last. When the connection is cut, it goes on through
 * an EventSource; events that were seen already are left out by their ids. With the same `key` a question that the server
 * has taken already is not asked twice. An aborted `signal` leaves the answer, which goes on without this reader.
 */
export async function ask(question, conversationId, onEvent, options = {}) {
  const body = { question, onDisconnect: 'detach', ...(conversationId ? { conversationId } : {}) }
  await begin('/api/v1/answers', body, onEvent, options)
}

/** The question of an answer once more, with the same events as `ask`. */
export async function regenerate(answerId, onEvent, options = {}) {
  await begin(`/api/v1/answers/${encodeURIComponent(answerId)}/regenerate`, { onDisconnect: 'detach' }, onEvent, options)
}

async function begin(path, body, onEvent, { onCut = () => undefined, signal = never, key }) {
  const reader = createReader(onEvent)
  const headers = key ? { 'idempotency-key': key } : {}
  const response = await request(path, { method: 'POST', body, accept: 'text/event-stream', signal, headers })
  try {
    await readStream(response.body, reader.take)
  } catch (error) {
    if (!reader.answerId || signal.aborted) throw error
  }
  if (reader.isOver) return
  if (!reader.answerId) throw new TypeError('the stream ended before it began')
  await follow(reader, onCut, signal)
}

/** An answer from its first event, whether it still runs or not. */
export async function resume(answerId, onEvent, { onCut = () => undefined, signal = never } = {}) {
  const reader = createReader(onEvent)
  reader.answerId = answerId
  await follow(reader, onCut, signal)
}

/** The events that a stored answer would have sent. */
export function replay(answer, onEvent) {
  takeStored(createReader(onEvent), answer)
}

export async function stop(answerId) {
  await request(`/api/v1/answers/${encodeURIComponent(answerId)}/stop`, { method: 'POST', body: {} })
}

function createReader(onEvent) {
  const reader = { answerId: undefined, isOver: false, lastId: 0, take }
  function take(name, id, text) {
    if (reader.isOver || !names.includes(name) || (id > 0 && id <= reader.lastId)) return
    if (id > 0) reader.lastId = id
    const data = JSON.parse(text)
    if (name === 'meta') reader.answerId = data.answerId
    reader.isOver = finals.includes(name)
    onEvent(name, data)
  }
  return reader
}

/** Listens until the end. Where an EventSource gives up, the stored answer says whether there is more to wait for. */
async function follow(reader, onCut, signal) {
  const address = `/api/v1/answers/${encodeURIComponent(reader.answerId)}`
  for (;;) {
    await listen(reader, `${address}/events?after=${reader.lastId}`, onCut, signal)
    if (reader.isOver) return
    const answer = await getJson(address, { signal }).catch((error) => {
      if (signal.aborted || (error instanceof Problem && error.status < 500 && error.status !== 429)) throw error
      return undefined // down for the moment
    })
    if (answer && answer.state !== 'streaming') return takeStored(reader, answer)
    onCut()
    await pause(WAIT_MS, signal)
  }
}

function listen(reader, url, onCut, signal) {
  return new Promise((resolve, reject) => {
    const source = new EventSource(url)
    const left = () => {
      source.close()
      reject(signal.reason)
    }
    const end = () => {
      signal.removeEventListener('abort', left)
      source.close()
      resolve()
    }
    if (signal.aborted) return left()
    signal.addEventListener('abort', left, { once: true })
    for (const name of names) {
      source.addEventListener(name, (event) => {
        if (typeof event.data !== 'string') return // `error` is also the name of the EventSource's own event
        reader.take(name, Number(event.lastEventId), event.data)
        if (reader.isOver) end()
      })
    }
    source.onerror = (event) => {
      if (reader.isOver || typeof event.data === 'string') return
      if (source.readyState === EventSource.CLOSED) end()
      else onCut()
    }
  })
}

function pause(ms, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms)
    signal.addEventListener('abort', () => {
      clearTimeout(timer)
      reject(signal.reason)
    })
  })
}

function takeStored(reader, answer) {
  const put = (name, data) => reader.take(name, 0, JSON.stringify(data))
  put('meta', { answerId: answer.id, conversationId: answer.conversationId, restart: true })
  put('sources', { sources: answer.sources ?? [], answerable: answer.answerable })
  for (const step of answer.degraded ?? []) put('warning', { code: 'degraded', step })
  put('delta', { text: answer.text ?? '' })
  for (const citation of answer.citations ?? []) put('citation', citation)
  for (const warning of answer.warnings ?? []) put('warning', warning)
  const state = finals.includes(answer.state) ? answer.state : 'interrupted'
  put(state, { state, ...(answer.error ?? {}) })
}

async function readStream(body, take) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader()
  let rest = ''
  let [name, id, data] = ['', 0, []]
  for (;;) {
    const { value, done } = await reader.read()
    if (done) return
    const lines = (rest + value).split(/\r\n|\n|\r(?!$)/)
    rest = lines.pop()
    for (const line of lines) {
      if (line === '') {
        if (data.length > 0) take(name, id, data.join('\n'))
        ;[name, data] = ['', []]
        continue
      }
      const colon = line.indexOf(':')
      const field = colon < 0 ? line : line.slice(0, colon)
      const content = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '')
      if (field === 'event') name = content
      else if (field === 'id') id = Number(content) || 0
      else if (field === 'data') data.push(content)
    }
  }
}
