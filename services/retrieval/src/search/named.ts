import { fold } from '@docent/core/text/fold'
import type { Identifier } from '@docent/core/text/identifiers'

/**
 * What the documents say of the identifiers that a question names. `held`: all of them stand in them, one of them in few passages.
 * `nowhere`: none stands in any passage that shares a word with the question.
 */
export type Naming = 'held' | 'nowhere'

type Text = { id: string; text: string; header: string; document: { path: string } }

// what stands in more passages is what the folder is about, and singles none out
const FEW = 8

/** `holders`: the passages that hold a rare one. A passage with all parts of an identifier is among the best by words. */
export function findNamed<C extends Text>(
  identifiers: readonly Identifier[],
  hits: readonly { chunk: C }[],
): { naming: Naming | undefined; holders: ReadonlySet<string> } {
  const holders = new Set<string>()
  if (identifiers.length === 0) return { naming: undefined, holders }
  const texts = hits.map(({ chunk }) => ({ id: chunk.id, said: fold(`${chunk.document.path}\n${chunk.header}\n${chunk.text}`) }))
  const held = identifiers.map(({ pattern }) => texts.filter(({ said }) => pattern.test(said)))
  const isKnown = held.every((found) => found.length > 0)
  const rare = held.filter((found) => found.length > 0 && found.length <= FEW)
  for (const { id } of rare.flat()) holders.add(id)
  if (isKnown && rare.length > 0) return { naming: 'held', holders }
  return { naming: held.every((found) => found.length === 0) ? 'nowhere' : undefined, holders }
}
