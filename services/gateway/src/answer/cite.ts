import type { CitationSpan } from '@docent/core/answer-event'
import { sentencesOf } from '@docent/core/text/sentences'
import { compareAcross, isAcross } from './cite-across.ts'

const markers = /[[【]\s*(\d{1,2}(?:\s*[,，、]\s*\d{1,2})*)\s*[\]】]/g
const ENOUGH = 0.6
const stopWords = new Set(
  'the and for are was were with that this from have has had not but you your can will its his her their our they them which who what when where how why than then also into only may must such any all each per of in on at to is be by as it or an a if do does so'.split(
    ' ',
  ),
)

function markersOf(text: string) {
  return [...text.matchAll(markers)].map((match) => ({
    at: match.index,
    end: match.index + match[0].length,
    numbers: match[1]!.split(/\s*[,，、]\s*/).map(Number),
  }))
}

/** The numbers a text cites that stand for no source. */
export function unknownMarkers(text: string, known: ReadonlyMap<number, unknown>): number[] {
  return [...new Set(markersOf(text).flatMap(({ numbers }) => numbers))].filter((n) => !known.has(n))
}

/** Citations of a model's text: each marker claims the sentence before it, checked against the source it names. */
export function citationsOf(text: string, sourceTexts: ReadonlyMap<number, string>): CitationSpan[] {
  const found = markersOf(text)
  if (found.length === 0) return []
  const blank = text.replace(markers, (marker) => ' '.repeat(marker.length))
  const sentences = sentencesOf(blank)
  const spans: CitationSpan[] = []
  let claim: { start: number; end: number } | undefined
  let free = 0
  for (const { at, end, numbers } of found) {
    const between = blank.slice(free, at)
    if (!claim || between.trim() !== '') {
      const sentence = sentences.findLast((candidate) => candidate.start < at)
      const start = Math.max(sentence?.start ?? at, free)
      const next = trimmed(blank, start, at)
      // “… [1] and [2]”: what lies between two markers claims nothing, both stand for what came before
      if (!claim || contentWords(text.slice(next.start, next.end)).length > 0) claim = next
    }
    free = end
    if (claim.end <= claim.start) continue
    for (const source of numbers) {
      const body = sourceTexts.get(source)
      if (body !== undefined) spans.push({ ...claim, source, ...checked(text.slice(claim.start, claim.end), body) })
    }
  }
  return spans
}

function trimmed(text: string, from: number, to: number): { start: number; end: number } {
  let [start, end] = [from, to]
  while (start < end && /\s/.test(text[start]!)) start++
  while (end > start && /\s/.test(text[end - 1]!)) end--
  return { start, end }
}

/** A quotation is supported when it stands in the source, give or take width, case and white space. */
export function isQuoted(quote: string, source: string): boolean {
  return squeeze(source).includes(squeeze(quote))
}

/** By words within one language, by what both write alike across two; what cannot be compared so is told apart from what is not there. */
function checked(claim: string, source: string): Pick<CitationSpan, 'verified' | 'unchecked'> {
  if (isSupported(claim, source)) return { verified: true }
  if (!isAcross(claim, source)) return { verified: false }
  const compared = compareAcross(claim, source)
  return compared === 'unknown' ? { verified: false, unchecked: 'language' } : { verified: compared === 'stands' }
}

/** A claim is supported when all its numbers and enough of its content words stand in the source. */
export function isSupported(claim: string, source: string): boolean {
  if (isQuoted(claim, source)) return true
  const body = squeeze(source)
  const numbers = claim.normalize('NFKC').match(/\d+(?:[.,]\d+)*/g) ?? []
  if (numbers.some((number) => !body.includes(number))) return false
  const words = contentWords(claim)
  if (words.length === 0) return false
  return words.filter((word) => body.includes(word)).length / words.length >= ENOUGH
}

/** Han bigrams and folded words without the empty ones: what a text is about. */
export function contentWords(text: string): string[] {
  const folded = text.normalize('NFKC').toLowerCase()
  const words: string[] = (folded.match(/[\p{Script=Latin}\p{N}][\p{Script=Latin}\p{N}'-]*/gu) ?? [])
    .filter((word) => word.length > 1 && !stopWords.has(word))
    .map(stem)
  for (const run of folded.match(/\p{Script=Han}+/gu) ?? []) {
    if (run.length === 1) words.push(run)
    for (let i = 0; i + 1 < run.length; i++) words.push(run.slice(i, i + 2))
  }
  return [...new Set(words)]
}

function stem(word: string): string {
  return word.length > 4 ? word.replace(/(?:ies|es|s|ed|ing)$/, '') : word
}

function squeeze(text: string): string {
  return text
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[\s|*_`#>]+/g, '')
}
