import { once } from 'node:events'
import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A way to an HTTP service: what is asked is told in `seen` (method and path), and `hang` lets a kind of request wait without end. */
export async function openHangingDoor(to: string, scope: AsyncDisposableStack) {
  const target = new URL(to)
  const door = { url: '', seen: [] as string[], hang: (_path: string) => false }
  const server = createServer((req, res) => {
    door.seen.push(`${req.method} ${req.url}`)
    if (door.hang(req.url!)) return
    const onward = request(
      { host: target.hostname, port: target.port, method: req.method, path: req.url, headers: req.headers },
      (answer) => {
        res.writeHead(answer.statusCode!, answer.headers)
        answer.pipe(res)
      },
    )
    onward.on('error', () => res.destroy())
    req.pipe(onward)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  scope.defer(() => {
    server.close()
    server.closeAllConnections()
  })
  door.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return door
}
