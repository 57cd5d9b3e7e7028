import { request } from './api.js'
import { langOf, t } from './i18n.js'
import { element, renderMarkdown } from './markdown.js'
import { createSourceCard } from './source-card.js'

let turns = 0

/** A question and its answer on the page; `take` shows each event as it comes. */
export function createTurn(question, { onAgain, onAnew }) {
  const number = ++turns
  const state = { answerId: undefined, text: '', sources: [], citations: [], answerable: true, isOver: false, outcome: undefined }
  const asked = box('p', 'question', question)
  asked.lang = langOf(question)
  const answer = box('div', 'answer')
  answer.setAttribute('aria-busy', 'true')
  const progress = box('p', 'progress', t('searching'))
  const notes = box('div', 'notes')
  const sources = box('section', 'sources')
  const tools = box('p', 'tools')
  const node = box('article', 'turn is-running')
  node.append(...(question ? [asked] : []), answer, progress, notes, sources, tools)
  let frame = 0
  let cards = []

  function draw() {
    frame = 0
    const held = [...answer.querySelectorAll('.marker')].indexOf(document.activeElement)
    answer.lang = langOf(state.text)
    // half a marker at the end waits for its other half
    const text = state.isOver ? state.text : state.text.replace(/[[【]\s*\d{0,2}$/, '')
    answer.replaceChildren(renderMarkdown(text, marker))
    if (held >= 0) answer.querySelectorAll('.marker')[held]?.focus({ preventScroll: true })
  }

  function drawSoon() {
    frame ||= requestAnimationFrame(draw)
  }

  function marker(n, at) {
    if (!state.sources.some((source) => source.n === n)) return undefined
    const button = box('button', 'marker', String(n))
    button.type = 'button'
    button.setAttribute('aria-label', `${t('source')} ${n}`)
    const citation = state.citations.findLast((one) => one.source === n && one.start <= at)
    if (citation && !citation.verified) {
      const state = citation.unchecked ? 'unchecked' : 'unverified'
      button.classList.add(`is-${state}`)
      button.title = t(state)
      button.setAttribute('aria-label', `${t('source')} ${n}: ${t(state)}`)
    }
    button.addEventListener('click', () => openCard(n))
    return button
  }

  function openCard(n) {
    const card = cards.find((one) => one.n === n).node
    card.open = true
    const around = card.closest('.more')
    if (around) around.open = true
    card.querySelector('summary').focus({ preventScroll: true })
    card.scrollIntoView({ block: 'nearest', behavior: matchMedia('(prefers-reduced-motion: reduce)').matches ? 'auto' : 'smooth' })
  }

  const quotesOf = (n) => state.citations.filter(({ source }) => source === n).map(({ start, end }) => state.text.slice(start, end))

  /** Sources the answer names come first and the others behind one line, once it is known which these are. */
  function drawSources() {
    if (cards.length === 0) return sources.replaceChildren()
    const named = new Set(state.citations.map(({ source }) => source))
    for (const found of answer.querySelectorAll('.marker')) named.add(Number(found.textContent))
    const isSplit = state.isOver && named.size > 0
    const first = cards.filter(({ n }) => !isSplit || named.has(n))
    const others = cards.filter((card) => !first.includes(card))
    // what no sentence names is no source of it
    const isNamed = !state.isOver || named.size > 0
    sources.replaceChildren(
      element('h3', t(state.answerable ? (isNamed ? 'sources' : 'foundPassages') : 'closest')),
      ...first.map((card) => card.node),
    )
    if (others.length === 0) return
    const more = box('details', 'more')
    more.append(element('summary', t('alsoFound', others.length)), ...others.map((card) => card.node))
    sources.append(more)
  }

  function note(text, className = 'note') {
    const line = box('p', className, text)
    line.lang = langOf(text)
    notes.append(line)
    return line
  }

  function end(line, isError, again = 'tryAgain') {
    state.isOver = true
    node.classList.remove('is-running')
    answer.setAttribute('aria-busy', 'false')
    progress.remove()
    if (frame) cancelAnimationFrame(frame)
    draw()
    offerCode()
    drawSources()
    if (line) note(line, isError ? 'note is-error' : 'note')
    if (isError && question) notes.append(tool(t(again), () => onAgain(question, node), ''))
    if (state.answerId && state.text) drawTools()
  }

  /** The clipboard wants https or this machine. */
  function offerCode() {
    if (!navigator.clipboard) return
    for (const code of answer.querySelectorAll('pre')) {
      const copy = tool(t('copy'), async () => {
        await navigator.clipboard.writeText(code.textContent)
        copy.textContent = t('copied')
      })
      const around = box('div', 'code')
      code.replaceWith(around)
      around.append(code, copy)
    }
  }

  function drawTools() {
    const rate = (rating) => async (button) => {
      await request('/api/v1/feedback', { method: 'POST', body: { answerId: state.answerId, rating } })
      for (const one of tools.querySelectorAll('[aria-pressed]')) one.setAttribute('aria-pressed', String(one === button))
      said.textContent = t('thanks')
    }
    const said = box('span', 'said')
    said.setAttribute('role', 'status')
    const copy = tool(t('copy'), async () => {
      await navigator.clipboard.writeText(state.text)
      said.textContent = t('copied')
    })
    const rated = [tool(t('helpful'), rate(1)), tool(t('unhelpful'), rate(-1))]
    for (const one of rated) one.setAttribute('aria-pressed', 'false')
    const anew = tool(t('answerAnew'), () => onAnew(state.answerId), 'quiet anew')
    tools.replaceChildren(...(navigator.clipboard ? [copy] : []), anew, ...rated, said)
  }

  function tool(text, action, className = 'quiet') {
    const button = box('button', className, text)
    button.type = 'button'
    button.addEventListener('click', () => Promise.resolve(action(button)).catch(() => note(t('failed'), 'note is-error')))
    return button
  }

  const on = {
    meta: (data) => {
      state.answerId = data.answerId
      if (!data.restart) return
      Object.assign(state, { text: '', citations: [] })
      notes.replaceChildren()
    },
    sources: (data) => {
      state.sources = data.sources
      state.answerable = data.answerable !== false
      cards = data.sources.map((source) => ({ n: source.n, node: createSourceCard(source, `source-${number}-${source.n}`, quotesOf) }))
      progress.textContent = t('answering')
      drawSources()
      drawSoon()
    },
    delta: (data) => {
      state.text += data.text
      progress.textContent = ''
      drawSoon()
    },
    citation: (data) => {
      state.citations.push(data)
      drawSoon()
    },
    // a budget that is nearly used says how far, and what rests on no source is quoted; a budget that is used up is a step left out
    warning: (data) => {
      const words = ['budget', 'unsupported'].includes(data.code) ? undefined : t('warnings')[data.step ?? data.code]
      note(words ?? data.message ?? data.step ?? data.code, 'note is-warning')
    },
    usage: () => undefined,
    done: () => end(),
    stopped: () => end(t('stopped')),
    interrupted: () => end(t('interrupted'), true),
    // a model that said some of it did answer
    error: (data) =>
      end(data.code === 'upstream_failed' && state.text ? t('cutShort') : (t('problems')[data.code] ?? data.message ?? t('failed')), true),
  }
  return {
    node,
    state,
    note,
    take(name, data) {
      on[name](data)
      if (state.isOver) state.outcome = name
    },
    fail: (message, again) => end(message, true, again),
    progress: (text) => {
      progress.textContent = text
    },
  }
}

function box(name, className, ...children) {
  const made = element(name, ...children)
  made.className = className
  return made
}
