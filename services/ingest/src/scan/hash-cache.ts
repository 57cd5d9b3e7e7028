/** Content hashes by path, valid while size, times and inode are the same: an unchanged folder is not read again. */
export type HashCache = {
  hashes: Map<string, { fingerprint: string; hash: string }>
  /** from the ledger, for the first look after a start: size and time stand for the content */
  ledger: Map<string, { size: number; modifiedAt: number; hash: string }>
  /** since when (monotonic) an unsettled file looks as it does: settles files whose clock is ahead of ours */
  watched: Map<string, { fingerprint: string; since: number }>
  /** written by ourselves, whole: these need no time to settle */
  trusted: Set<string>
  /** which file was seen last under each path that is known or there */
  identities: Map<string, string>
  /** copies that the last look found in the place of their originals; see `waitForOriginals` */
  copies: Set<string>
}

export function createHashCache(): HashCache {
  return { hashes: new Map(), ledger: new Map(), watched: new Map(), trusted: new Set(), identities: new Map(), copies: new Set() }
}

/** Untouched for long enough, by its own times or by ours: its clock may be wrong, and a rename keeps its times. */
export function hasSettled(path: string, fingerprint: string, ageMs: number, settleMs: number, { watched, trusted }: HashCache): boolean {
  if (ageMs >= settleMs || trusted.has(path)) {
    watched.delete(path)
    return true
  }
  const before = watched.get(path)
  if (before?.fingerprint !== fingerprint) watched.set(path, { fingerprint, since: performance.now() })
  else if (performance.now() - before.since >= settleMs) return true
  return false
}

/** After a plan was made: which file each path is now, and still that of each document that is missing. */
export function rememberIdentities(
  { identities }: HashCache,
  seen: readonly { path: string; identity?: string | undefined }[],
  known: ReadonlySet<string>,
) {
  const lies = new Set(seen.map(({ path }) => path))
  for (const path of identities.keys()) if (lies.has(path) || !known.has(path)) identities.delete(path)
  for (const { path, identity } of seen) if (identity !== undefined) identities.set(path, identity)
}

/** After a scan: what is no longer there is forgotten, and the ledger has served its turn. */
export function forgetVanished({ hashes, watched, trusted, ledger }: HashCache, live: ReadonlySet<string>): void {
  for (const path of hashes.keys()) if (!live.has(path)) hashes.delete(path)
  for (const path of watched.keys()) if (!live.has(path)) watched.delete(path)
  trusted.clear()
  ledger.clear()
}
