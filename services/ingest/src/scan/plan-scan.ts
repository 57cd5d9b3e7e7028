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
  /** the content is another one where the file was edited, too; `isCopy`: the content is in another file than before */
  move: { documentId: string; to: string; file: FileSeen; isCopy?: true }[]
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
  const missing: FileKnown[] = []
  for (const one of known) {
    const file = seenByPath.get(one.path)
    if (!file) missing.push(one)
    else if (file.contentHash !== one.contentHash) plan.change.push({ documentId: one.documentId, file })
  }
  const arrived = seen.filter((file) => !knownPaths.has(file.path))
  const homes = homesOf(missing, arrived)
  const taken = new Set(homes.values())
  const homeless = missing.filter((one) => !homes.has(one))
  const strangers = arrived.filter((file) => !taken.has(file))
  const followed = sameFiles(homeless, strangers)
  for (const [one, file] of [...homes, ...followed])
    plan.move.push({ documentId: one.documentId, to: file.path, file, ...(isCopy(one, file) ? { isCopy: true } : {}) })
  plan.remove.push(...homeless.filter((one) => !followed.has(one)).map(({ documentId }) => ({ documentId })))
  const edited = new Set(followed.values())
  plan.add.push(...strangers.filter((file) => !edited.has(file)))
  return plan
}

/** Where each content went: with the file itself, where that is known; else to the one that kept its name, as in a moved folder. */
function homesOf(missing: readonly FileKnown[], arrived: readonly FileSeen[]): Map<FileKnown, FileSeen> {
  const homes = new Map<FileKnown, FileSeen>()
  const free = Map.groupBy(arrived, ({ contentHash }) => contentHash)
  const fits = [
    (one: FileKnown, file: FileSeen) => one.identity !== undefined && one.identity === file.identity,
    (one: FileKnown, file: FileSeen) => nameOf(one.path) === nameOf(file.path),
    () => true,
  ]
  for (const fit of fits)
    for (const one of missing.filter((each) => !homes.has(each))) {
      const files = free.get(one.contentHash) ?? []
      const at = files.findIndex((file) => fit(one, file))
      if (at >= 0) homes.set(one, files.splice(at, 1)[0]!)
    }
  return homes
}

/** Surely not the same file: a copy whose original is gone, or one that a walk did not meet, for its folder was renamed meanwhile. */
function isCopy(one: FileKnown, file: FileSeen): boolean {
  return one.identity !== undefined && file.identity !== undefined && one.identity !== file.identity
}

/**
 * A copy takes the place of its original only when a second look finds it so: by then a file that was on its way has been met. `seenBefore`
 * holds what the look before left waiting (`<document> <path>`) and gets what this one does.
 */
export function waitForOriginals(plan: ScanPlan, seenBefore: Set<string>): { plan: ScanPlan; waiting: string[] } {
  const keyOf = ({ documentId, to }: ScanPlan['move'][number]) => `${documentId} ${to}`
  const waits = new Set(plan.move.filter((move) => move.isCopy && !seenBefore.has(keyOf(move))))
  seenBefore.clear()
  for (const move of waits) seenBefore.add(keyOf(move))
  return { plan: { ...plan, move: plan.move.filter((move) => !waits.has(move)) }, waiting: [...waits].map(({ to }) => to) }
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

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}

/** More than a fifth of the folder gone at once looks like a mount that went away, not like a wish. */
export function isMassRemoval(missing: number, known: number): boolean {
  return missing >= 5 && missing > known * 0.2
}
