import { getJson, request } from './api.js'

const finals = ['done', 'stopped', 'interrupted', 'error']
const names = ['meta', 'sources', 'delta', 'citation', 'warning', 'usage', ...finals]

/**
 * Asks and calls `onEvent(name, data)` for each event, the final one last. When the connection is cut, it goes on through
 * an EventSource; events that were seen already are left out by their ids.
 */
export async function ask(question, conversationId, onEvent, onCut) {
  const reader = createReader(onEvent)
  const body = { question, onDisconnect: 'detach', ...(conversationId ? { conversationId } : {}) }
  const response = await request('/api/v1/answers', { method: 'POST', body, accept: 'text/event-stream' })
  try {
    await readStream(response.body, reader.take)
  } catch (error) {
    if (!reader.answerId) throw error
  }
  if (reader.isOver) return
  if (!reader.answerId) throw new TypeError('the stream ended before it began')
  onCut()
  await follow(reader)
}

/** An answer from its first event, whether it still runs or not. */
export async function resume(answerId, onEvent) {
  const reader = createReader(onEvent)
  reader.answerId = answerId
  await follow(reader)
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

function follow(reader) {
  const address = `/api/v1/answers/${encodeURIComponent(reader.answerId)}`
  return new Promise((resolve, reject) => {
    const source = new EventSource(`${address}/events`)
    for (const name of names) {
      source.addEventListener(name, (event) => {
        if (typeof event.data !== 'string') return // `error` is also the name of the EventSource's own event
        reader.take(name, Number(event.lastEventId), event.data)
        if (!reader.isOver) return
        source.close()
        resolve()
      })
    }
    source.onerror = () => {
      if (reader.isOver || source.readyState !== EventSource.CLOSED) return
      // The journal is no longer kept: the stored answer has it all.
      getJson(address).then((answer) => {
        takeStored(reader, answer)
        resolve()
      }, reject)
    }
  })
}

function takeStored(reader, answer) {
  const put = (name, data) => reader.take(name, 0, JSON.stringify(data))
  put('meta', { answerId: answer.id, conversationId: answer.conversationId, restart: true })
  put('sources', { sources: answer.sources ?? [] })
  put('delta', { text: answer.text ?? '' })
  for (const citation of answer.citations ?? []) put('citation', citation)
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
