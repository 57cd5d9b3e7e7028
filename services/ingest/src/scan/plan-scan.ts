export type FileSeen = {
  path: string
  contentHash: string
  size: number
  modifiedAt: Date
  mediaType: string
  /** of one that is read: the same whatever it is named and holds; see `identityOf` */
  identity?: string | undefined
  problem?: { state: 'failed' | 'skipped'; code: string; message: string }
}
export type FileKnown = { documentId: string; path: string; contentHash: string; identity?: string | undefined }
export type ScanPlan = {
  add: FileSeen[]
  change: { documentId: string; file: FileSeen }[]
  /** the content is another one where the file was edited, too */
  move: { documentId: string; to: string; file: FileSeen }[]
  remove: { documentId: string }[]
}

/**
 * Compares the folder with the ledger. A vanished file whose content turns up elsewhere has moved; so has one that is itself found under
 * a new name with other content, where no other file could be meant.
 */
export function planScan(known: readonly FileKnown[], seen: readonly FileSeen[]): ScanPlan {
  const plan: ScanPlan = { add: [], change: [], move: [], remove: [] }
  const seenByPath = new Map(seen.map((file) => [file.path, file]))
  const knownPaths = new Set(known.map((file) => file.path))
  const vanished: FileKnown[] = []
  const homeless = Map.groupBy(
    seen.filter((file) => !knownPaths.has(file.path)),
    (file) => file.contentHash,
  )

  for (const one of known) {
    const { documentId, path, contentHash } = one
    const file = seenByPath.get(path)
    const moved = file ? undefined : takeNearest(homeless.get(contentHash), path)
    if (file && file.contentHash !== contentHash) plan.change.push({ documentId, file })
    else if (moved) plan.move.push({ documentId, to: moved.path, file: moved })
    else if (!file) vanished.push(one)
  }
  const arrived = [...homeless.values()].flat()
  const followed = sameFiles(vanished, arrived)
  plan.move.push(...[...followed].map(([{ documentId }, file]) => ({ documentId, to: file.path, file })))
  plan.remove.push(...vanished.filter((one) => !followed.has(one)).map(({ documentId }) => ({ documentId })))
  const taken = new Set(followed.values())
  plan.add.push(...arrived.filter((file) => !taken.has(file)))
  return plan
}

/** Of hard links several names are one file: nobody knows then which became which. */
function sameFiles(vanished: readonly FileKnown[], arrived: readonly FileSeen[]): Map<FileKnown, FileSeen> {
  const before = Map.groupBy(vanished, ({ identity }) => identity)
  const now = Map.groupBy(arrived, ({ identity }) => identity)
  const pairs = [...before].flatMap(([identity, gone]) => {
    const come = now.get(identity) ?? []
    return identity !== undefined && gone.length === 1 && come.length === 1 ? [[gone[0]!, come[0]!] as const] : []
  })
  return new Map(pairs)
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
