/** A line of a table: the name first. */
export type Row = readonly string[]

// numbers of a series that are left out, so that a name between two others does not exist
const MISSING = 7

/** PREFIX-1, PREFIX-2 … of each prefix, without every seventh, each with what `rest` gives it. */
export function series(prefixes: string[], most: number, rest: (n: number, pick: Pick) => string[]): string[][] {
  const pick = picker(most * prefixes.length)
  return prefixes.flatMap((prefix) =>
    Array.from({ length: most }, (_, i) => i + 1)
      .filter((n) => n % MISSING !== 0)
      .map((n) => [`${prefix}-${n}`, ...rest(n, pick)]),
  )
}

export type Pick = { (of: number): number; <T>(of: readonly T[]): T }

function picker(seed: number): Pick {
  let state = seed
  const next = (below: number) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
  return ((of: number | readonly unknown[]) => (typeof of === 'number' ? 1 + next(of) : of[next(of.length)])) as Pick
}

export function day(year: number, nth: number): string {
  return new Date(Date.UTC(year, 0, 1 + nth)).toISOString().slice(0, 10)
}

export function markdown(header: Row, rows: readonly Row[]): string {
  const line = (cells: Row) => `| ${cells.join(' | ')} |`
  return [line(header), line(header.map(() => '---')), ...rows.map(line)].join('\n')
}

export function csv(header: Row, rows: readonly Row[]): string {
  return `${[header, ...rows].map((cells) => cells.join(',')).join('\n')}\n`
}
