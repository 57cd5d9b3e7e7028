export type Lane = ReturnType<typeof createLane>

/** Many at once, or one alone: who wants to be alone waits for those inside, and those who come later wait for him. */
export function createLane() {
  const waiting = new Set<() => void>()
  let inside = 0
  let isAlone = false
  let wantAlone = 0

  const mayEnter = (alone: boolean) => !isAlone && (alone ? inside === 0 : wantAlone === 0)

  function moved(): void {
    for (const wake of [...waiting]) wake()
  }

  async function untilMoved(signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    waiting.add(resolve)
    signal.addEventListener('abort', () => resolve(), { once: true })
    await promise
    waiting.delete(resolve)
  }

  return {
    /** Resolves when it is one's turn, which ends with the returned disposable. Rejects with the signal's reason. */
    async enter(alone: boolean, signal: AbortSignal): Promise<Disposable> {
      if (alone) wantAlone++
      try {
        while (!mayEnter(alone)) {
          signal.throwIfAborted()
          await untilMoved(signal)
        }
        signal.throwIfAborted()
        inside++
        isAlone = alone
      } finally {
        if (alone) wantAlone--
        moved()
      }
      return {
        [Symbol.dispose]: () => {
          inside--
          isAlone = false
          moved()
        },
      }
    },
  }
}
