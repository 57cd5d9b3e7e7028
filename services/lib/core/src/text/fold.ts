import { t2sPairs } from './t2s.ts'

const simplified = new Uint16Array(0x10000)
for (let i = 0; i < t2sPairs.length; i += 2) simplified[t2sPairs.charCodeAt(i)] = t2sPairs.charCodeAt(i + 1)

// zero-width and soft hyphen: invisible, and words must be found without them
const invisible = /[\u00ad\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]|[\ufe00-\ufe0f]/g
const maybeAccented = /[\u00c0-\u024f\u1e00-\u1eff]|[\u0300-\u036f]/
const accents = /[\u0300-\u036f]+/g

// letters, signs and characters that combine with none of their neighbours, whatever these are
const alone =
  /[\t-\r -~\u00a1-\u017f\u2000-\u200a\u2010-\u2027\u2030-\u205e\u20a0-\u20bf\u25a0-\u25ff\u3000-\u3029\u3030-\u303f\u3041-\u3096\u30a1-\u30fe\u3400-\u9fff\uff01-\uff5e\uffe0-\uffe6]/
const UNSEEN = 0
const WHOLE = 1 // folds into several units, or not without its neighbours
const units = new Uint16Array(0x10000) // what a unit folds into by itself
const room = new Uint16Array(1 << 13)
const bytes = Buffer.from(room.buffer)

/**
 * The key form of a text: NFKC (full and half width), lower case, no Latin accents, traditional → simplified.
 * Used for matching only, never stored or shown; offsets into the original are not kept.
 */
export function fold(text: string): string {
  const { length } = text
  if (length > room.length) return foldWhole(text)
  let changes = 0
  let wide = 0
  for (let i = 0; i < length; i++) {
    const unit = text.charCodeAt(i)
    let to = units[unit]!
    if (to === UNSEEN) to = units[unit] = unitOf(unit)
    if (to === WHOLE) return foldWhole(text)
    room[i] = to
    changes |= to ^ unit
    wide |= unit | to
  }
  if (changes === 0) return text
  return wide < 128 ? text.toLowerCase() : bytes.toString('utf16le', 0, 2 * length)
}

function unitOf(unit: number): number {
  const char = String.fromCharCode(unit)
  const folded = foldWhole(char)
  return alone.test(char) && folded.length === 1 && alone.test(folded) ? folded.charCodeAt(0) : WHOLE
}

function foldWhole(text: string): string {
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
