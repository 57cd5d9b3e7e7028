export type FileSeen = {
  path: string
  contentHash: string
  size: number
  modifiedAt: Date
  mediaType: string
  problem?: { state: 'failed' | 'skipped'; code: string; message: string }
}
export type FileKnown = { documentId: string; path: string; contentHash: string }
export type ScanPlan = {
  add: FileSeen[]
  change: { documentId: string; file: FileSeen }[]
  move: { documentId: string; to: string; file: FileSeen }[]
  remove: { documentId: string }[]
}

/** Compares the folder with the ledger. A vanished file whose content turns up elsewhere has moved. */
export function planScan(known: readonly FileKnown[], seen: readonly FileSeen[]): ScanPlan {
  const plan: ScanPlan = { add: [], change: [], move: [], remove: [] }
  const seenByPath = new Map(seen.map((file) => [file.path, file]))
  const knownPaths = new Set(known.map((file) => file.path))
  const homeless = Map.groupBy(
    seen.filter((file) => !knownPaths.has(file.path)),
    (file) => file.contentHash,
  )

  for (const { documentId, path, contentHash } of known) {
    const file = seenByPath.get(path)
    const moved = file ? undefined : takeNearest(homeless.get(contentHash), path)
    if (file && file.contentHash !== contentHash) plan.change.push({ documentId, file })
    else if (moved) plan.move.push({ documentId, to: moved.path, file: moved })
    else if (!file) plan.remove.push({ documentId })
  }
  plan.add.push(...[...homeless.values()].flat())
  return plan
}

/** Of several files with the same content, the one that kept its name moved with its folder. */
function takeNearest(files: FileSeen[] | undefined, path: string): FileSeen | undefined {
  if (!files) return undefined
  const name = path.slice(path.lastIndexOf('/') + 1)
  const same = files.findIndex((file) => file.path.slice(file.path.lastIndexOf('/') + 1) === name)
  return files.splice(Math.max(same, 0), 1)[0]
}

/** More than a fifth of the folder gone at once looks like a mount that went away, not like a wish. */
export function isMassRemoval(missing: number, known: number): boolean {
  return missing >= 5 && missing > known * 0.2
}
