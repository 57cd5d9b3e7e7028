import { Problem, useKey } from './api.js'
import { drawDocuments, watchDocuments } from './documents.js'
import { switchLanguage, t, translatePage } from './i18n.js'
import { ask, resume, stop } from './stream.js'
import { createTurn } from './turn.js'

const SESSION = 'docent-turns'
const $ = (id) => document.getElementById(id)
const question = $('question')
let running // the turn that is being answered
let conversationId
let asked = readSession() // what is shown again after a reload

function readSession() {
  try {
    const kept = JSON.parse(sessionStorage.getItem(SESSION) ?? '[]')
    return Array.isArray(kept) ? kept : []
  } catch {
    return [] // written by another version of this page
  }
}

function keepSession() {
  sessionStorage.setItem(SESSION, JSON.stringify(asked.slice(-20)))
}

function addTurn(text) {
  const turn = createTurn(text, { onAgain: (again) => void answer(again) })
  $('welcome').hidden = true
  $('turns').append(turn.node)
  return turn
}

function setRunning(turn) {
  running = turn
  $('ask').hidden = turn !== undefined
  $('stop').hidden = turn === undefined
}

function say(text) {
  $('status').textContent = text
}

/** Stays at the end while the reader is there, and leaves them alone when they scrolled up. */
function followEnd(work) {
  const atEnd = innerHeight + scrollY >= document.body.scrollHeight - 120
  work()
  if (atEnd) requestAnimationFrame(() => scrollTo({ top: document.body.scrollHeight }))
}

function shownBy(turn, entry) {
  return (name, data) => {
    followEnd(() => turn.take(name, data))
    if (name !== 'meta') return
    conversationId = data.conversationId
    entry.answerId = data.answerId
    keepSession()
  }
}

async function answer(text) {
  if (running) return
  const turn = addTurn(text)
  const entry = { question: text }
  asked.push(entry)
  setRunning(turn)
  say(t('answering'))
  turn.node.scrollIntoView({ block: 'start' })
  try {
    await ask(text, conversationId, shownBy(turn, entry), () => say(t('reconnecting')))
    say(t('done'))
  } catch (error) {
    if (!entry.answerId) asked = asked.filter((one) => one !== entry)
    turn.fail(reasonOf(error))
    say(t('failed'))
  } finally {
    setRunning(undefined)
  }
}

function reasonOf(error) {
  if (!(error instanceof Problem)) return t('offline')
  if (error.status === 401) $('key-form').hidden = false
  return error.retryAfterS ? `${error.message} ${t('waitSeconds', Math.ceil(error.retryAfterS))}` : error.message
}

/** After a reload: each answer again, the one that still runs goes on. */
async function showAgain() {
  for (const entry of asked.filter((one) => one.answerId)) {
    const turn = addTurn(entry.question)
    setRunning(turn)
    await resume(entry.answerId, shownBy(turn, entry)).catch((error) => turn.fail(reasonOf(error)))
  }
  setRunning(undefined)
}

$('ask-form').addEventListener('submit', (event) => {
  event.preventDefault()
  const text = question.value.trim()
  if (!text || running) return
  question.value = ''
  question.style.removeProperty('height')
  void answer(text)
})

question.addEventListener('keydown', (event) => {
  // While an input method composes, Enter picks a candidate.
  if (event.key !== 'Enter' || event.shiftKey || event.isComposing || event.keyCode === 229) return
  event.preventDefault()
  $('ask-form').requestSubmit()
})

question.addEventListener('input', () => {
  question.style.height = 'auto'
  question.style.height = `${Math.min(question.scrollHeight + 2, 200)}px`
})

$('stop').addEventListener('click', () => {
  const id = running?.state.answerId
  if (id) stop(id).catch((error) => running?.note(reasonOf(error)))
})

$('new-chat').addEventListener('click', async () => {
  const id = running?.state.answerId
  asked = []
  keepSession()
  if (id) await stop(id).catch(() => undefined) // it is left anyway
  location.reload()
})

$('language').addEventListener('click', () => {
  switchLanguage()
  drawDocuments()
})

$('documents-button').addEventListener('click', () => {
  const list = $('documents')
  list.hidden = !list.hidden
  $('documents-button').setAttribute('aria-expanded', String(!list.hidden))
})

$('key-form').addEventListener('submit', (event) => {
  event.preventDefault()
  useKey($('key').value.trim())
  $('key').value = ''
  $('key-form').hidden = true
  void watchDocuments()
})

document.addEventListener('visibilitychange', () => {
  if (!document.hidden) void watchDocuments()
})

translatePage()
void watchDocuments()
void showAgain()
question.focus()
