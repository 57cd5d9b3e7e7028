import { openProxy } from '../../lib/testkit/src/tcp-proxy.ts'

/** Stands before a server so that a test can cut it off: open connections are reset, new ones refused at once. */
export async function cuttable(target: string): Promise<AsyncDisposable & { url: string; cut(): void; mend(): void }> {
  const url = new URL(target)
  const proxy = await openProxy(Number(url.port), url.hostname)
  url.hostname = '127.0.0.1'
  url.port = String(proxy.port)
  return {
    url: url.href,
    cut() {
      proxy.refuse = true
      proxy.cut()
    },
    mend() {
      proxy.refuse = false
    },
    [Symbol.asyncDispose]: () => proxy[Symbol.asyncDispose](),
  }
}
