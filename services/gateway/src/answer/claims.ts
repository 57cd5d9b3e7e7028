import { sentencesOf } from '@docent/core/text/sentences'

/**
 * A statement and the sources its markers name. `said`: its text without markers, nor what leads to it. `rest`: the lines of the list or
 * table that it heads, which stand under its markers, too.
 */
export type Claim = { start: number; end: number; said: string; numbers: number[]; rest: string[] }
type Marker = { at: number; end: number; numbers: number[] }

const markers = /[[【]\s*(\d{1,2}(?:\s*[,，、]\s*\d{1,2})*)\s*[\]】]/g
const code = /^[ \t]*(```|~~~)[^\n]*\n[\s\S]*?(?:^[ \t]*\1|$(?![\s\S]))|`[^`\n]+`/gm
/** What names a source before a statement: “according to [1], …”. */
const leadIn =
  /^(?:根据|依据|据|按照|按|如|见|参见|参考|來自|来自|根據|依據|見|according to|as (?:stated|described|shown|noted)(?: in| by)?|per|based on|in|from|see)?$/iu
const joint = /^[\s,，、;；和及与與]*(?:and|&)?\s*$/i
const before = /^(?:\s+|[-*•>|]+\s+|#{1,6}\s+|\d{1,2}[.)、]\s*(?!\d)|[，,;；、。.：:)）]+)+/u
const after = /[\s|（([【]+$/u
const MOST_LINES = 40

/** Markers of a text outside of code. */
export function markersOf(text: string): Marker[] {
  return [...blanked(text, code).matchAll(markers)].map((match) => ({
    at: match.index,
    end: match.index + match[0].length,
    numbers: match[1]!.split(/\s*[,，、]\s*/).map(Number),
  }))
}

/**
 * What each marker of a text stands for: the statement before it as a rule, with the rest of its clause where it stands inside one; the one
 * after it where nothing stands before (“[1] …”, “according to [1], …”). Markers that follow each other share theirs.
 */
export function claimsOf(text: string): Claim[] {
  const groups = grouped(text, markersOf(text))
  const blank = groups.reduce((left, { at, end }) => left.slice(0, at) + ' '.repeat(end - at) + left.slice(end), text)
  const sentences = sentencesOf(blank)
  const claims: Claim[] = []
  let free = 0
  for (const [i, { at, end, numbers }] of groups.entries()) {
    const next = groups[i + 1]?.at ?? text.length
    const sentence = sentences.findLast((one) => one.start < at)
    const from = Math.max(sentence?.start ?? at, free)
    const own = trimmed(blank, from, at)
    const said = blank
      .slice(own.start, own.end)
      .replace(/[\s\p{P}*]+/gu, ' ')
      .trim()
    const line = blank.slice(blank.lastIndexOf('\n', at - 1) + 1, at)
    const isFirst = !/[\p{L}\p{N}]/u.test(line.replace(before, '')) || (claims.length > 0 && claims.at(-1)!.end > at - line.length)
    const lineEnd = blank.indexOf('\n', end) < 0 ? text.length : blank.indexOf('\n', end)
    const follows = /[\p{L}\p{N}]/u.test(blank.slice(end, Math.min(next, lineEnd)))
    let claim = { ...own, said: blank.slice(own.start, own.end) }
    if (follows && leadIn.test(said) && (isFirst || said !== '')) {
      const what = trimmed(blank, end, Math.min(next, sentenceEnd(sentences, end)))
      claim = { start: said === '' ? at : own.start, end: what.end, said: blank.slice(what.start, what.end) }
    } else if (said === '') claim = claims.at(-1) ?? claim
    else if (/^[ \t]*[\p{L}\p{N}]/u.test(blank.slice(end))) {
      const clauseEnd = end + (/[，,;；。！？!?\n]|\.(?=\s|$)/u.exec(blank.slice(end))?.index ?? blank.length - end)
      const clause = trimmed(blank, from, clauseEnd)
      if (clauseEnd <= next) claim = { ...clause, said: blank.slice(clause.start, clause.end).replace(/\s+/g, ' ') }
    }
    free = Math.max(end, claim.end)
    const { start, end: to, said: stated } = claim
    if (to > start) claims.push({ start, end: to, said: stated, numbers, rest: restOf(blank, claim, end, next) })
  }
  return claims
}

/** “[1] and [2]”: what lies between two markers claims nothing. */
function grouped(text: string, all: readonly Marker[]): Marker[] {
  const groups: Marker[] = []
  for (const marker of all) {
    const last = groups.at(-1)
    if (last && joint.test(text.slice(last.end, marker.at)) && !text.slice(last.end, marker.at).includes('\n'))
      Object.assign(last, { end: marker.end, numbers: [...last.numbers, ...marker.numbers] })
    else groups.push({ ...marker })
  }
  return groups.map((group) => ({ ...group, numbers: [...new Set(group.numbers)] }))
}

function sentenceEnd(sentences: readonly { end: number }[], at: number): number {
  return sentences.find(({ end }) => end > at)?.end ?? at
}

/** The list items or table rows under a line that ends with a colon or is a heading, as far as they have no markers of their own. */
function restOf(text: string, claim: { start: number; end: number }, end: number, next: number): string[] {
  const line = text.slice(text.lastIndexOf('\n', claim.start) + 1, claim.end)
  const tail = /^[ \t]*[:：]?[ \t]*(?:\*\*)?[ \t]*\n/.exec(text.slice(end))
  const isHead = /[:：]\**$/.test(text.slice(claim.start, claim.end)) || /[:：]/.test(tail?.[0] ?? '') || /^\s*(?:#|\*\*)/.test(line)
  if (!tail || !isHead) return []
  const rest: string[] = []
  let at = end + tail[0].length
  for (const each of text.slice(at).split('\n').slice(0, MOST_LINES)) {
    at += each.length + 1
    if (at > next && next < text.length) break
    if (each.trim() === '') {
      if (rest.length > 0) break
    } else if (/^\s*(?:[-*•]\s|\d{1,2}[.)、]|\|)/.test(each)) rest.push(each.replace(before, '').replace(after, ''))
    else break
  }
  return rest.filter((each) => /[\p{L}\p{N}]/u.test(each))
}

function trimmed(text: string, from: number, to: number): { start: number; end: number } {
  const piece = text.slice(from, to)
  const start = before.exec(piece)?.[0].length ?? 0
  const end = piece.length - (after.exec(piece)?.[0].length ?? 0)
  return { start: from + Math.min(start, end), end: from + end }
}

function blanked(text: string, pattern: RegExp): string {
  return text.replace(pattern, (found) => ' '.repeat(found.length))
}
