import { getJson, request } from './api.js'
import { langOf, t } from './i18n.js'
import { element } from './markdown.js'
import { act, box, labelled, saidLine, tell } from './owner-parts.js'
import { stateOf } from './records.js'

const OTHER = ' other'
const NONE = ' none'

/** A form behind a line; `send()` gives the words for what was done. */
function form(title, send, ...children) {
  const said = saidLine()
  const go = act(t('save'), async () => tell(said, await send()), { said })
  return box('details', 'more act', element('summary', title), ...children, go, said)
}

/** Its words, put right where need be, answer whoever asks the same. */
export function approval(row) {
  const { answerId, text, record } = row
  if (record.state !== 'done' || !record.sources?.length || record.smallTalk) return undefined
  const field = box('textarea', '')
  field.value = text
  field.rows = Math.min(10, text.split('\n').length + 2)
  field.lang = langOf(text)
  const send = async () => {
    const words = field.value.trim()
    await request('/api/v1/saved-answers', { method: 'POST', body: { answerId, ...(words === text.trim() ? {} : { text: words }) } })
    return t('approved')
  }
  return form(t('approve'), send, box('p', 'note', t('approveText')), labelled(t('answerWords'), field))
}

/** The right document is kept with the question, for the evaluation. */
export function goldenForm({ answerId, record }) {
  const paths = [...new Set((record.sources ?? []).map(({ path }) => path))]
  const choice = box(
    'select',
    '',
    ...paths.map((path) => new Option(path, path)),
    new Option(t('otherDocument'), OTHER),
    new Option(t('noDocument'), NONE),
  )
  const other = box('input', '')
  const known = box('datalist', '')
  known.id = `paths-${answerId}`
  other.setAttribute('list', known.id)
  const place = box('div', '', labelled(t('documentPath'), other), known)
  const holds = box('input', '')
  const follow = async () => {
    place.hidden = choice.value !== OTHER
    if (place.hidden || known.childElementCount > 0) return
    const { items } = await getJson('/api/v1/documents?limit=200')
    known.replaceChildren(...items.map(({ path }) => new Option(path, path)))
  }
  choice.addEventListener('change', () => void follow().catch(() => undefined)) // a path can be written without the list
  place.hidden = choice.value !== OTHER
  const send = async () => {
    const doc = choice.value === NONE ? null : choice.value === OTHER ? other.value.trim() : choice.value
    await request(`/api/v1/records/${encodeURIComponent(answerId)}/golden`, {
      method: 'POST',
      body: { doc, answer: holds.value.trim() || null },
    })
    return t('goldenKept')
  }
  return form(
    t('golden'),
    send,
    box('p', 'note', t('goldenText')),
    labelled(t('rightDocument'), choice),
    place,
    labelled(t('rightWords'), holds),
  )
}

/** The same question as the settings are today, beside the answer that was given. */
export function replayPart(row) {
  const said = saidLine()
  const shown = box('div', 'replay')
  const run = async () => {
    tell(said, t('replaying'))
    const answered = await request(`/api/v1/records/${encodeURIComponent(row.answerId)}/replay`, { method: 'POST', body: {} })
    const { original, replay, diff } = await answered.json()
    tell(said, '')
    shown.replaceChildren(...differences(row, original, replay, diff))
  }
  return box('section', 'part', act(t('replay'), run, { said }), said, shown)
}

function differences(row, original, replay, diff) {
  const before = stateOf(row)
  const after = stateOf({ record: { ...replay.record, ...replay } })
  const isSame = diff.text.every(({ op }) => op === 'same')
  const states = before === after ? '' : `${t('recordStates')[before]} → ${t('recordStates')[after]}`
  const models = original.model === replay.model ? '' : `${writer(original.model)} → ${writer(replay.model)}`
  const text = box('p', 'compared', ...diff.text.map(({ op, text }) => element({ same: 'span', gone: 'del', new: 'ins' }[op], text)))
  text.lang = langOf(replay.text)
  const settings = changeLines(diff.settings)
  const lines = [
    box('p', 'note', isSame ? t('sameText') : t('otherText')),
    states && box('p', 'note', states),
    models && box('p', 'note', models),
    isSame ? undefined : text,
    ...['gone', 'new', 'moved'].flatMap((kind) => (diff.sources[kind] ?? []).map((source) => sourceChange(kind, source))),
    settings.length > 0 ? box('p', 'note', `${t('otherSettings')} ${settings.join(t('comma'))}`) : undefined,
  ]
  return lines.filter(Boolean)
}

const writer = (model) => t('writtenBy')[model] ?? model

function sourceChange(kind, { n, path, from }) {
  const place = kind === 'moved' ? `${from} → ${n}` : String(n)
  return box('p', 'note', `${t('sourceChanges')[kind]} [${place}] ${path}`)
}

/** Names of settings with their values before and after. */
function changeLines(changes) {
  const short = (value) => JSON.stringify(value ?? null).slice(0, 60)
  return changes.map(({ name, from, to }) => `${name}: ${short(from)} → ${short(to)}`)
}
