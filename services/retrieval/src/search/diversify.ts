import { tokensOf } from '@docent/core/text/tokens'

export const MAX_PER_DOCUMENT = 3
const SAME = 0.9

type Chosen = { chunk: { id: string; text: string; textHash: string; document: { documentId: string } } }
export type Choice<F> = { entry: F; kept: boolean; why: string }

/** Goes down the list: drops what says the same again, and more than three chunks of one document unless it is the only one. */
export function diversify<F extends Chosen>(ordered: readonly F[], limit: number): Choice<F>[] {
  const onlyOne = new Set(ordered.map(({ chunk }) => chunk.document.documentId)).size <= 1
  const perDocument = new Map<string, number>()
  const kept: { hash: string; words: Set<string> }[] = []

  return ordered.map((entry) => {
    const { chunk } = entry
    if (kept.length >= limit) return { entry, kept: false, why: `below the first ${limit}` }
    const count = perDocument.get(chunk.document.documentId) ?? 0
    if (count >= MAX_PER_DOCUMENT && !onlyOne) return { entry, kept: false, why: `already ${MAX_PER_DOCUMENT} passages of this document` }
    const words = new Set(tokensOf(chunk.text))
    if (kept.some((other) => other.hash === chunk.textHash || alike(words, other.words)))
      return { entry, kept: false, why: 'says the same as a better passage' }
    kept.push({ hash: chunk.textHash, words })
    perDocument.set(chunk.document.documentId, count + 1)
    return { entry, kept: true, why: 'kept' }
  })
}

function alike(a: Set<string>, b: Set<string>): boolean {
  const [small, large] = a.size < b.size ? [a, b] : [b, a]
  if (small.size < large.size * SAME) return false
  let shared = 0
  for (const word of small) if (large.has(word)) shared++
  return shared >= SAME * (a.size + b.size - shared)
}
