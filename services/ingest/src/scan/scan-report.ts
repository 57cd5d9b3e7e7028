import type { ScanChange, ScanRecord } from '@docent/corpus/corpus'
import type { ScanPlan } from './plan-scan.ts'

/** What a scan found and did, or would do. */
export type ScanReport = Omit<ScanRecord, 'id' | 'times'> & {
  /** files that were written to a moment ago and are looked at again soon */
  unsettled: number
}

const LISTED = 100

type Known = ReadonlyMap<string, { path: string }>

/** The plan in the words of the history: counts, and the first hundred changes by name. */
export function reportOf(
  plan: Pick<ScanPlan, 'add' | 'change' | 'move'>,
  remove: readonly string[],
  known: Known,
  held: readonly string[] = [],
): Pick<ScanReport, 'added' | 'changed' | 'renamed' | 'removed' | 'changes'> {
  const pathOf = (documentId: string) => known.get(documentId)?.path ?? ''
  const changes: ScanChange[] = [
    ...plan.add.map(({ path }) => ({ kind: 'added' as const, path })),
    ...plan.change.map(({ file }) => ({ kind: 'changed' as const, path: file.path })),
    ...plan.move.map(({ documentId, to }) => ({ kind: 'renamed' as const, path: to, from: pathOf(documentId) })),
    ...remove.map((documentId) => ({ kind: 'removed' as const, path: pathOf(documentId) })),
    ...held.map((documentId) => ({ kind: 'held' as const, path: pathOf(documentId) })),
  ]
  return {
    added: plan.add.length,
    changed: plan.change.length,
    renamed: plan.move.length,
    removed: remove.length,
    changes: changes.slice(0, LISTED),
  }
}

export function emptyReport(started: Date, problem?: string): ScanReport {
  const counts = { files: 0, added: 0, changed: 0, renamed: 0, removed: 0, resettled: 0, skipped: 0, held: 0, unsettled: 0 }
  return { startedAt: started.toISOString(), ...endOf(started), ...counts, changes: [], ...(problem ? { problem } : {}) }
}

export function endOf(started: Date): { endedAt: string; ms: number } {
  const ended = new Date()
  return { endedAt: ended.toISOString(), ms: ended.getTime() - started.getTime() }
}
