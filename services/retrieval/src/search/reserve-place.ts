import type { Language } from '../index/chunk-index.ts'
import type { DenseGroup, Evidence, Fused } from './fuse.ts'

/** Swept on the even questions of the folder of two languages, and on a question of the sample folder; see EVALUATION.md. */
export const otherLanguage = { share: 0.5, place: 3 } as const

/**
 * In a folder of two languages a name that both share lets the question's own language fill the list by words. The closest passage of
 * the other one gets a place when it stands out of its group at least `share` as far as the own language's closest does; it takes the
 * score of the place, so that the list stays in order.
 */
export function reservePlace<C extends { id: string }>(
  fused: readonly Fused<C>[],
  groups: readonly DenseGroup<C>[],
  evidence: Evidence,
  language: Language,
  { share, place }: { share: number; place: number },
): Fused<C>[] {
  const list = [...fused]
  const closest = groups.find((group) => group.language !== language)?.hits[0]?.chunk
  if (!closest || evidence.ownChunks === 0 || evidence.other <= 0 || evidence.other < share * evidence.own) return list
  const at = list.findIndex(({ chunk }) => chunk.id === closest.id)
  const before = list[place - 1]
  if (at < place || !before) return list
  const [entry] = list.splice(at, 1)
  list.splice(place - 1, 0, { ...entry!, scores: { ...entry!.scores, fused: before.scores.fused } })
  return list.map((one, i) => ({ ...one, ranks: { ...one.ranks, fused: i + 1 } }))
}
