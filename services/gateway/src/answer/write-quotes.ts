import type { CitationSpan } from '@docent/core/answer-event'
import type { Passage } from '@docent/core/passage'
import type { Candidate } from './candidates.ts'
import { isQuoted } from './cite.ts'
import type { Quote } from './extractive.ts'

/** The text of an extractive answer under its `lead`, and its citations; `numberOf` says which source a passage is. */
export function writeQuotes(
  quotes: readonly Quote[],
  lead: string,
  numberOf: (passage: Passage) => number,
): { text: string; citations: CitationSpan[] } {
  let text = `${lead}\n`
  const rows = quotes.filter(({ candidate }) => candidate.kind === 'row')
  // rows of several documents may say different things: each with the name of its own
  const isNamed = new Set(rows.map(({ passage }) => passage.documentId)).size > 1
  const citations: CitationSpan[] = []
  let section = ''
  for (const { candidate, passage } of quotes) {
    text += '\n'
    // a heading often holds what its sentences leave out: the release, the model, the question
    const above = [isNamed && candidate.kind === 'row' ? passage.path : '', sectionOf(passage), candidate.asked ?? '']
      .filter(Boolean)
      .join(' › ')
    if (above !== '' && `${passage.documentId}/${above}` !== section) text += `${above}${colon(above)}\n`
    section = `${passage.documentId}/${above}`
    const start = text.length
    text += candidate.quote
    const source = numberOf(passage)
    citations.push({ start, end: text.length, source, verified: isVerbatim(candidate, passage) })
    text += ` [${source}]\n`
  }
  return { text: text.trimEnd(), citations }
}

/** The headings over a passage without the title and their numbers; what may be a version or a year (3.2.1, 2026 年) is more than that. */
function sectionOf({ heading, title }: Passage): string {
  const parts = (heading ?? '').split(' › ').map((part) => part.trim())
  return parts
    .filter((part) => part !== '' && part !== title)
    .map((part) => part.replace(/^(?:\d{1,2}\.(?!\d)|[一二三四五六七八九十]+、)\s*(?=\S)/, ''))
    .join(' › ')
}

function colon(heading: string): string {
  if (/[?？:：!！。.]$/.test(heading)) return ''
  return /\p{Script=Han}/u.test(heading) ? '：' : ':'
}

function isVerbatim(candidate: Candidate, passage: Passage): boolean {
  return isQuoted(candidate.from, passage.text) || isQuoted(candidate.from, passage.parent.text)
}
