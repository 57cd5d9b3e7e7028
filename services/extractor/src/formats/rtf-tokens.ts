/** `word` without its backslash; `value` its number. A `byte` is in the charset of the current font. */
export type RtfToken =
  | { kind: 'open' }
  | { kind: 'close' }
  | { kind: 'word'; word: string; value: number | undefined }
  | { kind: 'byte'; byte: number }
  | { kind: 'text'; text: string }

const control = /\\(?:([a-zA-Z]{1,32})(-?\d{1,10})? ?|'([0-9a-fA-F]{2})|([\s\S]))/y
const plain = /[^\\{}\r\n]+/y

/** One pass over bytes read as Latin-1; \bin data is stepped over. */
export function* rtfTokens(source: string): Generator<RtfToken> {
  let at = 0
  while (at < source.length) {
    const char = source[at]!
    if (char === '{' || char === '}') {
      at++
      yield char === '{' ? { kind: 'open' } : { kind: 'close' }
    } else if (char === '\\') {
      control.lastIndex = at
      const [whole, word, number, hex, symbol] = control.exec(source) ?? ['\\']
      at += whole!.length
      if (hex) yield { kind: 'byte', byte: Number.parseInt(hex, 16) }
      else if (word === 'bin') at += Math.max(0, Number(number ?? 0))
      else if (word) yield { kind: 'word', word, value: number === undefined ? undefined : Number(number) }
      else if (symbol) yield { kind: 'word', word: symbol, value: undefined }
    } else if (char === '\r' || char === '\n') at++
    else {
      plain.lastIndex = at
      const text = plain.exec(source)![0]
      at += text.length
      yield { kind: 'text', text }
    }
  }
}
