import { isMassRemoval } from './plan-scan.ts'

export type RemovalFacts = {
  /** documents whose file was not seen */
  missing: readonly string[]
  known: number
  seen: number
  /** new files that have not settled: one of them may be a missing file on its way */
  arriving: number
  /** the folder is the one that was looked at before, not another mount in its place */
  sameRoot: boolean
  confirmed: boolean
  settleMs: number
  /** when this look began: a slow one has seen the folder as it was then */
  began: number
  now: number
}
export type Removals = { remove: string[]; held: number; waitMs: number | undefined }

/** Decides which missing documents go now: after a second look, and not when it looks as if a mount went away. */
export function decideRemovals(since: Map<string, number>, facts: RemovalFacts): Removals {
  const missing = new Set(facts.missing)
  for (const id of since.keys()) if (!missing.has(id)) since.delete(id)
  for (const id of missing) if (!since.has(id)) since.set(id, facts.now)
  if (facts.confirmed) return { remove: [...missing], held: 0, waitMs: undefined }

  const emptied = facts.seen === 0 && facts.known > 0 && !facts.sameRoot
  if (missing.size > 0 && (emptied || isMassRemoval(missing.size, facts.known)))
    return { remove: [], held: missing.size, waitMs: undefined }
  // nothing is left to settle: a dry run says what a scan comes to in the end
  if (facts.settleMs === 0) return { remove: [...missing], held: 0, waitMs: undefined }
  const patienceMs = facts.arriving > 0 ? 2 * facts.settleMs + 500 : facts.settleMs
  // from the end of the first look to the beginning of this one: whatever moved during the first has settled, however slow the looks are
  const remove = [...missing].filter((id) => facts.began - since.get(id)! >= patienceMs)
  return { remove, held: 0, waitMs: remove.length < missing.size ? patienceMs : undefined }
}
