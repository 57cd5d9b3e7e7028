import { ownerTexts } from './owner-texts.js'
import { texts } from './texts.js'

const KEY = 'docent-language'
const chosen = localStorage.getItem(KEY)
export let language = texts[chosen] ? chosen : preferred()

/** The first of the browser's languages that the page speaks. */
function preferred() {
  const known = navigator.languages.map((tag) => tag.toLowerCase().split('-')[0])
  return known.find((tag) => Object.hasOwn(texts, tag)) ?? 'en'
}

export function t(name, n) {
  const text = texts[language][name] ?? ownerTexts[language][name]
  return typeof text === 'string' && n !== undefined ? text.replace('{n}', () => String(n)) : text
}

/** Where in its file a source stands, from the outside in; empty where there is no such place. */
export function placeLabel({ attachment, chapter, page, slide, sheet, row, lastRow, ocr }) {
  const say = (name, value) => (value === undefined ? '' : t(name, value))
  const rows = lastRow === undefined ? row : `${row}–${lastRow}`
  return [
    say('attachment', attachment),
    say('chapter', chapter),
    say('page', page),
    say('slide', slide),
    say('sheet', sheet),
    say(lastRow === undefined ? 'row' : 'rows', rows),
    ocr ? t('byOcr') : '',
  ]
    .filter(Boolean)
    .join(language === 'zh' ? '，' : ', ')
}

/** The language that a text is set in: Chinese type has its own fonts and line height. */
export function langOf(text) {
  if (/[\p{sc=Hiragana}\p{sc=Katakana}]/u.test(text)) return 'ja'
  return /\p{sc=Han}/u.test(text) ? 'zh-CN' : 'en'
}

/** Day and time in the reader's language and zone. */
export function dateText(at) {
  return new Date(at).toLocaleString(language === 'zh' ? 'zh-CN' : 'en', { dateStyle: 'medium', timeStyle: 'short' })
}

/** Fills the fixed texts of the page. */
export function translatePage() {
  document.documentElement.lang = language === 'zh' ? 'zh-CN' : 'en'
  for (const element of document.querySelectorAll('[data-text]')) element.textContent = t(element.dataset.text)
  for (const element of document.querySelectorAll('[data-label]')) element.setAttribute('aria-label', t(element.dataset.label))
  for (const element of document.querySelectorAll('[data-placeholder]')) element.placeholder = t(element.dataset.placeholder)
  const button = document.getElementById('language')
  button.textContent = t('otherLanguage')
  button.lang = language === 'zh' ? 'en' : 'zh-CN'
}

export function switchLanguage() {
  language = language === 'zh' ? 'en' : 'zh'
  localStorage.setItem(KEY, language)
  translatePage()
}
