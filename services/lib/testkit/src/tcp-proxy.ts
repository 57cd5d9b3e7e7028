import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/** A door whose connections can be cut, refused, or led elsewhere: a network that fails, or a load balancer. */
export type TcpProxy = AsyncDisposable & {
  port: number
  /** where new connections go */
  target: { port: number; host: string }
  refuse: boolean
  cut(): void
}

export async function openProxy(port: number, host = '127.0.0.1'): Promise<TcpProxy> {
  const sockets = new Set<Socket>()
  const server = createServer((near) => {
    if (proxy.refuse) return void near.destroy()
    const far = connect(proxy.target.port, proxy.target.host)
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(one)
      one.pipe(other)
      one.on('error', () => other.destroy())
      one.on('close', () => {
        sockets.delete(one)
        other.destroy()
      })
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const proxy: TcpProxy = {
    port: (server.address() as AddressInfo).port,
    target: { port, host },
    refuse: false,
    cut() {
      for (const socket of sockets) socket.destroy()
    },
    async [Symbol.asyncDispose]() {
      proxy.cut()
      await new Promise((done) => server.close(done))
    },
  }
  return proxy
}
