export type Fresh<T> = { get(): Promise<T>; forget(): void }

/**
 * What is read from the database at most every `freshMs`. Callers at the same time share a read; what is in use is read again
 * before it is too old, so that nobody waits for it. `forget` after a write: a read that began before is not kept.
 */
export function createFresh<T>(read: () => Promise<T>, freshMs: number): Fresh<T> {
  let kept: { at: number; value: T } | undefined
  let reading: Promise<T> | undefined

  function readOnce(): Promise<T> {
    if (reading) return reading
    const at = performance.now()
    const mine = read().then((value) => {
      if (reading === mine) kept = { at, value }
      return value
    })
    const done = () => {
      if (reading === mine) reading = undefined
    }
    mine.then(done, done)
    reading = mine
    return mine
  }

  return {
    async get() {
      const age = kept ? performance.now() - kept.at : Number.POSITIVE_INFINITY
      if (!kept || age >= freshMs) return readOnce()
      // whoever comes when it is too old hears of a failure
      if (age >= freshMs / 2) readOnce().catch(() => undefined)
      return kept.value
    },
    forget() {
      kept = reading = undefined
    },
  }
}
