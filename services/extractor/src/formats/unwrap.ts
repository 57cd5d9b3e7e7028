const wide = /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]/
const item =
  /^\s*(?:[-*•·‣>#|+=]|\(?\d{1,3}[.)、．]|\d{1,2}(?:\.\d{1,2})+|[（(][一二三四五六七八九十\d]{1,3}[）)]|[一二三四五六七八九十]{1,3}、)/
const laidOut = /\t|\S {3,}\S/
// a date with a time, as logs write them, or a level; a number or a date alone begins lines of prose, too
const record =
  /^[[<(]?(?:\d{4}[-/.]\d\d[-/.]\d\d[T ]\d\d:\d\d|[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d|\d\d:\d\d:\d\d|(?:TRACE|DEBUG|INFO|WARN(?:ING)?|ERROR|FATAL)(?![A-Za-z]))/
const MIN_WIDTH = 50
const MAX_WIDTH = 120
const MIN_FULL_LINES = 3
const MIN_RECORDS = 3
// people do not fill each line to the last column
const FULL = 0.92

/**
 * The width a text was wrapped at by hand, in columns (a Han character has two), or undefined: many lines reach it, none goes far beyond.
 */
export function wrapWidthOf(lines: readonly string[]): number | undefined {
  const widths = lines.map(columnsOf).sort((a, b) => b - a)
  const width = widths[0] ?? 0
  if (width < MIN_WIDTH || width > MAX_WIDTH) return undefined
  return widths.filter((one) => one >= width * 0.85).length >= MIN_FULL_LINES ? width : undefined
}

/** Joins lines that end only because the next word had no room; items, tables, drawings and a log's lines stay as they are. */
export function unwrap(lines: readonly string[], width: number): string[] {
  if (isLog(lines)) return [...lines]
  const out: string[] = []
  let last = ''
  let end = '' // the last character so far: to read it from a string that grows would copy all of it for each line
  for (const line of lines) {
    const isWrapped = out.length > 0 && !item.test(line) && !laidOut.test(line) && !laidOut.test(last) && hadNoRoom(last, line, width)
    if (isWrapped) {
      const next = line.trim()
      out[out.length - 1] += (wide.test(end) && wide.test(next[0] ?? '') ? '' : ' ') + next
      end = next.at(-1) ?? ' '
    } else {
      out.push(line)
      end = line.at(-1) ?? ''
    }
    last = line
  }
  return out
}

/** Half of the lines begin as a log's do: no wrapped prose does that. */
function isLog(lines: readonly string[]): boolean {
  return lines.length >= MIN_RECORDS && lines.filter((line) => record.test(line)).length * 2 >= lines.length
}

function hadNoRoom(line: string, next: string, width: number): boolean {
  const word = next.trim()
  const first = wide.test(word[0] ?? '') ? word[0]! : (/^\S+/.exec(word)?.[0] ?? '')
  const gap = wide.test(first) ? 0 : 1
  return columnsOf(line.trimEnd()) + gap + columnsOf(first) > width * FULL
}

function columnsOf(text: string): number {
  let columns = 0
  for (const char of text) columns += wide.test(char) ? 2 : 1
  return columns
}
