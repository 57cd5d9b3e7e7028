import { Problem } from './api.js'
import { t } from './i18n.js'
import { element } from './markdown.js'
import { problemText } from './problems.js'

/** An element with a class; what is missing among its children is left out. */
export function box(name, className, ...children) {
  const made = element(name, ...children.filter((child) => child !== undefined && child !== ''))
  made.className = className
  return made
}

/** While `action(button)` runs the button waits; what went wrong is said in `said`. */
export function act(text, action, { className = '', said } = {}) {
  const made = box('button', className, text)
  made.type = 'button'
  made.addEventListener('click', () => void run(made, () => action(made), said))
  return made
}

async function run(button, action, said) {
  if (button.getAttribute('aria-disabled') === 'true') return
  button.setAttribute('aria-disabled', 'true') // a disabled one would lose the focus
  try {
    await action()
  } catch (error) {
    if (!said) throw error
    tell(said, ownerProblem(error), 'is-error')
  } finally {
    button.removeAttribute('aria-disabled')
  }
}

/** A line that is read out when it changes. */
export function saidLine() {
  const line = box('p', 'note')
  line.setAttribute('role', 'status')
  line.hidden = true
  return line
}

export function tell(line, words, kind = '') {
  line.className = `note ${kind}`
  line.textContent = words
  line.hidden = words === ''
}

/** What an owner is told of a failed request: the server's own sentence is more exact than the page's, which speak of questions. */
export function ownerProblem(error) {
  if (!(error instanceof Problem)) return t('offline')
  if (error.status === 401) return t('ownerRefused')
  if (error.status === 403) return `${t('ownerForbidden')} ${error.message}`
  return ['rate_limited', 'budget_exhausted', 'unavailable', 'timeout'].includes(error.code) ? problemText(error) : error.message
}

/** A field under its label. */
export function labelled(words, field) {
  return box('label', 'field', element('span', words), field)
}
