/** First come, first served within an owner; owners take turns, so a small request does not wait for a large one. */
export type FairQueue<T> = {
  readonly size: number
  add(owner: object, entry: T): void
  /** puts an entry before all others */
  addFirst(entry: T): void
  take(): T | undefined
  /** forgets what an owner still has waiting */
  drop(owner: object): void
  clear(): T[]
}

export function createFairQueue<T>(): FairQueue<T> {
  const first: T[] = []
  const lines = new Map<object, T[]>()
  let size = 0

  function take(): T | undefined {
    if (size === 0) return undefined
    size--
    if (first.length > 0) return first.shift()
    const [owner, line] = lines.entries().next().value!
    lines.delete(owner)
    const entry = line.shift()
    if (line.length > 0) lines.set(owner, line) // a Map keeps order of insertion: the owner goes to the end
    return entry
  }

  return {
    get size() {
      return size
    },
    add(owner, entry) {
      const line = lines.get(owner)
      if (line) line.push(entry)
      else lines.set(owner, [entry])
      size++
    },
    addFirst(entry) {
      first.unshift(entry)
      size++
    },
    take,
    drop(owner) {
      size -= lines.get(owner)?.length ?? 0
      lines.delete(owner)
    },
    clear() {
      const all: T[] = []
      for (let entry = take(); entry !== undefined; entry = take()) all.push(entry)
      return all
    },
  }
}
