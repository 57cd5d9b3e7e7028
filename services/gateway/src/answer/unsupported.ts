import { fold } from '@docent/core/text/fold'
import { type Span, sentencesOf } from '@docent/core/text/sentences'
import { areHalfADayApart, codesOf, type Figure, figuresOf, isSame, lengthOf, squeeze } from './figures.ts'
import { missingFigures } from './missing-figures.ts'

const ordinals = /^[\s>#*_-]*(?:\(?\d{1,2}[.)、）]|第\s*\d{1,2}\s*[步点条项]|step\s+\d{1,2}\b)/gim
const money = /[€$£¥￥]\s?\d|\d\s?(?:[€$£¥￥]|元|块|[a-z]{3}\b)/i
const grouped = /\+?\d(?:[\d.,'’()/–\u00a0 -]*\d)?/g
const SMALL = 10 // without a unit it counts what the text itself lists
const isWordWithNumber = /^[a-z]{4,}-\d+$/ // oxygen-16 is 氧-16 elsewhere
const WHOLE_NUMBER = 6 // digits: from here on a part of a longer one (a telephone number) is no chance

/**
 * Sentences of a model's text that stand under no marker and hold a figure or a code that nothing the model was given holds. What has
 * no figures is let be: it may be a summary, advice or a courtesy, and words alone cannot tell. `known` is asked for when it is needed.
 * `derived`: what cited sentences calculated, whose sum is no news.
 */
export function unsupportedIn(text: string, cited: readonly Span[], known: () => string, derived: readonly number[] = []): Span[] {
  const open = sentencesOf(text).filter(({ start, end }) => !cited.some((span) => start < span.end && span.start < end))
  if (!open.some(({ start, end }) => /\p{N}|[一二两三四五六七八九十百千万亿]/u.test(text.slice(start, end)))) return []
  const all = known()
  const given = readGiven(all)
  return open.filter(({ start, end }) => {
    const sentence = text.slice(start, end)
    return hasMore(sentence, given) && !(derived.length > 0 && !missingFigures(sentence, all, '', [...derived]))
  })
}

type Given = ReturnType<typeof readGiven>

function readGiven(text: string) {
  const plain = fold(text)
  const runs = new Set([...(plain.match(grouped) ?? []).map(digitsOf), ...(plain.match(/\d+/g) ?? [])])
  const figures = Map.groupBy(figuresOf(text), ({ value }) => value)
  const spans = new Set([...figures.values()].flat().flatMap(lengthOf))
  return { figures, spans, runs, long: [...runs].filter((run) => run.length >= WHOLE_NUMBER).join(' '), body: squeeze(text) }
}

function hasMore(sentence: string, given: Given): boolean {
  // numbers written in groups, like 1.290 or a telephone number, may be grouped otherwise where they were read
  const said = fold(sentence.replace(ordinals, ' ')).replace(grouped, (run) => (isThere(digitsOf(run), given) ? ' ' : run))
  const isMoney = money.test(said)
  const figures = figuresOf(said).filter((figure) => isTelling(figure, isMoney))
  if (figures.some((figure) => !isGiven(figure, given))) return true
  return codesOf(said).some(
    (code) => !given.body.includes(squeeze(code)) && !(isWordWithNumber.test(code) && given.runs.has(digitsOf(code))),
  )
}

function isThere(run: string, { runs, long }: Given): boolean {
  return run.length > 2 && (runs.has(run) || (run.length >= WHOLE_NUMBER && long.includes(run)))
}

function isGiven(figure: Figure, { figures, spans, runs }: Given): boolean {
  const { value, unit } = figure
  if (unit === undefined && runs.has(String(value))) return true
  const near = [value, value - 12, value + 12].flatMap((one) => figures.get(one) ?? [])
  return near.some((one) => isSame(figure, one) || areHalfADayApart(figure, one)) || lengthOf(figure).some((length) => spans.has(length))
}

/** “3 things”, “100 %” and “at once” say nothing that could be looked up. */
function isTelling({ value, unit, isSoft }: Figure, isMoney: boolean): boolean {
  if (isSoft || value === 0 || (unit === 'percent' && value === 100)) return false
  return unit !== undefined || isMoney || value >= SMALL || !Number.isInteger(value)
}

function digitsOf(text: string): string {
  return text.replace(/\D/g, '')
}
