import { within } from '@docent/core/within'

/** Keeps a dependency that failed from costing every question its time limit; a probe in the background lets it back in. */
export type Breaker = Disposable & {
  readonly open: boolean
  /** the failure that opened it */
  readonly cause: unknown
  run<T>(work: (signal: AbortSignal) => Promise<T>, caller: AbortSignal): Promise<T>
}

export type BreakerOptions = {
  limitMs: number
  firstRetryMs?: number
  lastRetryMs?: number
  probe: (signal: AbortSignal) => Promise<unknown>
  onOpen: (error: unknown) => void
  onClose: () => void
}

export class BreakerOpen extends Error {
  override readonly name = 'BreakerOpen'
}

export function createBreaker({ limitMs, firstRetryMs = 500, lastRetryMs = 5_000, probe, onOpen, onClose }: BreakerOptions): Breaker {
  let cause: unknown
  let open = false
  let retryMs = firstRetryMs
  let timer: NodeJS.Timeout | undefined
  let disposed = false

  function trip(error: unknown): void {
    if (open || disposed) return
    open = true
    cause = error
    retryMs = firstRetryMs
    onOpen(error)
    schedule()
  }

  function schedule(): void {
    timer = setTimeout(() => {
      within(limitMs, undefined, probe).then(close, (error: unknown) => {
        cause = error
        retryMs = Math.min(retryMs * 2, lastRetryMs)
        if (!disposed) schedule()
      })
    }, retryMs)
    timer.unref()
  }

  function close(): void {
    if (disposed) return
    open = false
    cause = undefined
    onClose()
  }

  return {
    get open() {
      return open
    },
    get cause() {
      return cause
    },
    async run(work, caller) {
      if (open) throw new BreakerOpen('left out: it failed a moment ago', { cause })
      try {
        return await within(limitMs, caller, work)
      } catch (error) {
        if (!caller.aborted) trip(error)
        throw error
      }
    },
    [Symbol.dispose]() {
      disposed = true
      clearTimeout(timer)
    },
  }
}
