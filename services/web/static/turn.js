import { getJson } from './api.js'
import { pageLabel, t } from './i18n.js'
import { element, renderMarkdown } from './markdown.js'

let turns = 0

/** A question and its answer on the page; `take` shows each event as it comes. */
export function createTurn(question, { onAgain }) {
  const number = ++turns
  const state = { answerId: undefined, conversationId: undefined, text: '', sources: [], citations: [], isOver: false }
  const asked = element('p', question)
  asked.className = 'question'
  const answer = element('div')
  answer.className = 'answer'
  answer.setAttribute('aria-busy', 'true')
  const notes = element('div')
  notes.className = 'notes'
  const sources = element('section')
  sources.className = 'sources'
  const node = element('article', asked, answer, notes, sources)
  node.className = 'turn is-running'
  let frame = 0

  function draw() {
    frame = 0
    answer.replaceChildren(renderMarkdown(state.text, marker))
  }

  function drawSoon() {
    frame ||= requestAnimationFrame(draw)
  }

  function marker(n, at) {
    if (!state.sources.some((source) => source.n === n)) return undefined
    const button = element('button', String(n))
    button.type = 'button'
    button.className = 'marker'
    button.setAttribute('aria-label', `${t('source')} ${n}`)
    const citation = state.citations.findLast((one) => one.source === n && one.end <= at)
    if (citation && !citation.verified) {
      button.classList.add('is-unverified')
      button.title = t('unverified')
    }
    button.addEventListener('click', () => {
      const card = document.getElementById(`source-${number}-${n}`)
      card.open = true
      card.querySelector('summary').focus()
      card.scrollIntoView({ block: 'nearest', behavior: matchMedia('(prefers-reduced-motion: reduce)').matches ? 'auto' : 'smooth' })
    })
    return button
  }

  function drawSources() {
    if (state.sources.length === 0) return sources.replaceChildren()
    sources.replaceChildren(
      element('h3', t('sources')),
      ...state.sources.map((source) => sourceCard(source, `source-${number}-${source.n}`)),
    )
  }

  function note(text, className = 'note') {
    const line = element('p', text)
    line.className = className
    notes.append(line)
    return line
  }

  function end(line, isError) {
    state.isOver = true
    node.classList.remove('is-running')
    answer.setAttribute('aria-busy', 'false')
    if (frame) cancelAnimationFrame(frame)
    draw()
    if (line) note(line, isError ? 'note is-error' : 'note')
    if (isError) {
      const again = element('button', t('tryAgain'))
      again.type = 'button'
      again.addEventListener('click', () => onAgain(question))
      notes.append(again)
    }
  }

  const on = {
    meta: (data) => {
      state.answerId = data.answerId
      state.conversationId = data.conversationId
      if (!data.restart) return
      state.text = ''
      state.citations = []
    },
    sources: (data) => {
      state.sources = data.sources
      drawSources()
      drawSoon()
    },
    delta: (data) => {
      state.text += data.text
      drawSoon()
    },
    citation: (data) => {
      state.citations.push(data)
      drawSoon()
    },
    warning: (data) => note(data.message),
    usage: () => undefined,
    done: () => end(),
    stopped: () => end(t('stopped')),
    interrupted: () => end(t('interrupted'), true),
    error: (data) => end(data.message || t('failed'), true),
  }
  return { node, state, note, take: (name, data) => on[name](data), fail: (message) => end(message, true) }
}

function sourceCard(source, id) {
  const where = [source.page ? pageLabel(source.page) : '', source.heading ?? ''].filter(Boolean).join(' · ')
  const number = element('span', String(source.n))
  number.className = 'marker'
  const title = element('span', source.title || source.path)
  title.className = 'title'
  const place = element('span', where)
  place.className = 'where'
  const open = element('a', t('openFile'))
  open.href = `/api/v1/citations/${encodeURIComponent(source.citationId)}/file${source.page ? `#page=${source.page}` : ''}`
  open.target = '_blank'
  open.rel = 'noopener noreferrer'
  const path = element('span', source.path)
  path.className = 'path'
  const card = element(
    'details',
    element('summary', number, title, place),
    element('blockquote', source.snippet),
    element('p', path, ' ', open),
  )
  card.id = id
  card.addEventListener('toggle', () => sayState(card, source.citationId), { once: true })
  return card
}

/** Says when the file has changed or gone since the answer. */
async function sayState(card, citationId) {
  const citation = await getJson(`/api/v1/citations/${encodeURIComponent(citationId)}`).catch(() => undefined)
  if (citation?.state !== 'changed' && citation?.state !== 'gone') return
  const line = element('p', t(citation.state))
  line.className = 'note'
  card.append(line)
}
