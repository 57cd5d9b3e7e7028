import { createBuilder } from '../document-builder.ts'
import { ExtractFailure } from '../failure.ts'
import type { Extracted } from '../types.ts'
import { rtfTokens } from './rtf-tokens.ts'
import { addTextTable } from './table-blocks.ts'

export const rtfType = 'application/rtf'

const unseen = new Set(
  'fonttbl colortbl stylesheet info pict object nonshppict header headerl headerr headerf footer footerl footerr footerf fldinst listtable listoverridetable rsidtbl themedata colorschememapping datastore latentstyles filetbl revtbl xe tc sn sv pgdsctbl bkmkstart bkmkend annotation atnid atnauthor'.split(
    ' ',
  ),
)
const readUnseen = new Set(['f', 'fcharset', 'uc', 'u', '*', 'ansicpg'])
// Destinations that are marked as skippable and are read all the same.
const read = new Set(['footnote', 'shptxt', 'shpinst', 'shprslt', 'upr', 'ud', 'listtext', 'fldrslt'])
const symbols: Record<string, string> = {
  ...{ tab: ' ', line: '\n', emdash: '—', endash: '–', lquote: '‘', rquote: '’', ldblquote: '“', rdblquote: '”', bullet: '•' },
  ...{ '~': ' ', _: '-', emspace: ' ', enspace: ' ', '\\': '\\', '{': '{', '}': '}' },
}
const byCharset: Record<number, string> = {
  ...{ 128: 'shift_jis', 129: 'euc-kr', 134: 'gb18030', 136: 'big5', 161: 'windows-1253', 162: 'windows-1254', 163: 'windows-1258' },
  ...{ 177: 'windows-1255', 178: 'windows-1256', 186: 'windows-1257', 204: 'windows-1251', 222: 'windows-874', 238: 'windows-1250' },
}
const byCodePage: Record<number, string> = {
  932: 'shift_jis',
  936: 'gb18030',
  949: 'euc-kr',
  950: 'big5',
  65001: 'utf-8',
  10000: 'macintosh',
}

type Group = { isUnseen: boolean; isHidden: boolean; uc: number; font: number; destination: string }

/** Word's exchange format: groups with a state each, text in the charset of its font or as \u code units. */
export function extractRtf(bytes: Buffer, maxChars: number): Extracted {
  if (!bytes.subarray(0, 6).toString('latin1').startsWith('{\\rtf')) throw new ExtractFailure('type_mismatch')
  const builder = createBuilder(maxChars)
  const charsets = new Map<number, string>()
  const groups: Group[] = []
  let group: Group = { isUnseen: false, isHidden: false, uc: 1, font: -1, destination: '' }
  let fallback = 'windows-1252'
  let [level, isItem, inTable, isSkippable] = [0, false, false, false]
  let [toSkip, title, paragraph] = [0, '', '']
  let items: string[] = []
  const notes: string[] = []
  let pending: number[] = []
  let [row, rows]: [string[], string[][]] = [[], []]

  const write = (text: string) => {
    if (group.destination === 'title') title += text
    else if (group.destination === 'footnote') notes[notes.length - 1] += text
    else if (!group.isUnseen && !group.isHidden) paragraph += text
  }
  const flushBytes = () => {
    if (pending.length > 0) write(new TextDecoder(charsets.get(group.font) ?? fallback).decode(Uint8Array.from(pending)))
    pending = []
  }
  const endTable = () => {
    addTextTable(builder, rows)
    rows = []
  }
  const endList = () => {
    builder.add('list', items.join('\n'))
    items = []
  }
  const endParagraph = () => {
    if (group.destination) {
      write(' ')
      return
    }
    if (inTable) {
      paragraph += '\n'
      return
    }
    endTable()
    const text = paragraph.trim()
    if (isItem && level === 0 && text) items.push(`- ${text}`)
    else if (text) {
      endList()
      if (level > 0) builder.heading(level, text)
      else builder.add('paragraph', text)
    }
    paragraph = ''
    isItem = false
  }

  const words: Record<string, (value: number | undefined) => void> = {
    par: endParagraph,
    sect: endParagraph,
    page: endParagraph,
    pard: () => ([level, inTable] = [0, false]),
    intbl: () => (inTable = true),
    outlinelevel: (value) => (level = value !== undefined && value < 6 ? value + 1 : 0),
    cell: () => {
      row.push(paragraph)
      paragraph = ''
    },
    row: () => {
      rows.push(row)
      row = []
    },
    ansicpg: (value) => (fallback = byCodePage[value ?? 0] ?? (value && value >= 1250 && value <= 1258 ? `windows-${value}` : fallback)),
    f: (value) => (group.font = value ?? -1),
    fcharset: (value) => {
      const charset = byCharset[value ?? 0]
      if (group.isUnseen && charset) charsets.set(group.font, charset)
    },
    uc: (value) => (group.uc = value ?? 1),
    u: (value) => {
      write(String.fromCharCode((value ?? 0) & 0xffff))
      toSkip = group.uc
    },
    v: (value) => (group.isHidden = value !== 0),
    deleted: (value) => (group.isHidden = value !== 0),
    plain: () => (group.isHidden = false),
    '*': () => (isSkippable = true),
  }

  function onWord(word: string, value: number | undefined): void {
    if (word !== '*') {
      if (word === 'title' && group.isUnseen) {
        // Said twice where the first cannot hold it: in the old charset, then in Unicode.
        group.destination = 'title'
        title = ''
      }
      if (word === 'footnote' && !group.isUnseen) {
        paragraph += `[${notes.push('')}]`
        group.destination = 'footnote'
      }
      if (word === 'listtext') group.isUnseen = isItem = true
      else if (unseen.has(word) || (isSkippable && !read.has(word))) group.isUnseen = true
      isSkippable = false
    }
    // What nobody sees must not end a paragraph; its fonts and characters are still its own.
    if (group.isUnseen && !readUnseen.has(word)) return
    if (Object.hasOwn(words, word)) words[word]!(value)
    else if (Object.hasOwn(symbols, word)) write(symbols[word]!)
  }

  for (const token of rtfTokens(bytes.toString('latin1'))) {
    // A reader without Unicode shows these characters instead of the one before them.
    if (toSkip > 0 && token.kind === 'byte') {
      toSkip--
      continue
    }
    if (token.kind === 'byte') {
      pending.push(token.byte)
      continue
    }
    flushBytes()
    if (token.kind === 'open') {
      groups.push(group)
      group = { ...group }
      toSkip = 0
    } else if (token.kind === 'close') {
      group = groups.pop() ?? group
      toSkip = 0
      isSkippable = false
    } else if (token.kind === 'word') onWord(token.word, token.value)
    else {
      write(toSkip > 0 ? token.text.slice(toSkip) : token.text)
      toSkip = Math.max(0, toSkip - token.text.length)
    }
  }
  flushBytes()
  inTable = false
  endParagraph()
  endList()
  builder.add('list', notes.map((note, i) => `[${i + 1}] ${note.trim()}`).join('\n'))
  if (groups.length > 0) builder.note('the file ends before its text does')
  return builder.build(rtfType, { title })
}
