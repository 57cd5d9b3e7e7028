import { element } from './markdown.js'

/** What stands between words and cells and says nothing: the server compares quotations the same way. */
const empty = /[\s|*_`#>:;]/u

/** A passage as DOM: paragraphs and tables, with `<mark>` around what the answer quotes. Text only becomes text nodes. */
export function renderPassage(text, quotes) {
  const marks = quotes.map((quote) => findQuote(text, quote)).filter((found) => found !== undefined)
  const out = document.createDocumentFragment()
  let at = 0
  const lines = text.split('\n').map((line) => {
    const start = at
    at += line.length + 1
    return { line, start }
  })
  for (let i = 0; i < lines.length; ) {
    const isRow = ({ line }) => line.includes(' | ')
    let end = i
    while (end < lines.length && isRow(lines[end])) end++
    if (end - i >= 2) {
      out.append(table(lines.slice(i, end), text, marks))
      i = end
      continue
    }
    const { line, start } = lines[i++]
    if (line.trim() !== '') out.append(element('p', ...marked(text, start, start + line.length, marks)))
  }
  return out
}

function table(rows, text, marks) {
  const made = element(
    'table',
    ...rows.map(({ line, start }) => {
      let at = start
      const cells = line.split(' | ').map((cell) => {
        const from = at
        at += cell.length + 3
        return element('td', ...marked(text, from, from + cell.length, marks))
      })
      return element('tr', ...cells)
    }),
  )
  const scroll = element('div', made)
  scroll.className = 'scroll'
  return scroll
}

function marked(text, from, to, marks) {
  const out = []
  let done = from
  for (const { start, end } of marks.toSorted((a, b) => a.start - b.start)) {
    const [a, b] = [Math.max(start, done), Math.min(end, to)]
    if (a >= b) continue
    out.push(text.slice(done, a), element('mark', text.slice(a, b)))
    done = b
  }
  return [...out, text.slice(done, to)]
}

/** Where `quote` stands in `text`, give or take width, case and white space; a table's row may carry its column names. */
export function findQuote(text, quote) {
  const found = findFolded(text, quote)
  if (found || !/[;；]/.test(quote)) return found
  const cells = quote
    .split(/[;；]/)
    .map((cell) => cell.replace(/^[^:：]*[:：]/, ''))
    .join('')
  return findFolded(text, cells)
}

function findFolded(text, quote) {
  const wanted = folded(quote).text
  if (wanted.length < 4) return undefined
  const body = folded(text)
  const at = body.text.indexOf(wanted)
  if (at < 0) return undefined
  const last = body.places[at + wanted.length - 1]
  return { start: body.places[at], end: last + (text.codePointAt(last) > 0xffff ? 2 : 1) }
}

function folded(text) {
  let out = ''
  const places = []
  let at = 0
  for (const char of text) {
    const plain = char.normalize('NFKC').toLowerCase()
    if (!empty.test(plain)) {
      out += plain
      for (let i = 0; i < plain.length; i++) places.push(at)
    }
    at += char.length
  }
  return { text: out, places }
}
