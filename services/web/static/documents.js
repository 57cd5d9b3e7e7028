import { getJson, keptKey } from './api.js'
import { t } from './i18n.js'
import { element } from './markdown.js'

const BUSY_MS = 3_000
const QUIET_MS = 30_000
const order = ['indexing', 'queued', 'missing', 'failed', 'skipped', 'ready']

let last
let timer
let acts

/** What an owner may do with them; undefined for everybody else. */
export function letAct(ofOwner) {
  acts = ofOwner
  drawDocuments()
}

/** Shows the list where the server lets this reader see it; otherwise there is no button. */
export async function watchDocuments() {
  clearTimeout(timer)
  const listed = document.hidden || !(await mayRead()) ? last : await load().catch(() => undefined)
  if (listed) {
    last = listed
    document.getElementById('documents-button').hidden = false
    drawDocuments()
  } else if (!last) return // not for this reader
  const { counts = {} } = last
  timer = setTimeout(watchDocuments, (counts.queued ?? 0) + (counts.indexing ?? 0) > 0 ? BUSY_MS : QUIET_MS)
}

/** By path, so that an owner's failed ones may stand behind those that are listed. */
async function load() {
  const listed = await getJson('/api/v1/documents?limit=200')
  const failed = listed.items.filter(({ state }) => state === 'failed')
  if (!acts || failed.length >= (listed.counts.failed ?? 0)) return listed
  const { items } = await getJson('/api/v1/documents?state=failed&limit=200')
  const ids = new Set(items.map(({ id }) => id))
  return { ...listed, items: [...items, ...listed.items.filter(({ id }) => !ids.has(id))] }
}

/** Asked first, so that a reader without the right sends no request that must be refused. */
async function mayRead() {
  if (last || keptKey()) return true
  const info = await getJson('/api/v1/system/info').catch(() => undefined) // looked at again when the page is
  return info?.features.publicReads === true
}

export function drawDocuments() {
  if (!last) return
  const { items = [], counts = {} } = last
  const known = order.filter((state) => counts[state] > 0)
  document.getElementById('document-counts').textContent =
    known.map((state) => `${counts[state]} ${t('states')[state]}`).join(' · ') || t('noDocuments')
  document.getElementById('welcome-counts').textContent = counts.ready > 0 ? t('readyDocuments', counts.ready) : t('noDocuments')
  const sorted = items.toSorted((a, b) => order.indexOf(a.state) - order.indexOf(b.state) || a.path.localeCompare(b.path))
  const list = document.getElementById('document-list')
  const held = document.activeElement?.dataset.retry
  list.replaceChildren(...sorted.map(documentLine))
  if (held) list.querySelector(`[data-retry="${CSS.escape(held)}"]`)?.focus()
  void acts?.draw(counts)
}

/** `page 31/250` of a document that is being read; empty where nothing is counted. */
function progressText({ stage, unit, done, total } = {}) {
  const said = t('units')[unit]?.replace('{n}', () => `${done}/${total}`)
  return said ? [said, stage === 'ocr' ? t('byOcr') : ''].filter(Boolean).join(' · ') : ''
}

function documentLine(listed) {
  const { path, state: kept, missing, error, progress } = listed
  const state = missing && (kept === 'queued' || kept === 'indexing') ? 'missing' : kept
  const badge = element('span', t('states')[state] ?? state)
  badge.className = `badge is-${state}`
  const name = element('span', path)
  name.className = 'path'
  // what is as it should be needs no badge
  const line = element('li', ...(state === 'ready' ? [] : [badge]), name)
  const reads = progressText(progress)
  if (reads) {
    const note = element('p', reads)
    note.className = 'note'
    line.append(note)
  }
  if (error?.message) {
    const known = t('reasons')[error.code]
    const reason = element('p', known ?? error.message)
    reason.className = 'note'
    if (known) reason.title = error.message // names the limit or the program
    line.append(reason)
  }
  if (acts && state === 'failed') line.append(acts.retryButton(listed))
  return line
}
