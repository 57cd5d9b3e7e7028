import { fold } from '@docent/core/text/fold'
import { areHalfADayApart, codesOf, type Figure, figuresOf, isSame } from './figures.ts'

// 165 g are 0.165 kg
const PER_KILO = 1_000

/**
 * Whether a text has figures that its source, in the same language, lacks: as they stand, in another writing (380 万, 3,800,000; 下午 3:30,
 * 15:30; two years, 24 months) or by one calculation from others. Figures of `given` count beside one of the source. `derived` keeps what
 * was calculated, for what is said after.
 */
export function missingFigures(said: string, source: string, given: string, derived: number[]): boolean {
  const [all, held, also] = [figuresOf(said), figuresOf(source), figuresOf(given)]
  const figures = all.filter(({ isSoft }) => !isSoft)
  const holds = (some: readonly Figure[], figure: Figure) => some.some((one) => isSame(figure, one) || areHalfADayApart(figure, one))
  const numbers = numbersIn(source)
  // the year of price-list-2025.csv
  const years = new Set(numbers.filter((one) => one >= 1900 && one < 2100))
  const known = figures.filter((figure) => holds(held, figure) || years.has(figure.value))
  const rest = figures.filter((figure) => !known.includes(figure))
  const told = known.length > 0 || derived.length > 0 ? rest.filter((figure) => holds(also, figure)) : []
  // “twelve of them”: a word, and the question's number
  const words = all.filter((figure) => figure.isSoft && figure.value > 1 && holds(also, figure))
  const pool = [...known, ...told, ...words].map(({ value }) => value).concat(derived)
  for (const { value } of rest.filter((figure) => !told.includes(figure))) {
    if (!isCalculated(value, pool)) return true
    pool.push(value)
    derived.push(value)
  }
  // what is no figure by itself, such as a telephone number
  const read = new Set(figures.flatMap(({ digits, value }) => [digits, value]))
  const there = new Set([...numbers, ...numbersIn(given)])
  return numbersIn(codesOf(said).reduce((left, code) => left.replaceAll(code, ' '), fold(said))).some(
    (one) => !read.has(one) && !there.has(one),
  )
}

function numbersIn(text: string): number[] {
  return (fold(text).match(/\d+(?:,\d{3})*(?:\.\d+)?/g) ?? []).map((one) => Number(one.replaceAll(',', '')))
}

/** A sum, difference, product, quotient or percentage of two of these, to the decimals that are written. */
function isCalculated(value: number, pool: readonly number[]): boolean {
  const decimals = String(value).split('.')[1]?.length ?? 0
  const is = (result: number) => Number.isFinite(result) && Number(result.toFixed(decimals)) === value
  return pool.some(
    (a, i) =>
      is(a * PER_KILO) ||
      is(a / PER_KILO) ||
      pool.some(
        (b, j) => i !== j && [a + b, a - b, a * b, a / b, (a * b) / 100, a * (1 + b / 100), a * (1 - b / 100), (a / b - 1) * 100].some(is),
      ),
  )
}
