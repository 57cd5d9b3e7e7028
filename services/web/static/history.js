import { getJson, request } from './api.js'
import { langOf, language, t } from './i18n.js'
import { element } from './markdown.js'

const PAGE = 50
const $ = (id) => document.getElementById(id)

/** The conversations of this browser (or key), newest first. `isOpen(id)` marks one; `onRemoved(id)` hears of a deletion. */
export function createHistory({ isOpen, onRemoved }) {
  let items = []
  let next

  async function load() {
    const listed = await getJson(`/api/v1/conversations?limit=${PAGE}`).catch(() => undefined)
    if (!listed) return // the panel keeps what it has; asking says what is wrong
    ;({ items, next } = listed)
    draw()
  }

  async function loadMore() {
    const listed = await getJson(`/api/v1/conversations?limit=${PAGE}&before=${encodeURIComponent(next)}`)
    items = [...items, ...listed.items]
    next = listed.next
    draw()
  }

  function draw() {
    $('history-empty').hidden = items.length > 0
    $('history-more').hidden = next === undefined
    $('history-list').replaceChildren(...items.map(line))
  }

  function line({ id, title, updatedAt }) {
    const link = element('a', title || t('untitled'))
    link.href = `#c=${id}`
    link.lang = langOf(title)
    if (isOpen(id)) link.setAttribute('aria-current', 'page')
    const when = element(
      'time',
      new Date(updatedAt).toLocaleString(language === 'zh' ? 'zh-CN' : 'en', { dateStyle: 'medium', timeStyle: 'short' }),
    )
    when.dateTime = updatedAt
    const remove = element('button')
    remove.type = 'button'
    const label = (name) => {
      remove.className = name === 'remove' ? 'quiet' : 'quiet is-sure'
      remove.textContent = t(name)
      remove.setAttribute('aria-label', `${t(name)}: ${title}`)
    }
    label('remove')
    // the second click means it
    remove.addEventListener('click', () => (remove.classList.contains('is-sure') ? void removeIt(id, remove) : label('removeSurely')))
    remove.addEventListener('blur', () => label('remove'))
    return element('li', link, element('p', when, remove))
  }

  async function removeIt(id, button) {
    try {
      await request(`/api/v1/conversations/${encodeURIComponent(id)}`, { method: 'DELETE' })
    } catch (error) {
      if (error.status !== 404) return void button.after(element('span', t('failed')))
    }
    items = items.filter((one) => one.id !== id)
    draw()
    onRemoved(id)
  }

  $('history-more').addEventListener('click', () => void loadMore().catch(() => load()))
  return { load, draw }
}
