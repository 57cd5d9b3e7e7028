import type { CitationSpan } from '@docent/core/answer-event'
import { fold } from '@docent/core/text/fold'
import { compareAcross, isAcross } from './cite-across.ts'
import { type Claim, claimsOf, markersOf } from './claims.ts'
import { contradicts } from './contradicts.ts'
import { codesOf } from './figures.ts'
import { missingFigures } from './missing-figures.ts'
import { isOfOtherRows } from './other-rows.ts'
import { isAboutLack } from './refusals.ts'

const ENOUGH = 0.6
// of a statement with two sources this much of it each of them must hold
const SHARED = 0.2
const stopWords = new Set(
  'the and for are was were with that this from have has had not but you your can will its his her their our they them which who what when where how why than then also into only may must such any all each per of in on at to is be by as it or an a if do does so'.split(
    ' ',
  ),
)

/** The numbers a text cites that stand for no source. */
export function unknownMarkers(text: string, known: ReadonlyMap<number, unknown>): number[] {
  return [...new Set(markersOf(text).flatMap(({ numbers }) => numbers))].filter((n) => !known.has(n))
}

type Verdict = 'stands' | 'differs' | 'unknown'

/**
 * Citations of a model's text: what each marker claims, checked against the source it names. `given` is what the model knew besides: the
 * question and the day; into `derived` goes what its statements calculate. A statement that the source lacks something claims nothing of it.
 */
export function citationsOf(text: string, sourceTexts: ReadonlyMap<number, string>, given = '', derived: number[] = []): CitationSpan[] {
  return claimsOf(text).flatMap((claim) => {
    const bodies = claim.numbers.flatMap((source) => {
      const body = sourceTexts.get(source)
      return body === undefined ? [] : [{ source, body }]
    })
    const own = bodies.map(({ source, body }) => ({ source, body, verdict: verdictOf(claim, body, given, derived) }))
    // what two sources say together neither says alone
    const isJoint = own.length > 1 && own.every(({ verdict }) => verdict !== 'stands')
    const together = isJoint ? verdictOf(claim, bodies.map(({ body }) => body).join('\n'), given, derived) : 'differs'
    const spans = own.map(({ source, body, verdict }) => {
      const isPart = together !== 'differs' && shareOf(claim.said, squeeze(body)) >= SHARED
      return { start: claim.start, end: claim.end, source, verdict: isPart ? together : verdict }
    })
    if (isAboutLack(claim.said) && spans.every(({ verdict }) => verdict !== 'stands')) return []
    return spans.map(({ verdict, ...span }) => ({
      ...span,
      verified: verdict === 'stands',
      ...(verdict === 'unknown' ? { unchecked: 'language' as const } : {}),
    }))
  })
}

/** What heads a list or a table need not stand in the source by itself, its items must. */
function verdictOf({ said, rest }: Claim, body: string, given: string, derived: number[]): Verdict {
  if (rest.length === 0) return compared(said, body, given, derived)
  const verdicts = rest.map((line) => compared(line, body, given, derived))
  return verdicts.find((one) => one === 'differs') ?? verdicts.find((one) => one === 'unknown') ?? 'stands'
}

/** By words within one language, by what both write alike across two; what cannot be compared so is told apart from what is not there. */
function compared(said: string, body: string, given: string, derived: number[]): Verdict {
  const held = squeeze(body)
  if (held.includes(squeeze(said))) return 'stands'
  const isOther = isAcross(said, body)
  if (!isOther && isOfOtherRows(said, body, given, derived, wordsOf)) return 'differs'
  const isThere = codesOf(said).every((code) => held.includes(squeeze(code))) && !missingFigures(said, body, given, derived)
  if (isThere && shareOf(said, held) >= ENOUGH) return contradicts(said, body, wordsOf) ? 'differs' : 'stands'
  return isOther ? compareAcross(said, body, given) : 'differs'
}

/** A quotation is supported when it stands in the source, give or take width, case, script and white space. */
export function isQuoted(quote: string, source: string): boolean {
  return squeeze(source).includes(squeeze(quote))
}

// what a sentence is built with, and the hour and the day it is said of, which figures tell
const empty =
  /(?:今天|今日|现在|目前|截至|\b(?:today|now)\b)[^，,;；。:：]*|上午|下午|晚上|早上|中午|凌晨|合计|总计|共计|一共|大约|因此|所以|[〇零一二两三四五六七八九十百千万亿]+(?:点半?|时|分|个月|[个天日年月周倍元])|[的了为是在和或及与共约至到从由被将也就都其该此这那即]|\b(?:total|sum|altogether|each|about|approximately|roughly|therefore|cost|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve)\b/giu

/** Its words without figures. */
function wordsOf(said: string): string[] {
  return contentWords(fold(said).replace(empty, ' ')).filter((word) => /\p{L}/u.test(word))
}

/** How much of its words stands in the squeezed source; figures are compared by themselves. 0 where it says nothing. */
function shareOf(said: string, body: string): number {
  const held = [body, body.replace(/[的了为是在须应可将]/gu, '')]
  const words = wordsOf(said)
  if (words.length === 0) return contentWords(said).length > 0 ? 1 : 0
  return words.filter((word) => held.some((one) => one.includes(word))).length / words.length
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
  return fold(text).replace(/[\s|*_`#>]+/g, '')
}
