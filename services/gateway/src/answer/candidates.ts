import type { Passage } from '@docent/core/passage'
import { type Span, sentencesOf } from '@docent/core/text/sentences'
import { cellsOf, type TableLine, tableLinesOf, within } from './table-lines.ts'

export type CandidateKind = 'sentence' | 'row' | 'question' | 'heading'

export type Cell = { column: string; cell: string }
/** A sentence that may be quoted. `quote` is what is shown, `from` the very text in the passage, `scored` what is scored under `context`. */
export type Candidate = {
  passage: number
  order: number
  start: number
  kind: CandidateKind
  quote: string
  from: string
  scored: string
  /** the headings over it, document title first */
  context: string
  /** the question in the text that it answers, as FAQs write it */
  asked?: string
  /** a row's filled cells, under the names of their columns */
  cells?: Cell[]
  next?: Candidate
}

const bullet = /^(?:[-*•·‣]\s+|\(?\d{1,2}[.)、](?!\d)\s*(?=\S))/
const MAX_SENTENCE = 600
const MAX_QUESTION = 200
// how a letter begins and ends: about nothing that is asked
const greeting =
  /^(?:(?:dear|hi|hello)\b[^.?!]{0,40}[,:!]?|(?:kind|best|warm)? ?regards,?|yours (?:sincerely|faithfully|truly),?|\S{0,12}(?:您好|你好|大家好|敬启|敬啟)[：:，,！!。]?|此致|敬[礼禮][！!]?|祝好[！!。]?)$/iu

/** Sentences of the passages; table rows are read with their header, question lines and headings only lead to what follows. */
export function candidatesOf(passages: readonly Passage[]): Candidate[] {
  const all: Candidate[] = []
  const seen = new Set<string>()
  for (const [index, passage] of passages.entries()) {
    const { text, from, to, offset } = within(passage)
    const rows = tableLinesOf(passage)
    const headings = new Set([passage.title, ...(passage.heading ?? '').split(' › ')])
    const context = contextOf(passage)
    const asked = questionsOver(text)
    let before: Candidate | undefined
    for (const { row, ...span } of spansOf(text, rows)) {
      const under = asked(span)
      // a heading that asks is said with the headings
      const over = under && !headings.has(under) ? under : undefined
      // sentences cut by the chunk's border count when most of them lies inside
      const inside = Math.min(span.end, to) - Math.max(span.start, from)
      if (inside * 2 < span.end - span.start) continue
      const raw = text.slice(span.start, span.end)
      const candidate = headings.has(raw.trim()) ? { kind: 'heading' as const, quote: raw, from: raw, scored: raw } : candidateOf(raw, row)
      const place = `${passage.documentId}:${offset + span.start}`
      if (!candidate || seen.has(place)) continue
      seen.add(place)
      const full: Candidate = {
        ...candidate,
        ...(over ? { asked: over } : {}),
        context: over ? `${context} › ${over}` : context,
        passage: index,
        order: all.length,
        start: offset + span.start,
      }
      if (before) before.next = full
      before = full
      all.push(full)
    }
  }
  return all
}

export function contextOf({ title, heading }: Passage): string {
  const path = heading ?? ''
  return path.startsWith(title) || !title ? path : path ? `${title} › ${path}` : title
}

/**
 * For spans in order: the question of the text under which one stands. A question speaks for the rest of its paragraph, one that is a
 * paragraph of its own for the next.
 */
