/** Whether the text may be cut before unit `at`: not inside a surrogate pair, a combining sequence or an emoji of several. */
export function isCut(text: string, at: number): boolean {
  if (at <= 0 || at >= text.length) return true
  const next = text.codePointAt(at)!
  if (next >= 0xdc00 && next <= 0xdfff && isHigh(text.charCodeAt(at - 1))) return false
  if (joinsBefore(next)) return false
  const previous = isLow(text.charCodeAt(at - 1)) && at > 1 ? text.codePointAt(at - 2)! : text.charCodeAt(at - 1)
  if (previous === 0x200d) return false
  if (previous === 0x0d && next === 0x0a) return false
  if (isRegional(previous) && isRegional(next)) return regionalsBefore(text, at) % 2 === 0
  return !(isJamo(previous) && isJamo(next))
}

/** The best place to cut in (from, limit], at most `want` when the characters allow it: after a pause, else between characters. */
export function safeCut(text: string, from: number, want: number, limit: number): number {
  if (limit - from <= want - from) return limit
  for (let at = want; at > from + (want - from) / 2; at--) if (isPause(text, at) && isCut(text, at)) return at
  for (let at = want; at > from + (want - from) / 2; at--) if (isCut(text, at)) return at
  // one character of many marks: all of it stays together, within reason
  const end = Math.min(limit, from + (want - from) * 4)
  for (let at = want + 1; at < end; at++) if (isCut(text, at)) return at
  return isLow(text.charCodeAt(end)) && isHigh(text.charCodeAt(end - 1)) ? end - 1 : end
}

const pauses = new Set(' \t\n\r\u00a0\u3000，、；：,;:。！？!?）)」』')

function isPause(text: string, at: number): boolean {
  return pauses.has(text[at - 1]!)
}

const joining = /^(?:\p{M}|\u200c|\u200d|[\u{1f3fb}-\u{1f3ff}]|[\u{e0020}-\u{e007f}]|[\uff9e\uff9f])$/u

function joinsBefore(codePoint: number): boolean {
  return codePoint > 0x2ff && joining.test(String.fromCodePoint(codePoint))
}

const isHigh = (unit: number) => unit >= 0xd800 && unit <= 0xdbff
const isLow = (unit: number) => unit >= 0xdc00 && unit <= 0xdfff
const isRegional = (codePoint: number) => codePoint >= 0x1f1e6 && codePoint <= 0x1f1ff
const isJamo = (codePoint: number) => codePoint >= 0x1100 && codePoint <= 0x11ff

function regionalsBefore(text: string, at: number): number {
  let count = 0
  for (let i = at - 2; i >= 0 && isRegional(text.codePointAt(i)!); i -= 2) count++
  return count
}
