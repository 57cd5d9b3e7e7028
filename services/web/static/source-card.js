import { getJson } from './api.js'
import { langOf, placeLabel, t } from './i18n.js'
import { element } from './markdown.js'
import { renderPassage } from './passage.js'

/** One source: document, page and heading; opened, the passage with what was quoted marked, and the way to the original. */
export function createSourceCard(source, id, quotesOf) {
  const number = element('span', String(source.n))
  number.className = 'marker'
  const title = element('span', source.title || source.path)
  title.className = 'title'
  title.lang = langOf(source.title || source.path)
  const place = element('span', placeOf(source))
  place.className = 'where'
  place.lang = langOf(place.textContent)
  const heads = element('span', title, place)
  heads.className = 'heads'
  const passage = element('blockquote')
  const path = element('span', source.path)
  path.className = 'path'
  // The page of an attachment is not a page of the mail.
  const opensAtPage = source.page && !source.attachment
  const open = element('a', opensAtPage ? t('openPage', source.page) : t('openFile'))
  open.href = `/api/v1/citations/${encodeURIComponent(source.citationId)}/file${opensAtPage ? `#page=${Number(source.page)}` : ''}`
  open.target = '_blank'
  open.rel = 'noopener noreferrer'
  const foot = element('p', path, open)
  foot.className = 'foot'
  const card = element('details', element('summary', number, heads), passage, foot)
  card.className = 'source'
  card.id = id

  function show(text) {
    passage.lang = langOf(text)
    passage.replaceChildren(renderPassage(text, quotesOf(source.n)))
  }
  function note(text) {
    const line = element('p', text)
    line.className = 'note'
    card.append(line)
  }

  show(source.snippet)
  card.addEventListener(
    'toggle',
    async () => {
      try {
        const { text, state, fileUrl } = await getJson(`/api/v1/citations/${encodeURIComponent(source.citationId)}`)
        show(text)
        if (state === 'changed' || state === 'gone') note(t(state))
        // of a file attached to the conversation only its text is kept
        if (state === 'gone' || !fileUrl) open.remove()
      } catch {
        show(source.snippet)
        note(t('notLoaded'))
      }
    },
    { once: true },
  )
  return card
}

function placeOf(source) {
  const { heading = '', title, sheet, chapter, attachment } = source
  const parts = heading.split(' › ')
  // What the place says already is not said again.
  while (parts.length > 0 && [title, sheet, chapter, attachment].includes(parts[0])) parts.shift()
  return [placeLabel(source), parts.join(' › ')].filter(Boolean).join(' · ')
}
