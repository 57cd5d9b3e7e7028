import { once } from 'node:events'

const DRAIN_MS = 25_000 // compose gives 30 s before SIGKILL

/** A process: runs `start`, waits for SIGTERM or SIGINT, closes what was opened in reverse order. */
export async function runMain(start: (scope: AsyncDisposableStack, stop: AbortSignal) => Promise<unknown>): Promise<void> {
  const stop = new AbortController()
  for (const name of ['SIGTERM', 'SIGINT'] as const) process.once(name, () => stop.abort(name))
  try {
    await using scope = new AsyncDisposableStack()
    await start(scope, stop.signal)
    if (!stop.signal.aborted) await once(stop.signal, 'abort')
    setTimeout(() => process.exit(2), DRAIN_MS).unref()
  } catch (error) {
    console.error(error instanceof Error && error.name === 'ConfigError' ? error.message : error)
    process.exitCode = 1
  }
}
