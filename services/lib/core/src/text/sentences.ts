export type Span = { start: number; end: number }

const closers = '」』”’"\')）】》'
const abbreviations = /(?:^|[\s(])(?:e\.g|i\.e|etc|vs|Mr|Mrs|Ms|Dr|No|Fig|approx|Inc|Ltd|Co|St|Rd|Ave|Prof|ext|incl|excl|cf|p|pp)\.$/i

/** Cuts text into sentences (zh and en); a line break ends one too. Spans are trimmed and keep order. */
export function sentencesOf(text: string): Span[] {
  const spans: Span[] = []
  let start = 0
  const push = (end: number) => {
    let from = start
    let to = end
    while (from < to && /\s/.test(text[from]!)) from++
    while (to > from && /\s/.test(text[to - 1]!)) to--
    if (to > from) spans.push({ start: from, end: to })
    start = end
  }
  for (let i = 0; i < text.length; i++) {
    const char = text[i]!
    if (char === '\n') push(i)
    else if ('。！？!?…'.includes(char) || (char === '.' && endsSentence(text, start, i))) {
      let end = i + 1
      while (end < text.length && ('。！？!?…'.includes(text[end]!) || closers.includes(text[end]!))) end++
      push(end)
      i = end - 1
    }
  }
  push(text.length)
  return spans
}

function endsSentence(text: string, start: number, dot: number): boolean {
  const next = text[dot + 1]
  if (next !== undefined && !/\s/.test(next) && !closers.includes(next)) return false
  const head = text.slice(Math.max(start, dot - 8), dot + 1)
  return !abbreviations.test(head) && !/(?:^|\n)\s*\d{1,3}\.$/.test(text.slice(start, dot + 1))
}
