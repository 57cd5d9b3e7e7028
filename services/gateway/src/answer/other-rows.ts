import { fold } from '@docent/core/text/fold'
import { codesOf } from './figures.ts'
import { missingFigures } from './missing-figures.ts'

// what is said of another thing: nearly all of its words stand there, and few where the one is named
const [FEW, MOST, LITTLE] = [4, 0.8, 0.4]

/**
 * Whether a clause says of the one thing it names, by a code (M30, BX-300) or by words, what the source says of others only: figures of the
 * line below in a table, two columns taken for each other, what another code means. Not where it speaks of something in those rows, too.
 * `wordsOf` are the words that count.
 */
export function isOfOtherRows(
  said: string,
  source: string,
  given: string,
  derived: readonly number[],
  wordsOf: (text: string) => string[],
): boolean {
  return said.split(/[，、；。！？;!?()（）\n]|[,.](?=\s|$)| and /u).some((clause) => {
    const codes = new Set(codesOf(clause))
    if (codes.size > 1) return false
    const words = wordsOf(clause)
    const own = ofNamed(source, [...codes][0], words)
    if (own === source) return false
    const [near, all] = [fold(own), fold(source)].map((text) => text.replace(/\s+/g, '')) as [string, string]
    const shareIn = (text: string) => words.filter((word) => text.includes(word)).length / words.length
    if (codes.size > 0 && words.length >= FEW && shareIn(all) >= MOST && shareIn(near) < LITTLE) return true
    if (words.some((word) => all.includes(word) && !near.includes(word))) return false
    return missingFigures(clause, own, given, [...derived]) && !missingFigures(clause, source, given, [...derived])
  })
}

/** A text with those rows, columns and sentences only that name the code; without one, with the rows that hold most of the words. */
function ofNamed(source: string, code: string | undefined, words: readonly string[]): string {
  const isHeld = (text: string) => code !== undefined && codesOf(text).includes(code)
  const lines = source.split('\n')
  const isRow = (line: string | undefined) => line !== undefined && / \| |\t/.test(line)
  const kept: string[] = []
  for (let at = 0; at < lines.length; at++) {
    if (!isRow(lines[at])) {
      // “HLC-45: USD 38.50; HLC-70: USD 51.20”, “E3 means … . E7 means …”
      const parts = lines[at]!.split(/(?<=[;；。！？!?]|\.\s)/u)
      kept.push(parts.some(isHeld) ? parts.filter((part) => isHeld(part) || codesOf(part).length === 0).join('') : lines[at]!)
      continue
    }
    const from = at
    while (isRow(lines[at + 1])) at++
    kept.push(...rowsOf(lines.slice(from, at + 1), isHeld, words))
  }
  return kept.join('\n')
}

function rowsOf([header, ...others]: string[], isHeld: (text: string) => boolean, words: readonly string[]): string[] {
  // it is repeated every few rows
  const rows = others.filter((row) => row !== header)
  const named = rows.filter(isHeld)
  if (named.length > 0) return [header!, ...named]
  const cells = (line: string) => line.split(/ \| |\t/)
  const columns = cells(header!).map(isHeld)
  if (!columns.includes(true)) {
    const telling = words.filter((word) => !fold(header!).includes(word))
    const held = rows.map((row) => telling.filter((word) => fold(row).includes(word)).length)
    return [header!, ...rows.filter((_, i) => held[i] === Math.max(...held))]
  }
  return [header!, ...rows].map((row) =>
    cells(row)
      .filter((_, i) => i === 0 || columns[i])
      .join(' | '),
  )
}
