import { eachTermKey, type TermKey } from '@docent/core/text/tokens'
import { tuned } from './tuning.ts'

type Chosen = { chunk: { id: string; text: string; textHash: string; document: { documentId: string } } }
export type Choice<F> = { entry: F; kept: boolean; why: string }

/** Goes down the list: drops what says the same again, and more than `perDocument` chunks of one document unless it is the only one. */
export function diversify<F extends Chosen>(
  ordered: readonly F[],
  limit: number,
  { perDocument: most, sameness }: { perDocument: number; sameness: number } = tuned,
): Choice<F>[] {
  const onlyOne = new Set(ordered.map(({ chunk }) => chunk.document.documentId)).size <= 1
  const perDocument = new Map<string, number>()
  const kept: { hash: string; words: Set<TermKey> }[] = []

  return ordered.map((entry) => {
    const { chunk } = entry
    if (kept.length >= limit) return { entry, kept: false, why: `below the first ${limit}` }
    const count = perDocument.get(chunk.document.documentId) ?? 0
    if (count >= most && !onlyOne) return { entry, kept: false, why: `already ${most} passages of this document` }
    const words = new Set<TermKey>()
    eachTermKey(chunk.text, (key) => words.add(key))
    if (kept.some((other) => other.hash === chunk.textHash || alike(words, other.words, sameness)))
      return { entry, kept: false, why: 'says the same as a better passage' }
    kept.push({ hash: chunk.textHash, words })
    perDocument.set(chunk.document.documentId, count + 1)
    return { entry, kept: true, why: 'kept' }
  })
}

/** Whether they share so much of what either says. Most say different things, which the first few words of one that the other lacks tell. */
function alike(a: Set<TermKey>, b: Set<TermKey>, sameness: number): boolean {
  const [small, large] = a.size < b.size ? [a, b] : [b, a]
  const isEnough = (shared: number) => shared >= sameness * (a.size + b.size - shared)
  let left = small.size // shared at most
  if (!isEnough(left)) return false
  for (const word of small) if (!large.has(word) && !isEnough(--left)) return false
  return true
}
