import { tokensOf } from '@docent/core/text/tokens'
import { meantYears } from '@docent/core/text/years'
import type { Fused } from './fuse.ts'

/** What the question says of a document itself; added to a fused score of 0 to 1. Swept on the even questions; see EVALUATION.md. */
export const hints = {
  /** every word of its title or of its file's name stands in the question */
  name: 0.1,
  /** a year or a version of the question stands in its path, its title or the heading */
  date: 0.1,
  /** it holds a rare identifier of the question */
  code: 0.5,
} as const

type Named = { document: { path: string; title: string }; heading: string }
type Tuned = { readonly [K in keyof typeof hints]: number }

const YEAR_OR_VERSION = /(?<![\d.])(?:(?:19|20)\d\d|v?\d+(?:\.\d+)+)(?![\d.]*\d)/gi
// a shorter name stands in a question by chance
const NAME_TOKENS = 2

/** The candidates in order again, those whose document the question names raised by a little; each says why in `hints`. */
export function raiseNamed<C extends { id: string } & Named>(
  fused: readonly Fused<C>[],
  { query, holders, now }: { query: string; holders?: ReadonlySet<string>; now?: Date },
  tuned: Tuned = hints,
): Fused<C>[] {
  if (Object.values(tuned).every((by) => by === 0)) return [...fused]
  const asked = new Set(tokensOf(query))
  const dates = [...datesIn(query), ...meantYears(query, now)]
  const named = new Map<Named['document'], boolean>()
  const isNamed = (document: Named['document']) => {
    let known = named.get(document)
    if (known === undefined) {
      known = namesOf(document).some((name) => standsIn(asked, name))
      named.set(document, known)
    }
    return known
  }
  let isRaised = false
  const raised = fused.map((entry) => {
    const { document, heading, id } = entry.chunk
    const name = isNamed(document)
    const date = dates.length > 0 && datesIn(`${document.path} ${document.title} ${heading}`).some((own) => dates.includes(own))
    const code = holders?.has(id) === true
    if (!name && !date && !code) return entry
    isRaised = true
    const found = [...(name ? ['name' as const] : []), ...(date ? ['date' as const] : []), ...(code ? ['code' as const] : [])]
    const by = found.reduce((sum, hint) => sum + tuned[hint], 0)
    return { ...entry, hints: found, scores: { ...entry.scores, fused: entry.scores.fused + by } }
  })
  if (!isRaised) return raised
  return raised
    .sort((a, b) => b.scores.fused - a.scores.fused || a.ranks.fused - b.ranks.fused)
    .map((entry, i) => ({ ...entry, ranks: { ...entry.ranks, fused: i + 1 } }))
}

// of a hundred documents and more for each question; a document that changes is another object
const names = new WeakMap<Named['document'], string[][]>()

/** The terms of its title and of its file's name. */
function namesOf(document: Named['document']): string[][] {
  const known = names.get(document)
  if (known) return known
  const found = [document.title, fileName(document.path)].map((name) => [...new Set(tokensOf(name))])
  names.set(document, found)
  return found
}

function standsIn(asked: ReadonlySet<string>, name: readonly string[]): boolean {
  return name.length >= NAME_TOKENS && name.every((token) => asked.has(token))
}

function datesIn(text: string): string[] {
  return (text.normalize('NFKC').match(YEAR_OR_VERSION) ?? []).map((found) => found.toLowerCase().replace(/^v/, ''))
}

function fileName(path: string): string {
  return path
    .split('/')
    .at(-1)!
    .replace(/\.[^.]+$/, '')
    .replace(/[-_.]+/g, ' ')
}
