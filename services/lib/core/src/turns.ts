/**
 * Work that comes first is done first, so much at once: what shares its time evenly is late all together. `mayWait` hears how many wait
 * already, and throws where no more may.
 */
export function createTurns(
  atOnce: number,
  mayWait: (waiting: number) => void = () => undefined,
): <T>(work: () => Promise<T>) => Promise<T> {
  const waiting: (() => void)[] = []
  let free = atOnce
  return async (work) => {
    if (free > 0) free--
    else {
      mayWait(waiting.length)
      await new Promise<void>((go) => waiting.push(go))
    }
    try {
      return await work()
    } finally {
      // a place that is left goes to the next who waits
      const next = waiting.shift()
      if (next) next()
      else free++
    }
  }
}
