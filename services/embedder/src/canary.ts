/** Remembers the outcome of `probe`, so that frequent health checks cost little; callers at the same time share one run. */
export function createCanary<T>(
  probe: (signal: AbortSignal) => Promise<T>,
  { goodMs, badMs, now = performance.now.bind(performance) }: { goodMs: number; badMs: number; now?: () => number },
): (signal: AbortSignal) => Promise<T> {
  let last: { until: number; outcome: Promise<T> } | undefined
  return (signal) => {
    if (last && now() < last.until) return last.outcome
    const outcome = probe(signal)
    const entry = { until: Number.POSITIVE_INFINITY, outcome }
    last = entry
    outcome.then(
      () => {
        entry.until = now() + goodMs
      },
      () => {
        entry.until = now() + badMs
      },
    )
    return outcome
  }
}
