/** now: asked for by hand. new: a few files that came. bulk: many at once. again: indexed already, only the settings changed. */
export type Urgency = 'now' | 'new' | 'bulk' | 'again'

const base: Record<Urgency, number> = { now: 1, new: 20, bulk: 40, again: 60 }
const FEW = 20

/** BullMQ takes the lower number first: small and new before bulk, and among equals the smaller file. */
export function priorityOf(urgency: Urgency, sizeBytes: number): number {
  const sizeClass = Math.floor(Math.log2(Math.max(1, sizeBytes / 4096)) / 2) // 4 KB, 16 KB, 64 KB, …
  return base[urgency] + Math.min(Math.max(sizeClass, 0), 12)
}

export function urgencyOf(count: number): Urgency {
  return count <= FEW ? 'new' : 'bulk'
}
