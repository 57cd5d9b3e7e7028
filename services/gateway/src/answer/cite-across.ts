import { fold } from '@docent/core/text/fold'
import { languageOf } from '@docent/core/text/language'
import { sentencesOf } from '@docent/core/text/sentences'
import { areHalfADayApart, codesOf, figuresOf, isSame, squeeze } from './figures.ts'

/** `stands`: figures and names of the claim meet in one sentence of the source. `differs`: it has figures or codes that the source lacks. */
export type Comparison = 'stands' | 'differs' | 'unknown'

const OTHER_SHARE = 1 / 3
// one figure alone stands in many sentences
const ENOUGH_MARKS = 2

/** Whether so much of the source is written in another language than the claim that words cannot be compared one by one. */
export function isAcross(claim: string, source: string): boolean {
  if (isOtherLatin(claim)) return true
  const language = languageOf(claim)
  const lines = source.split('\n').map((line) => ({ letters: line.match(/\p{L}/gu)?.length ?? 0, isOther: languageOf(line) !== language }))
  const sum = (some: typeof lines) => some.reduce((total, { letters }) => total + letters, 0)
  return sum(lines.filter(({ isOther }) => isOther)) > OTHER_SHARE * sum(lines)
}

// words of German, French, Spanish, Italian, Dutch and Portuguese that English does not have
const foreign =
  /(?<![\p{L}])(?:der|das|und|ist|sind|nicht|f[uü]r|mit|eine?[rnms]?|von|les|des|est|pas|pour|une|dans|avec|el|los|las|para|que|por|una|della|degli|sono|het|een|niet|voor|zijn|da|uma|não|são)(?![\p{L}])|[äöüßñçãõœæøå]/giu
const english = /(?<![\p{L}])(?:the|and|of|is|are|for|with|to|in|on|not|be|by|at)(?![\p{L}])/giu

/** A text in Latin letters that is not English: its words are not those of an English source. */
function isOtherLatin(text: string): boolean {
  if (languageOf(text) === 'zh') return false
  const [others, own] = [foreign, english].map((words) => text.match(words)?.length ?? 0) as [number, number]
  return others > own
}

/** Compares what both languages write alike, or by rule: numbers (30, 三十, thirty) with their units, dates, codes, Latin names. */
export function compareAcross(claim: string, source: string, given = ''): Comparison {
  const codes = codesOf(claim)
  const [held, also] = [figuresOf(source), figuresOf(given)]
  const all = figuresOf(claim)
  const isHeld = all.some((figure) => !figure.isSoft && held.some((one) => isSame(figure, one)))
  // the question's figures and the day count beside one of the source
  const figures = isHeld ? all.filter((figure) => !also.some((one) => isSame(figure, one)) || held.some((one) => isSame(figure, one))) : all
  const body = squeeze(source)
  if (figures.some((figure) => !figure.isSoft && !held.some((one) => isSame(figure, one) || areHalfADayApart(figure, one))))
    return 'differs'
  if (codes.some((code) => !body.includes(squeeze(code)))) return 'differs'
  const needed = figures.filter(({ isSoft }) => !isSoft)
  if (needed.length + codes.length === 0) return 'unknown'
  const values = new Set(needed.map(({ value }) => value))
  const meet = source.split('\n').some((line) =>
    sentencesOf(line).some(({ start, end }) =>
      partsOf(line.slice(start, end), codes).some((sentence) => {
        const there = figuresOf(sentence)
        const said = squeeze(sentence)
        const holds =
          needed.every((figure) => there.some((one) => isSame(figure, one))) && codes.every((code) => said.includes(squeeze(code)))
        return holds && values.size + new Set(codes).size + sharedNames(claim, sentence) >= ENOUGH_MARKS
      }),
    ),
  )
  return meet ? 'stands' : 'unknown'
}

/** “A1: 5; B2: 7”: of one thing that is named what stands between two semicolons, of two the whole. */
function partsOf(sentence: string, codes: readonly string[]): string[] {
  return new Set(codes).size === 1 ? sentence.split(/[;；]/u) : [sentence]
}

/** Latin words of the Chinese one of both that stand in the other: in Chinese only names are written so. */
function sharedNames(claim: string, sentence: string): number {
  const [chinese, other] = languageOf(claim) === 'zh' ? [claim, sentence] : [sentence, claim]
  const words = new Set(fold(other).match(/[a-z]{2,}/g) ?? [])
  return new Set((fold(chinese).match(/(?<![a-z\d])[a-z]{2,}(?![a-z\d])/g) ?? []).filter((word) => words.has(word))).size
}
