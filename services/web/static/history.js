import { getJson, request } from './api.js'
import { dateText, langOf, t } from './i18n.js'
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
    const listed = await getJson(`/api/v1/conversations?limit=${PAGE}&cursor=${encodeURIComponent(next)}`)
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
    const when = element('time', dateText(updatedAt))
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
    const acts = element(
      'span',
      act('rename', title, () => renameIt(id, title, link)),
      act('share', title, shareIt(id)),
      remove,
    )
    acts.className = 'acts'
    return element('li', link, element('p', when, acts))
  }

  function act(name, title, work) {
    const button = element('button', t(name))
    button.type = 'button'
    button.className = 'quiet'
    button.setAttribute('aria-label', `${t(name)}: ${title}`)
    button.addEventListener('click', () => void Promise.resolve(work(button)).catch(() => fail(button)))
    return button
  }

  const fail = (button) => void button.closest('li').append(element('span', t('failed')))

  /** The title becomes a field; Enter or leaving it keeps what is written, Escape does not. */
  function renameIt(id, title, link) {
    const field = element('input')
    field.value = title
    field.maxLength = 200
    field.setAttribute('aria-label', t('newTitle'))
    link.replaceWith(field)
    field.select()
    let isOver = false
    const end = async (isKept) => {
      if (isOver) return
      isOver = true
      const wanted = field.value.trim()
      if (isKept && wanted && wanted !== title) {
        try {
          await request(`/api/v1/conversations/${encodeURIComponent(id)}`, { method: 'PATCH', body: { title: wanted } })
        } catch {
          return fail(field) // what was written stays
        }
        items = items.map((one) => (one.id === id ? { ...one, title: wanted } : one))
      }
      draw()
    }
    field.addEventListener('keydown', (event) => {
      if (event.isComposing || event.keyCode === 229) return
      if (event.key === 'Enter') void end(true)
      if (event.key !== 'Escape') return
      event.stopPropagation() // the panel stays
      void end(false)
    })
    field.addEventListener('blur', () => void end(true))
  }

  /** A read-only link, made and put into the clipboard; where there is none, shown. */
  const shareIt = (id) => async (button) => {
    const made = await request(`/api/v1/conversations/${encodeURIComponent(id)}/shares`, { method: 'POST' })
    const url = new URL((await made.json()).url, location.href).href
    const isCopied = await (navigator.clipboard?.writeText(url) ?? Promise.reject()).then(
      () => true,
      () => false,
    )
    const line = element('p', t(isCopied ? 'linkCopied' : 'linkMade'), ' ', url)
    line.className = 'link'
    line.setAttribute('role', 'status')
    const li = button.closest('li')
    li.querySelector('.link')?.remove()
    li.append(line)
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
