import { createChat } from './chat.js'
import { createDocumentActs } from './document-acts.js'
import { drawDocuments, letAct, watchDocuments } from './documents.js'
import { drawGreeting, loadGreeting } from './greeting.js'
import { createHistory } from './history.js'
import { switchLanguage, t, translatePage } from './i18n.js'
import { createKeyForm } from './key-form.js'
import { createOwner } from './owner.js'
import { createPanels } from './panels.js'

const $ = (id) => document.getElementById(id)
const narrow = matchMedia('(max-width: 60rem)')
const question = $('question')
const MAX_QUESTION = 4_000 // characters the server takes

const chat = createChat($('turns'), {
  change() {
    $('ask').hidden = chat.isRunning
    $('stop').hidden = !chat.isRunning
    $('welcome').hidden = chat.isRunning || $('turns').childElementCount > 0
    $('ask-form').hidden = chat.isShared
    const { conversationId } = chat
    // a conversation has an address: reload, back and a second tab find it
    if (conversationId && conversationId !== addressed()) history.pushState(null, '', `#c=${conversationId}`)
    if (!$('history').hidden) void past.load()
  },
  say: (name) => {
    $('status').dataset.text = name // so that it is said in the other language, too
    $('status').textContent = t(name)
  },
  trouble: (text) => {
    $('trouble').textContent = text
    $('trouble').hidden = text === ''
  },
  keyWanted: () => keyForm.wanted(),
  begin,
})
const keyForm = createKeyForm(async () => {
  const isOwner = await owner.look()
  keyForm.ownerFound(isOwner)
  void watchDocuments()
  void loadGreeting()
  if (!$('history').hidden) void past.load()
  // the question that waited for it goes on by itself
  if (!chat.goOn() && addressed()) void chat.open(addressed())
  question.focus()
})
const past = createHistory({
  isOpen: (id) => id === chat.conversationId,
  onRemoved: (id) => {
    if (id === chat.conversationId) begin()
  },
})
const documentActs = createDocumentActs(watchDocuments)
const owner = createOwner({
  onKeyWanted() {
    panels.close()
    keyForm.ownerWanted()
  },
  onKnown: (isOwner) => isOwner && letAct(documentActs),
})
const opened = { history: () => past.load(), documents: watchDocuments, owner: owner.open }
const panels = createPanels((name) => void opened[name]())

function addressed() {
  return /^#c=([\da-f-]{36})$/.exec(location.hash)?.[1]
}

/** A conversation that somebody gave a link to: read, not gone on with. */
function shared() {
  return /^#s=([\w-]{32})$/.exec(location.hash)?.[1]
}

function showAddressed() {
  const id = addressed()
  if (shared()) void chat.openShared(shared())
  else if (id === chat.conversationId && id !== undefined) return
  else if (id) void chat.open(id)
  else chat.leave()
  if (narrow.matches) panels.close()
}

function begin() {
  if (chat.isShared) void keyForm.look()
  history.pushState(null, '', location.pathname)
  chat.leave()
  if (narrow.matches) panels.close()
  question.focus()
}

function fit() {
  question.style.height = 'auto'
  question.style.height = `${Math.min(question.scrollHeight + 2, 200)}px`
  drawLength()
}

/** More than the server takes is said while it is written, and never cut. */
function drawLength() {
  const isTooLong = question.value.trim().length > MAX_QUESTION
  $('length').hidden = !isTooLong
  $('length').textContent = isTooLong ? t('tooLong', `${question.value.trim().length} / ${MAX_QUESTION}`) : ''
  question.setAttribute('aria-invalid', String(isTooLong))
  return isTooLong
}

$('ask-form').addEventListener('submit', (event) => {
  event.preventDefault()
  const text = question.value.trim()
  if (!text || chat.isRunning || drawLength()) return
  question.value = ''
  question.style.removeProperty('height')
  if (narrow.matches) panels.close()
  void chat.ask(text)
})
question.addEventListener('keydown', (event) => {
  // While an input method composes, Enter picks a candidate.
  if (event.key !== 'Enter' || event.shiftKey || event.isComposing || event.keyCode === 229) return
  event.preventDefault()
  $('ask-form').requestSubmit()
})
question.addEventListener('input', fit)
$('stop').addEventListener('click', () => {
  chat.stop()
  question.focus()
})
document.addEventListener('keydown', (event) => {
  if (event.key === 'Escape' && chat.isRunning && !event.isComposing) chat.stop()
})
$('new-chat').addEventListener('click', begin)
$('language').addEventListener('click', () => {
  switchLanguage()
  drawGreeting()
  drawLength()
  drawDocuments()
  past.draw()
  owner.redraw()
  // what stands on the page is drawn again; an answer that runs keeps its words
  if (shared()) void chat.openShared(shared())
  else if (chat.conversationId && !chat.isRunning) void chat.open(chat.conversationId)
})
document.addEventListener('visibilitychange', () => {
  if (document.hidden) return
  void watchDocuments()
  void chat.refresh()
})
addEventListener('hashchange', showAddressed)

translatePage()
question.focus()
// what somebody shared is read without a key
if (!shared()) void keyForm.look()
void loadGreeting()
void owner.look()
void watchDocuments()
if (addressed() || shared()) showAddressed()
