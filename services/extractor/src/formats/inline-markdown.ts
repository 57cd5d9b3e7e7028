// Every scan below has a bounded look-ahead: a line of a million brackets costs a million steps, not their square.
const MAX_LINK_CHARS = 500
const MAX_TAG_CHARS = 1_000

/** Markdown's inline marks taken away: links and images keep their text, tags and emphasis go. */
export function inlineText(source: string): string {
  const out: string[] = []
  const opens: number[] = []
  let i = 0
  while (i < source.length) {
    const char = source[i]!
    if (char === '\\' && i + 1 < source.length && /[!-/:-@[-`{-~]/.test(source[i + 1]!)) {
      out.push(source[i + 1]!)
      i += 2
    } else if (char === '`') i = codeSpan(source, i, out)
    else if (char === '<') i = tag(source, i, out)
    else if (char === '!' && source[i + 1] === '[') i += 1
    else if (char === ']') i = linkEnd(source, i, out, opens)
    else if (char === '[') {
      // An opening bracket is dropped only when its link is found to close; see linkEnd.
      opens.push(out.length)
      out.push('[')
      i++
    } else if (char === '*' || char === '~' || char === '_') i = emphasis(source, i, out)
    else {
      let end = i + 1
      while (end < source.length && !SPECIAL.has(source[end]!)) end++
      out.push(source.slice(i, end))
      i = end
    }
  }
  return out.join('')
}

const SPECIAL = new Set(['\\', '`', '<', '!', '[', ']', '*', '~', '_'])

function codeSpan(source: string, at: number, out: string[]): number {
  let ticks = 1
  while (source[at + ticks] === '`') ticks++
  const window = source.slice(at + ticks, at + ticks + MAX_LINK_CHARS)
  const close = ticks > 8 ? -1 : window.indexOf('`'.repeat(ticks))
  if (close < 0) return at + ticks
  out.push(window.slice(0, close))
  return at + ticks + close + ticks
}

function tag(source: string, at: number, out: string[]): number {
  const window = source.slice(at, at + MAX_TAG_CHARS)
  const next = window[1] ?? ''
  const close = window.indexOf('>')
  if (close < 0 || !/[a-z/!?]/i.test(next)) {
    out.push('<')
    return at + 1
  }
  const inside = window.slice(1, close)
  if (/^[a-z][a-z0-9+.-]{1,30}:\S*$/i.test(inside) || /^\S+@\S+$/.test(inside)) out.push(inside)
  else if (/^br\b/i.test(inside)) out.push('\n')
  return at + close + 1
}

/** `](url)` and `][id]` end a link: the text stays, the target goes. */
function linkEnd(source: string, at: number, out: string[], opens: number[]): number {
  const open = opens.pop()
  const opener = source[at + 1]
  const close = open === undefined || (opener !== '(' && opener !== '[') ? -1 : closing(source, at + 1, opener === '(' ? ')' : ']')
  if (open === undefined || close < 0) {
    out.push(']')
    return at + 1
  }
  out[open] = ''
  return close + 1
}

function closing(source: string, at: number, mark: string): number {
  const end = Math.min(source.length, at + MAX_LINK_CHARS)
  let depth = 0
  for (let i = at; i < end; i++) {
    if (source[i] === source[at]) depth++
    else if (source[i] === mark && --depth === 0) return i
    else if (source[i] === '\n') return -1
  }
  return -1
}

function emphasis(source: string, at: number, out: string[]): number {
  const mark = source[at]!
  let end = at + 1
  while (source[end] === mark) end++
  const before = source[at - 1] ?? ' '
  const after = source[end] ?? ' '
  const isLoose = /\s/.test(before) && /\s/.test(after)
  const isInWord = mark === '_' && /\w/.test(before) && /\w/.test(after)
  const isSingleTilde = mark === '~' && end - at !== 2
  const isArithmetic = mark === '*' && end - at === 1 && /[\d)]/.test(before) && /[\d(]/.test(after)
  if (isLoose || isInWord || isSingleTilde || isArithmetic) out.push(source.slice(at, end))
  return end
}
