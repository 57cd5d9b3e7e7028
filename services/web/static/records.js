import { getJson } from './api.js'
import { dateText, langOf, t } from './i18n.js'
import { act, box, saidLine } from './owner-parts.js'

const PAGE = 30
const filters = { all: '', weak: 'answerable=false', thumbsDown: 'rating=-1', degraded: 'degraded=any' }

/** What became of a question: a name of `recordStates`. */
export function stateOf({ record }) {
  if (record.state !== 'done') return record.state ?? 'error'
  if (record.smallTalk) return 'smallTalk'
  if (record.answerable !== false) return 'answered'
  return record.citations?.length > 0 ? 'doubt' : 'notFound'
}

/** State, who wrote it, what was missing, thumbs, cost and time, in a line. */
export function factsLine(row) {
  const state = stateOf(row)
  const { model, degraded = [], usage, timings } = row.record
  const badge = box('span', `badge is-${state}`, t('recordStates')[state] ?? state)
  const facts = [
    state === 'smallTalk' || (state === 'notFound' && model === 'extractive') ? '' : (t('writtenBy')[model] ?? model ?? ''),
    degraded.length > 0 ? `${t('without')} ${degraded.map((step) => t('steps')[step] ?? step).join(t('comma'))}` : '',
    row.rating ? t(row.rating > 0 ? 'thumbsUp' : 'thumbsDown') : '',
    costText(usage),
    timings?.totalMs === undefined ? '' : msText(timings.totalMs),
  ]
  const when = box('time', '', dateText(row.createdAt))
  when.dateTime = row.createdAt
  return box('p', 'facts', badge, box('span', '', facts.filter(Boolean).join(' · ')), when)
}

export function costText({ cost, currency } = {}) {
  return cost ? `${cost.toPrecision(2)} ${currency ?? ''}`.trim() : ''
}

export function msText(ms) {
  return ms < 1_000 ? `${Math.round(ms)} ms` : `${(ms / 1_000).toFixed(1)} s`
}

/** The questions, newest first, a page at a time; `open(answerId)` shows one. */
export function createRecords({ open }) {
  let filter = 'all'
  let text = ''

  function load(cursor) {
    const query = [
      `limit=${PAGE}`,
      filters[filter],
      text ? `text=${encodeURIComponent(text)}` : '',
      cursor ? `cursor=${encodeURIComponent(cursor)}` : '',
    ]
    return getJson(`/api/v1/records?${query.filter(Boolean).join('&')}`)
  }

  function line(row) {
    const name = act(row.question, () => open(row.answerId), { className: 'line' })
    name.dataset.answer = row.answerId
    name.lang = langOf(row.question)
    return box('li', '', name, factsLine(row))
  }

  async function show() {
    const list = box('ul', 'lines')
    const body = box('div', '', list)
    await fill(body, list)
    return box('div', '', choices(body), body)
  }

  async function fill(body, list, cursor) {
    const { items, next } = await load(cursor)
    list.append(...items.map(line))
    const said = saidLine()
    const more = next && act(t('more'), async () => void (await fill(body, list, next)), { said })
    const empty = list.childElementCount === 0 ? box('p', 'note', t(filter === 'all' && !text ? 'noRecords' : 'noneSuch')) : undefined
    body.replaceChildren(list, ...[more, empty, said].filter(Boolean))
    if (cursor) list.children[list.childElementCount - items.length]?.querySelector('button').focus()
  }

  /** Filters and the words looked for; a new choice empties the list. */
  function choices(body) {
    let turn = 0
    const said = saidLine()
    const again = async () => {
      const mine = ++turn
      const fresh = box('ul', 'lines')
      const place = box('div', '')
      await fill(place, fresh)
      if (mine === turn) body.replaceChildren(...place.childNodes)
      said.hidden = true
    }
    const buttons = Object.keys(filters).map((name) => {
      const choose = () => {
        filter = name
        mark()
        return again()
      }
      return Object.assign(act(t('recordFilters')[name], choose, { className: 'quiet', said }), { value: name })
    })
    const mark = () => {
      for (const one of buttons) one.setAttribute('aria-pressed', String(one.value === filter))
    }
    mark()
    const field = box('input', '')
    Object.assign(field, { type: 'search', value: text, maxLength: 200, placeholder: t('searchRecords') })
    field.setAttribute('aria-label', t('searchRecords'))
    field.addEventListener('change', () => {
      text = field.value.trim()
      buttons.find(({ value }) => value === filter).click()
    })
    const group = box('div', 'choices', ...buttons)
    group.setAttribute('role', 'group')
    return box('div', 'picks', group, field, said)
  }

  return {
    show,
    /** the next list is of all questions that hold these words */
    search(words) {
      filter = 'all'
      text = words.slice(0, 200)
    },
  }
}
