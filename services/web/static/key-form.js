import { getJson, keptKey, Problem, useKey } from './api.js'
import { t } from './i18n.js'
import { problemText } from './problems.js'

const calm = ['keyAccepted', 'ownerKey', 'ownerKeyAccepted']
const $ = (id) => document.getElementById(id)

/** The field for a key. It stays until a key may ask; `onAccepted()` hears of that. */
export function createKeyForm(onAccepted) {
  const field = $('key')
  let isTrying = false
  let isForOwner = false

  function show() {
    if (!$('key-form').hidden) return
    $('key-form').hidden = false
    field.focus()
  }

  function label(name) {
    const words = $('key-form').querySelector('label')
    words.dataset.text = name
    words.textContent = t(name)
  }

  /** `name` of a text, so that it is said in the other language, too; or the words themselves. */
  function note(name, words) {
    const place = $('key-note')
    place.className = calm.includes(name) ? 'note' : 'note is-error'
    if (name) place.dataset.text = name
    else delete place.dataset.text
    place.textContent = words ?? t(name)
    place.hidden = false
  }

  /** Whether somebody with this key, or without one, may ask here. */
  async function mayAsk(key) {
    const { kind, scopes } = await getJson('/api/v1/me', { key })
    if (scopes.includes('chat')) return true
    if (kind !== 'anonymous') note('keyMayNotAsk')
    return false
  }

  const isRefusal = (error) => error instanceof Problem && error.status === 401

  /** Before the first question: nobody should find out by asking. */
  async function look() {
    try {
      if (!(await mayAsk(keptKey()))) show()
    } catch (error) {
      if (!isRefusal(error)) return // asking says what is wrong
      note('keyRefused')
      show()
    }
  }

  async function take(key) {
    try {
      // no other character can stand in a header
      if (!/^[\x21-\x7e]+$/.test(key)) return note('keyRefused')
      if (!(await mayAsk(key))) return
      const { scopes } = await getJson('/api/v1/me', { key: '' })
      useKey(key, !scopes.includes('chat'))
      field.value = ''
      $('key-form').hidden = true
      note('keyAccepted')
      onAccepted()
    } catch (error) {
      if (isRefusal(error)) note('keyRefused')
      else note(undefined, problemText(error))
    }
  }

  $('key-form').addEventListener('submit', async (event) => {
    event.preventDefault()
    if (isTrying) return
    isTrying = true
    await take(field.value.trim())
    isTrying = false
    if (!$('key-form').hidden) field.select()
  })
  return {
    look,
    /** The same field, for whoever says to be the owner; a second call takes it away again. */
    ownerWanted() {
      isForOwner = $('key-form').hidden || !isForOwner
      if (!isForOwner) {
        $('key-form').hidden = true
        $('key-note').hidden = true
        return
      }
      label('adminKey')
      note('ownerKey')
      show()
    },
    /** A key that may ask need not be an owner's. */
    ownerFound(isOwner) {
      if (isForOwner) note(isOwner ? 'ownerKeyAccepted' : 'ownerKeyOther')
      isForOwner = false
    },
    wanted() {
      isForOwner = false
      label('keyNeeded')
      $('key-note').hidden = true
      show()
    },
  }
}
