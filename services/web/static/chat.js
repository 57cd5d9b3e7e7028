import { getJson, Problem, randomId } from './api.js'
import { t } from './i18n.js'
import { ask, replay, resume, stop } from './stream.js'
import { createTurn } from './turn.js'

const ends = { done: 'done', stopped: 'stopped', interrupted: 'interrupted', error: 'failed' }

/**
 * The open conversation. `place` takes the turns; `on.change()` follows what is running and which conversation it is,
 * `on.say(name)` names a text for screen readers, `on.trouble(text)` for what belongs to no turn, `on.keyWanted()` asks for a key.
 */
export function createChat(place, on) {
  const chat = { conversationId: undefined, isRunning: false, open, leave, ask: answer, stop: stopRunning, takeWaiting, refresh }
  let view = new AbortController() // ends with the view: what reads for it stops reading
  let running
  let shown = new Set() // answer ids on the page
  let wantsStop = false

  function addTurn(question) {
    const turn = createTurn(question, {
      onAgain: (again, node) => {
        const { key, isTaken } = keys.get(node) ?? {}
        if (!isTaken) node.remove()
        return answer(again, isTaken ? undefined : key)
      },
    })
    place.append(turn.node)
    return turn
  }
  const keys = new WeakMap()
  let waiting // for a key: asks again

  function setRunning(turn) {
    running = turn
    wantsStop = false
    chat.isRunning = turn !== undefined
    on.change()
  }

  function shownBy(turn) {
    const { signal } = view
    return (name, data) => {
      if (signal.aborted) return
      followEnd(() => turn.take(name, data))
      if (name !== 'meta') return
      shown.add(data.answerId)
      const entry = keys.get(turn.node)
      if (entry) entry.isTaken = true
      if (wantsStop) stopRunning()
      if (chat.conversationId === data.conversationId || !data.conversationId) return
      chat.conversationId = data.conversationId
      on.change()
    }
  }

  /** Nothing is shown any more; an answer that runs goes on without this page. */
  function leave() {
    view.abort()
    view = new AbortController()
    shown = new Set()
    waiting = undefined
    chat.conversationId = undefined
    place.replaceChildren()
    on.trouble('')
    setRunning(undefined)
  }

  async function answer(text, key = randomId()) {
    if (running) return
    const turn = addTurn(text)
    keys.set(turn.node, { key, isTaken: false })
    const { signal } = view
    setRunning(turn)
    on.say('answering')
    turn.node.scrollIntoView({ block: 'start' })
    try {
      await ask(text, chat.conversationId, shownBy(turn), { onCut: () => cut(turn), signal, key })
      if (!signal.aborted) on.say(ends[turn.state.outcome])
    } catch (error) {
      if (signal.aborted) return
      turn.fail(reasonOf(error))
      if (error instanceof Problem && error.status === 401)
        waiting = () => {
          turn.node.remove()
          void answer(text, key)
        }
      on.say('failed')
    }
    if (!signal.aborted) setRunning(undefined)
  }

  /** What asks once more the question that was refused for want of a key, if there is one. */
  function takeWaiting() {
    const again = waiting
    waiting = undefined
    return again
  }

  function cut(turn) {
    turn.progress(t('reconnecting'))
    on.say('reconnecting')
  }

  /** A conversation as the server has it; its answer that still runs goes on. */
  async function open(id) {
    leave()
    chat.conversationId = id
    const { signal } = view
    try {
      const messages = await messagesOf(id, signal)
      if (signal.aborted) return
      const live = messages.map(showMessage).filter((entry) => entry !== undefined)
      scrollTo({ top: document.body.scrollHeight })
      for (const { turn, answerId } of live) {
        setRunning(turn)
        await resume(answerId, shownBy(turn), { onCut: () => cut(turn), signal }).catch((error) => {
          if (!signal.aborted) turn.fail(reasonOf(error))
        })
      }
      if (!signal.aborted) setRunning(undefined)
    } catch (error) {
      if (signal.aborted) return
      if (error instanceof Problem && error.status === 404) chat.conversationId = undefined
      on.trouble(reasonOf(error))
      on.change()
    }
  }

  /** Puts a message on the page; gives the turn back when its answer is still being written. */
  function showMessage(message, index, messages) {
    if (message.role === 'question') {
      if (messages[index + 1]?.role !== 'answer') addTurn(message.text).fail(t('interrupted'))
      return undefined
    }
    const before = messages[index - 1]
    const turn = addTurn(before?.role === 'question' ? before.text : '')
    keys.set(turn.node, { isTaken: true })
    shown.add(message.id)
    if (message.state === 'streaming') return { turn, answerId: message.id }
    replay({ ...message, conversationId: chat.conversationId }, turn.take)
    return undefined
  }

  /** What another tab asked meanwhile. */
  async function refresh() {
    const { conversationId } = chat
    if (running || !conversationId) return
    const messages = await messagesOf(conversationId, view.signal).catch(() => undefined) // looked at again next time
    if (running || conversationId !== chat.conversationId) return
    if (messages?.some(({ role, id }) => role === 'answer' && !shown.has(id))) await open(conversationId)
  }

  function stopRunning() {
    const turn = running
    const id = turn?.state.answerId
    wantsStop = turn !== undefined && !id
    if (id) stop(id).catch((error) => turn.note(reasonOf(error), 'note is-error'))
  }

  function reasonOf(error) {
    if (!(error instanceof Problem)) return t('offline')
    if (error.status === 401) on.keyWanted()
    const text = t('problems')[error.code] ?? error.message
    return error.retryAfterS && error.code !== 'budget_exhausted' ? `${text} ${t('waitSeconds', Math.ceil(error.retryAfterS))}` : text
  }

  return chat
}

async function messagesOf(id, signal) {
  const all = []
  for (let after = '0'; after !== undefined; ) {
    const { items, next } = await getJson(`/api/v1/conversations/${encodeURIComponent(id)}/messages?limit=100&after=${after}`, { signal })
    all.push(...items)
    after = next
  }
  return all
}

/** Stays at the end while the reader is there, and leaves them alone when they scrolled up. */
function followEnd(work) {
  const atEnd = innerHeight + scrollY >= document.body.scrollHeight - 120
  work()
  if (atEnd) requestAnimationFrame(() => scrollTo({ top: document.body.scrollHeight }))
}
