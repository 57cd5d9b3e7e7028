const MAX_FRONT_MATTER_LINES = 200

/** The title is read line by line: no YAML is parsed, so no alias can multiply. */
export function takeFrontMatter(source: string): { title?: string; body: string; isFrontMatter: boolean } {
  const open = /^(---|\+\+\+)[ \t]*\n/.exec(source)
  if (!open) return { body: source, isFrontMatter: false }
  let at = open[0].length
  let title: string | undefined
  for (let n = 0; n < MAX_FRONT_MATTER_LINES; n++) {
    const end = source.indexOf('\n', at)
    const line = source.slice(at, end < 0 ? undefined : end).trimEnd()
    if (line === open[1] || line === '...')
      return { ...(title ? { title } : {}), body: end < 0 ? '' : source.slice(end + 1), isFrontMatter: true }
    const named = /^title\s{0,9}[:=]\s{0,9}(.{1,400})$/i.exec(line)
    if (named) title = named[1]!.trim().replace(/^(["'])(.*)\1$/, '$2')
    if (end < 0) break
    at = end + 1
  }
  return { body: source, isFrontMatter: false }
}

const unseen = ['script', 'style', 'iframe', 'noscript', 'template', 'svg'] as const

/** Comments, scripts and styles go with what they hold, across lines; code fences are left alone. */
export function stripRawHtml(lines: readonly string[]): string[] {
  const out: string[] = []
  let until: string | undefined
  let fence: string | undefined
  for (const line of lines) {
    const mark = until ? undefined : /^[\s>]{0,12}(`{3,}|~{3,})/.exec(line)?.[1]
    if (mark && (!fence || mark.startsWith(fence))) fence = fence ? undefined : mark
    if (fence || mark) {
      out.push(line)
      continue
    }
    const visible = visibleParts(line, until)
    until = visible.until
    out.push(visible.text)
  }
  return out
}

function visibleParts(line: string, open: string | undefined): { text: string; until: string | undefined } {
  if (!open && !line.includes('<')) return { text: line, until: undefined }
  const lower = line.toLowerCase()
  let until = open
  let text = ''
  let at = 0
  while (at < line.length) {
    if (until) {
      const close = lower.indexOf(until, at)
      if (close < 0) return { text, until }
      const end = until === '-->' ? close + 3 : lower.indexOf('>', close)
      at = end < 0 ? line.length : until === '-->' ? end : end + 1
      until = undefined
    } else {
      const next = lower.indexOf('<', at)
      if (next < 0) return { text: text + line.slice(at), until }
      // A tag that is only spoken of (`<script>` in running text) must not swallow the rest of the document.
      const isCode = line[next - 1] === '`'
      const name = isCode
        ? undefined
        : unseen.find((tag) => lower.startsWith(tag, next + 1) && (!line.slice(0, next).trim() || lower.includes(`</${tag}`, next)))
      if (!isCode && lower.startsWith('<!--', next)) until = '-->'
      else if (name) until = `</${name}`
      text += line.slice(at, until ? next : next + 1)
      at = next + 1
    }
  }
  return { text, until }
}
