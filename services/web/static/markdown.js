/**
 * A small Markdown made of DOM nodes: paragraphs, headings, lists, tables, code, bold, italics and source markers.
 * Text only ever becomes text nodes; links and pictures stay text, so an answer cannot reach another host.
 */
export function renderMarkdown(text, marker) {
  const out = document.createDocumentFragment()
  const lines = text.split('\n')
  let offset = 0
  for (let i = 0; i < lines.length; ) {
    const line = lines[i]
    const fence = /^\s*(```+|~~~+)/.exec(line)
    if (fence) {
      const code = []
      offset += line.length + 1
      for (i++; i < lines.length && !lines[i].trim().startsWith(fence[1]); i++) {
        code.push(lines[i])
        offset += lines[i].length + 1
      }
      if (i < lines.length) offset += lines[i++].length + 1
      out.append(element('pre', element('code', code.join('\n'))))
      continue
    }
    const kind = kindOf(line)
    const block = []
    for (; i < lines.length && goesOn(lines, i, kind) && !(kind === 'heading' && block.length > 0); i++) {
      block.push({ text: lines[i], at: offset })
      offset += lines[i].length + 1
    }
    if (kind !== 'blank') out.append(blocks[kind](block, marker))
  }
  return out
}

const listMark = /^(\s*)([-*+•]\s+|\d{1,3}[.)、]\s*)/
const MAX_DEPTH = 6

/** A blank line does not end a list whose next item is further in. */
function goesOn(lines, i, kind) {
  const found = kindOf(lines[i])
  return found === kind || (kind === 'list' && found === 'blank' && listMark.exec(lines[i + 1] ?? '')?.[1].length >= 2)
}

function kindOf(line) {
  if (line.trim() === '') return 'blank'
  if (/^\s*(```+|~~~+)/.test(line)) return 'fence'
  if (/^#{1,6}\s/.test(line)) return 'heading'
  if (listMark.test(line)) return 'list'
  if (/^\s*\|.*\|/.test(line)) return 'table'
  if (/^>\s?/.test(line)) return 'quote'
  return 'paragraph'
}

const blocks = {
  heading: ([line], marker) => {
    const mark = /^(#{1,6})\s+/.exec(line.text)
    return element(`h${Math.min(6, mark[1].length + 2)}`, inline(line.text.slice(mark[0].length), line.at + mark[0].length, marker))
  },
  list: (lines, marker) => {
    const out = document.createDocumentFragment()
    const open = [] // the lists that a line may go on with, from the outside in
    for (const line of lines) {
      const mark = listMark.exec(line.text)
      if (!mark) continue // a blank line between two items
      const indent = mark[1].replaceAll('\t', '    ').length
      const name = /\d/.test(mark[2]) ? 'ol' : 'ul'
      while (open.length > 0 && (open.at(-1).indent > indent || open.length > MAX_DEPTH)) open.pop()
      let top = open.at(-1)
      const isDeeper = top !== undefined && indent >= top.indent + 2
      if (!isDeeper && top?.name !== name) {
        open.pop()
        top = undefined
      }
      if (!top || isDeeper) {
        const list = element(name)
        if (name === 'ol') list.start = Number.parseInt(mark[2], 10)
        const around = open.at(-1)?.list.lastElementChild ?? out
        around.append(list)
        top = { list, name, indent }
        open.push(top)
      }
      top.list.append(element('li', inline(line.text.slice(mark[0].length), line.at + mark[0].length, marker)))
    }
    return out
  },
  quote: (lines, marker) => element('blockquote', ...withBreaks(lines, /^>\s?/, marker)),
  paragraph: (lines, marker) => element('p', ...withBreaks(lines, /^/, marker)),
  table: (lines, marker) => {
    const table = element('table')
    for (const line of lines) {
      if (/^[\s|:-]+$/.test(line.text)) continue
      const row = element('tr')
      let at = line.text.indexOf('|') + 1
      for (const cell of line.text.slice(at).split('|')) {
        if (at + cell.length < line.text.length || cell.trim() !== '') row.append(element('td', inline(cell, line.at + at, marker)))
        at += cell.length + 1
      }
      table.append(row)
    }
    const scroll = element('div', table)
    scroll.className = 'scroll'
    return scroll
  },
}

function withBreaks(lines, mark, marker) {
  return lines.flatMap((line, index) => {
    const skipped = mark.exec(line.text)?.[0].length ?? 0
    const content = inline(line.text.slice(skipped), line.at + skipped, marker)
    return index === 0 ? [content] : [element('br'), content]
  })
}

const spans = /(`[^`]+`)|(\*\*[^*]+\*\*)|(\*[^*\s][^*]*\*)|([[【]\s*\d{1,2}(?:\s*[,，、]\s*\d{1,2})*\s*[\]】])/g

/** The end of a sentence that its marker stays with: the last word, or the last Chinese character, and what closes it. */
const tail = /(?:[\p{sc=Latin}\p{N}-]{1,24}|\S)\p{P}*\s*$/u

/** `marker(n, at)` makes the node for source number `n` named at offset `at` of the whole text, or nothing. */
function inline(text, at, marker) {
  const out = document.createDocumentFragment()
  let done = 0
  for (const match of text.matchAll(spans)) {
    const before = text.slice(done, match.index)
    done = match.index + match[0].length
    if (!match[4]) {
      out.append(before)
      if (match[1]) out.append(element('code', match[1].slice(1, -1)))
      else if (match[2]) out.append(element('strong', inline(match[2].slice(2, -2), at + match.index + 2, marker)))
      else out.append(element('em', inline(match[3].slice(1, -1), at + match.index + 1, marker)))
      continue
    }
    const last = tail.exec(before)?.index ?? before.length
    const markers = match[4].match(/\d+/g).map((n) => marker(Number(n), at + match.index) ?? `[${n}]`)
    const kept = element('span', before.slice(last), ...markers)
    kept.className = 'kept'
    out.append(before.slice(0, last), kept)
  }
  out.append(text.slice(done))
  return out
}

export function element(name, ...children) {
  const made = document.createElement(name)
  made.append(...children)
  return made
}
