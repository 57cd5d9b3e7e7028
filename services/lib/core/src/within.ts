/** What `within` ends work with that took too long. */
export class Late extends Error {
  override readonly name = 'Late'
}

/**
 * Work that ends after `limitMs` with `Late`, or with the caller's reason when the caller leaves, even when it does not heed its signal.
 * AbortSignal.timeout and AbortSignal.any would leave a timer that still fires seconds later, for each of several steps of each search.
 */
export async function within<T>(limitMs: number, caller: AbortSignal | undefined, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  caller?.throwIfAborted()
  const { promise: ended, reject } = Promise.withResolvers<never>()
  const own = new AbortController()
  const end = (reason: unknown) => {
    own.abort(reason)
    reject(reason)
  }
  const leave = () => end(caller!.reason)
  const timer = setTimeout(() => end(new Late(`no answer in ${limitMs} ms`)), limitMs)
  caller?.addEventListener('abort', leave, { once: true })
  try {
    return await Promise.race([work(own.signal), ended])
  } finally {
    clearTimeout(timer)
    caller?.removeEventListener('abort', leave)
  }
}
