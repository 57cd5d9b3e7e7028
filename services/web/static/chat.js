import { getJson, Problem, randomId } from './api.js'
import { dateText, langOf, t } from './i18n.js'
import { element } from './markdown.js'
import { problemText } from './problems.js'
import { ask, regenerate, replay, resume, stop } from './stream.js'
import { createTurn } from './turn.js'

const ends = { done: 'done', stopped: 'stopped', interrupted: 'interrupted', error: 'failed' }

/**
 * The open conversation. `place` takes the turns; `on.change()` follows what is running and which conversation it is,
 * `on.say(name)` names a text for screen readers, `on.trouble(text)` for what belongs to no turn, `on.keyWanted()` asks for a key,
 * `on.begin()` leaves this conversation for a new one.
 */
export function createChat(place, on) {
  const chat = {
    conversationId: undefined,
    isRunning: false,
    isShared: false,
    open,
    openShared,
    leave,
    ask: answer,
    stop: stopRunning,
    refresh,
    goOn,
  }
  let view = new AbortController() // ends with the view: what reads for it stops reading
  let running
  let shown = new Set() // answer ids on the page
  let wantsStop = false
  let waiting // the question that was refused for want of a key

  function addTurn(question) {
    const turn = createTurn(question, { onAgain: askAgain, onAnew: answerAnew })
    place.append(turn.node)
    return turn
  }
  const keys = new WeakMap()

  function askAgain(question, node) {
    const { key, isTaken, isLost } = keys.get(node) ?? {}
    if (isLost) on.begin()
    else if (!isTaken) node.remove()
    return answer(question, isTaken || isLost ? undefined : key)
  }

  /** Asks what waited for a key; false where nothing did. */
  function goOn() {
    if (!waiting) return false
    const { question, node } = waiting
    waiting = undefined
    void askAgain(question, node)
    return true
  }

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
    chat.isShared = false
    place.replaceChildren()
    on.trouble('')
    setRunning(undefined)
  }

  function answer(text, key = randomId()) {
    return run(text, key, (turn, options) => ask(text, chat.conversationId, shownBy(turn), { ...options, key }))
  }

  /** The same question once more, below what was said first; the server keeps both. */
  function answerAnew(answerId) {
    return run('', undefined, (turn, options) => regenerate(answerId, shownBy(turn), options))
  }

  async function run(text, key, begin) {
    if (running) return
    const turn = addTurn(text)
    keys.set(turn.node, { key, isTaken: false })
    const { signal } = view
    setRunning(turn)
    on.say('answering')
    turn.node.scrollIntoView({ block: 'start' })
    try {
      await begin(turn, { onCut: () => cut(turn), signal })
      if (!signal.aborted) on.say(ends[turn.state.outcome])
    } catch (error) {
      if (signal.aborted) return
      const { status } = error
      if (status === 401 && text) waiting = { question: text, node: turn.node }
      // where the conversation is gone, asking in it again can only fail again
      const isLost = status === 404 && chat.conversationId !== undefined
      keys.get(turn.node).isLost = isLost
      turn.fail(reasonOf(error), isLost ? 'askAnew' : 'tryAgain')
      on.say('failed')
    }
    if (!signal.aborted) setRunning(undefined)
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

  /** What somebody gave a link to, as far as this reader may see it. */
  async function openShared(id) {
    leave()
    chat.isShared = true
    on.change()
    const { signal } = view
    try {
      const { title, sharedAt, messages, withheld } = await getJson(`/api/v1/shared/${encodeURIComponent(id)}`, { signal })
      if (signal.aborted) return
      place.append(sharedHead(title, sharedAt))
      for (const [index, message] of messages.entries()) showMessage(message, index, messages)
      if (withheld) place.append(noteLine(t('withheld', withheld)))
    } catch (error) {
      if (!signal.aborted) on.trouble(error instanceof Problem && error.status === 404 ? t('noShare') : reasonOf(error))
    }
    on.change()
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
    if (error instanceof Problem && error.status === 401) on.keyWanted()
    return problemText(error)
  }

  return chat
}

function sharedHead(title, at) {
  const heading = element('h2', title || t('untitled'))
  heading.lang = langOf(title)
  const head = element('div', heading, noteLine(t('sharedOn', dateText(at))))
  head.className = 'shared'
  return head
}

function noteLine(text) {
  const line = element('p', text)
  line.className = 'note'
  return line
}

async function messagesOf(id, signal) {
  const all = []
  for (let after = '0'; after !== undefined; ) {
    const { items, next } = await getJson(`/api/v1/conversations/${encodeURIComponent(id)}/messages?limit=100&cursor=${after}`, { signal })
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
