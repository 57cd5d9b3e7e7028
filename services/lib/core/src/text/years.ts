const meant: [RegExp, number][] = [
  [/今年|本年度|\b(?:this|current) year(?:[’']s)?\b/iu, 0],
  [/去年|上一?年度|\blast year(?:[’']s)?\b/iu, -1],
]

/** The years that a question means without a figure: this year and last year. */
export function meantYears(question: string, now: Date = new Date()): string[] {
  return meant.filter(([says]) => says.test(question)).map(([, back]) => String(now.getFullYear() + back))
}