function questionsOver(text: string): (span: Span) => string | undefined {
  let over: { question: string; end: number; isAlone: boolean } | undefined
  return ({ start, end }) => {
    const raw = text.slice(start, end).replace(bullet, '')
    if (over && /\n\s*\n/.test(text.slice(over.end, start))) over = over.isAlone ? { ...over, end: start, isAlone: false } : undefined
    if (/^#{1,6}\s/.test(raw)) over = undefined
    if (!/[?？]$/.test(raw) || raw.length > MAX_QUESTION) return over?.question
    over = { question: raw.replace(/^(?:Q|问|問)\s?\d*\s?[.:：、]\s*/iu, ''), end, isAlone: /^\s*(?:\n|$)/.test(text.slice(end)) }
    return undefined
  }
}

/** Sentences, and rows as a whole: one cut in two would lose its columns. */
function spansOf(text: string, rows: readonly TableLine[]): (Span & { row?: TableLine })[] {
  const whole = rows.filter(({ start, end }) => end - start <= MAX_SENTENCE)
  const spans: (Span & { row?: TableLine })[] = []
  let next = 0
  for (const span of sentencesOf(text)) {
    while (whole[next] && whole[next]!.end <= span.start) next++
    const row = whole[next]
    const before = spans.at(-1)
    if ((!row || row.start > span.start) && before && !before.row && isRunIn(text, before, span)) before.end = span.end
    else if (!row || row.start > span.start) spans.push({ ...span })
    else if (spans.at(-1)?.row !== row) spans.push({ start: row.start, end: row.end, row })
  }
  return spans
}

/** “Penalty. A breach costs EUR 50,000.”: the few words that begin a line name what the sentence after them says. */
function isRunIn(text: string, before: Span, span: Span): boolean {
  const lead = text.slice(before.start, before.end).replace(bullet, '')
  if (!/^(?:\p{Script=Han}{2,8}|\p{Script=Latin}[\p{Script=Latin}-]{1,20}(?: [\p{Script=Latin}-]{1,20}){0,2})[.。]$/u.test(lead))
    return false
  return /(?:^|\n)\s*$/u.test(text.slice(0, before.start)) && /^[ \t]*$/u.test(text.slice(before.end, span.start))
}

function candidateOf(raw: string, row: TableLine | undefined): Omit<Candidate, 'passage' | 'order' | 'start' | 'context'> | undefined {
  if (raw.length > MAX_SENTENCE || !/[\p{L}\p{N}]/u.test(raw)) return undefined
  if (row?.isHeader || greeting.test(raw)) return undefined
  const cells = row?.cells ?? cellsOf(raw)
  if (cells) {
    const filled = cells.map((cell, i) => ({ column: row?.names?.[i] ?? '', cell })).filter(({ cell }) => cell !== '')
    // a row whose columns are not known is quoted as it stands
    if (!row?.names) return { kind: 'row', quote: raw, from: raw, scored: raw, cells: filled }
    const quote = filled
      .map(({ column, cell }) => (column && column !== cell ? `${column}: ${cell}` : cell))
      .join(/\p{Script=Han}/u.test(raw) ? '；' : '; ')
    return { kind: 'row', quote, from: raw, scored: quote, cells: filled }
  }
  if (/^#{1,6}\s/.test(raw)) return { kind: 'heading', quote: raw.replace(/^#+\s*/, ''), from: raw, scored: raw }
  const quote = raw.replace(bullet, '').replace(/^>\s*/, '')
  if (/[?？]$/.test(quote)) return { kind: 'question', quote, from: raw, scored: quote }
  // 三、库存
  if (/^[一二三四五六七八九十]{1,3}、[^。！？；：，、,.!?;:]{1,20}$/u.test(quote)) return { kind: 'heading', quote, from: raw, scored: raw }
  // "wifi": {
  if (/[[{]$/.test(quote)) return { kind: 'heading', quote, from: raw, scored: raw }
  const isTitle = quote.length <= 60 && !/[.。!！;；:：,，、"”」)）]$/.test(quote) && (isShort(quote, raw) || isCapitals(quote))
  return { kind: isTitle ? 'heading' : 'sentence', quote, from: raw, scored: quote }
}

function isShort(quote: string, raw: string): boolean {
  return quote === raw && quote.length <= 24 && !/[.。!！;；:：,，、"”」)）\d]/.test(quote)
}

/** A line in capitals is how plain texts write a heading. */
function isCapitals(quote: string): boolean {
  return /\p{Lu}{2}/u.test(quote) && !/\p{Ll}/u.test(quote) && !/\p{Script=Han}/u.test(quote) && !/\d{2}/.test(quote)
}
