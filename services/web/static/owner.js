import { forgetKey, getJson, keptKey } from './api.js'
import { showGaps } from './gaps.js'
import { t } from './i18n.js'
import { act, box, ownerProblem } from './owner-parts.js'
import { showRecord } from './record.js'
import { createRecords } from './records.js'
import { showUse } from './use.js'

const $ = (id) => document.getElementById(id)

/** The owner's panel: its button is there for whoever the server takes for an admin; the server refuses everybody else anyway. */
export function createOwner({ onKeyWanted, onKnown }) {
  let isOwner = false
  let draw
  let turn = 0
  const records = createRecords({ open: openRecord })
  const tabs = {
    'records-tab': () => records.show(),
    'gaps-tab': () => showGaps({ open: openRecord, search: searchRecords }),
    'use-tab': showUse,
  }

  /** Whether this key, or this person, is an admin. */
  async function look() {
    const { scopes } = await getJson('/api/v1/me').catch(() => ({ scopes: [] })) // a refused key is the key form's matter
    isOwner = scopes.includes('admin')
    $('owner-button').hidden = !isOwner
    $('owner-enter').hidden = isOwner
    $('owner-leave').hidden = keptKey() === undefined
    onKnown(isOwner)
    return isOwner
  }

  /** `make()` gives what stands in the panel; only the last one asked for is shown. */
  async function showView(make) {
    draw = () => showView(make)
    const mine = ++turn
    const body = $('owner-body')
    body.setAttribute('aria-busy', 'true')
    const made = await make().catch(refusal)
    if (mine !== turn) return undefined
    body.removeAttribute('aria-busy')
    body.replaceChildren(made)
    return made
  }

  function refusal(error) {
    const line = box('p', 'note is-error', ownerProblem(error))
    line.setAttribute('role', 'alert')
    const enter = [401, 403].includes(error.status) ? act(t('ownerKeyEnter'), onKeyWanted) : undefined
    return box(
      'div',
      '',
      line,
      act(t('ownerRetry'), () => draw()),
      enter,
    )
  }

  function choose(id) {
    for (const name of Object.keys(tabs)) $(name).setAttribute('aria-pressed', String(name === id))
    return showView(tabs[id])
  }

  async function openRecord(answerId) {
    const back = draw
    const leave = async () => {
      await back()
      $('owner-body')
        .querySelector(`[data-answer="${CSS.escape(answerId)}"]`)
        ?.focus()
    }
    const made = await showView(() => showRecord(answerId, leave))
    made?.querySelector('h3')?.focus()
    $('owner').scrollIntoView({ block: 'start' })
  }

  function searchRecords(text) {
    records.search(text)
    return choose('records-tab')
  }

  for (const id of Object.keys(tabs)) $(id).addEventListener('click', () => void choose(id))
  $('owner-enter').addEventListener('click', onKeyWanted)
  $('owner-leave').addEventListener('click', () => {
    forgetKey()
    location.reload()
  })
  return {
    look,
    get isOwner() {
      return isOwner
    },
    open() {
      if (!draw) return choose('records-tab')
      // what was written beside a record stays
      return $('owner-body').querySelector('.record') ? undefined : draw()
    },
    redraw: () => {
      if (!$('owner').hidden) void draw?.()
    },
  }
}
