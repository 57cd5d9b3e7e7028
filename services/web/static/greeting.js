import { getJson } from './api.js'
import { langOf, language } from './i18n.js'

let greeting

/** What the default persona says first, above the page's own welcome. */
export async function loadGreeting() {
  const listed = await getJson('/api/v1/personas').catch(() => undefined) // asking says what is wrong
  if (!listed) return
  greeting = listed.items.find(({ isDefault }) => isDefault)?.greeting
  drawGreeting()
}

export function drawGreeting() {
  const text = typeof greeting === 'string' ? greeting : (greeting?.[language] ?? '')
  const place = document.getElementById('greeting')
  place.textContent = text
  place.lang = langOf(text)
  place.hidden = text === ''
}
