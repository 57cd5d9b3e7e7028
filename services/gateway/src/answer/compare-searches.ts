export type Listed = { chunkId: string; path: string }
export type Comparison = {
  /** places that were compared: the longer of the two lists */
  k: number
  /** share of these that hold the same passages, in whatever order */
  overlap: number
  isSameFirst: boolean
  /** mean of how many places a passage that both hold has moved */
  meanMove: number
  moved: (Listed & { from: number; to: number })[]
  gone: (Listed & { from: number })[]
  new: (Listed & { to: number })[]
}

/** What another configuration would have shown instead; two empty lists are the same. */
export function compareSearches(served: readonly Listed[], other: readonly Listed[]): Comparison {
  const placeIn = (list: readonly Listed[]) => new Map(list.map(({ chunkId }, i) => [chunkId, i + 1]))
  const [before, after] = [placeIn(served), placeIn(other)]
  const both = served.filter(({ chunkId }) => after.has(chunkId))
  const moves = both.map(({ chunkId, path }) => ({ chunkId, path, from: before.get(chunkId)!, to: after.get(chunkId)! }))
  const k = Math.max(served.length, other.length)
  const way = moves.reduce((sum, { from, to }) => sum + Math.abs(to - from), 0)
  return {
    k,
    overlap: k === 0 ? 1 : both.length / k,
    isSameFirst: served[0]?.chunkId === other[0]?.chunkId,
    meanMove: moves.length === 0 ? 0 : way / moves.length,
    moved: moves.filter(({ from, to }) => from !== to),
    gone: served.flatMap(({ chunkId, path }, i) => (after.has(chunkId) ? [] : [{ chunkId, path, from: i + 1 }])),
    new: other.flatMap(({ chunkId, path }, i) => (before.has(chunkId) ? [] : [{ chunkId, path, to: i + 1 }])),
  }
}
