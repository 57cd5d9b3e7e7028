import { passageReader, type ReadTerms } from '../index/term-reader.ts'
import { tuned } from './tuning.ts'

type Chosen = { chunk: { id: string; text: string; textHash: string; document: { documentId: string } } }
export type Choice<F> = { entry: F; kept: boolean; why: string }

/** Goes down the list: drops what says the same again, and more than `perDocument` chunks of one document unless it is the only one. */
export function diversify<F extends Chosen>(
  ordered: readonly F[],
  limit: number,
  { perDocument: most, sameness }: { perDocument: number; sameness: number } = tuned,
): Choice<F>[] {
  const onlyOne = ordered.every(({ chunk }) => chunk.document.documentId === ordered[0]!.chunk.document.documentId)
  const perDocument = new Map<string, number>()
  const kept: { hash: string; words: Words }[] = []
  const below = `below the first ${limit}`
  const already = `already ${most} passages of this document`

  return ordered.map((entry) => {
    if (kept.length >= limit) return { entry, kept: false, why: below }
    const { text, textHash, document } = entry.chunk
    const count = perDocument.get(document.documentId) ?? 0
    if (count >= most && !onlyOne) return { entry, kept: false, why: already }
    const said = passageReader.readText(text)
    if (kept.some(({ hash, words }) => hash === textHash || isSaidAgain(words, said.count, sameness)))
      return { entry, kept: false, why: 'says the same as a better passage' }
    kept.push({ hash: textHash, words: wordsOf(said) })
    perDocument.set(document.documentId, count + 1)
    return { entry, kept: true, why: 'kept' }
  })
}

/** the terms of a text, each once, by their two hashes */
type Words = { firsts: Int32Array; seconds: Int32Array }

function wordsOf({ firsts, seconds, count }: ReadTerms): Words {
  return { firsts: firsts.slice(0, count), seconds: seconds.slice(0, count) }
}

/** Whether a text and the one read last, which says `count` terms, share so much of what either says. Most say different things, which the first few terms that only one has tell. */
function isSaidAgain({ firsts, seconds }: Words, count: number, sameness: number): boolean {
  const both = firsts.length + count
  const isEnough = (shared: number) => shared >= sameness * (both - shared)
  let left = firsts.length // shared at most
  if (!isEnough(Math.min(left, count))) return false
  for (let i = 0; i < firsts.length; i++) if (!passageReader.says(firsts[i]!, seconds[i]!) && !isEnough(--left)) return false
  return true
}
