import { t2sPairs } from './t2s.ts'

const simplified = new Uint16Array(0x10000)
for (let i = 0; i < t2sPairs.length; i += 2) simplified[t2sPairs.charCodeAt(i)] = t2sPairs.charCodeAt(i + 1)

// zero-width and soft hyphen: invisible, and words must be found without them
const invisible = /[\u00ad\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]|[\ufe00-\ufe0f]/g
const maybeAccented = /[\u00c0-\u024f\u1e00-\u1eff]|[\u0300-\u036f]/
const accents = /[\u0300-\u036f]+/g

/**
 * The key form of a text: NFKC (full and half width), lower case, no Latin accents, traditional → simplified.
 * Used for matching only, never stored or shown; offsets into the original are not kept.
 */
export function fold(text: string): string {
  let folded = text.normalize('NFKC').toLowerCase().replace(invisible, '')
  if (maybeAccented.test(folded)) folded = folded.normalize('NFD').replace(accents, '').normalize('NFC')
  return simplify(folded)
}

/** Character by character; copies only what changes. */
function simplify(text: string): string {
  let out = ''
  let from = 0
  for (let i = 0; i < text.length; i++) {
    const to = simplified[text.charCodeAt(i)]!
    if (to === 0) continue
    out += text.slice(from, i) + String.fromCharCode(to)
    from = i + 1
  }
  return from === 0 ? text : out + text.slice(from)
}
