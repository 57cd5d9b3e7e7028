import { getJson } from './api.js'
import { dateText, langOf, t } from './i18n.js'
import { element } from './markdown.js'
import { act, box } from './owner-parts.js'

const SHOWN = 50

/** What the documents answer weakly, alike questions counted together, the most asked first. */
export async function showGaps({ open, search }) {
  const { items, looked, isCut } = await getJson(`/api/v1/gaps?limit=${SHOWN}`)
  if (items.length === 0) return box('p', 'note', t('noGaps'))
  const intro = box('p', 'note', t('gapsText', `${looked}${isCut ? '+' : ''}`))
  return box('div', '', intro, box('ul', 'lines', ...items.map((gap) => gapLine(gap, { open, search }))))
}

function gapLine({ question, count, why, lastAt, examples }, { open, search }) {
  const name = act(question, () => search(question), { className: 'line' })
  name.lang = langOf(question)
  name.title = t('searchThese')
  const reasons = Object.entries(why).filter(([, n]) => n > 0)
  const facts = reasons.map(([reason, n]) => `${t('gapReasons')[reason] ?? reason} ${n}`).join(' · ')
  const when = box('time', '', dateText(lastAt))
  when.dateTime = lastAt
  const line = box('li', '', name, box('p', 'facts', box('span', 'badge', t('asked', count)), box('span', '', facts), when))
  const others = examples.map((example) => {
    const button = act(example.question, () => open(example.answerId), { className: 'line is-small' })
    button.dataset.answer = example.answerId
    button.lang = langOf(example.question)
    return box('li', '', button)
  })
  const more = box('details', 'more', element('summary', t('examples', examples.length)), box('ul', 'lines', ...others))
  line.append(more)
  return line
}
