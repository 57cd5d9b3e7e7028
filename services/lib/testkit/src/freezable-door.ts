import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { createInterface } from 'node:readline'

/** A way to a port that can turn silent. */
export type FreezableDoor = {
  port: number
  /** from now on open connections pass nothing on, and the SYN of a new one is dropped, as by a firewall */
  freeze(): Promise<void>
  thaw(): void
}

const BACKLOG = 1
// the kernel completes one connection more than the backlog holds, and drops what comes after
const FILLERS = 4
const program = `
const net = require('node:net')
const [port, host] = process.argv.slice(1)
const server = net.createServer((near) => {
  const far = net.connect(Number(port), host)
  near.pipe(far).pipe(near)
  near.on('error', () => far.destroy()).on('close', () => far.destroy())
  far.on('error', () => near.destroy()).on('close', () => near.destroy())
})
server.listen({ port: 0, host: '127.0.0.1', backlog: ${BACKLOG} }, () => console.log(server.address().port))
process.stdin.on('end', () => process.exit()).resume()
`

/** A relay in a process of its own, which SIGSTOP turns into a host that is there and says nothing; it does not outlive the test. */
export async function openFreezableDoor(port: number, host: string, scope: AsyncDisposableStack): Promise<FreezableDoor> {
  const child = spawn(process.execPath, ['-e', program, String(port), host], { stdio: ['pipe', 'pipe', 'inherit'] })
  const exited = once(child, 'exit')
  let fillers: Socket[] = []
  scope.defer(async () => {
    for (const filler of fillers) filler.destroy()
    child.kill('SIGKILL')
    await exited
  })
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string]
  const door = { port: Number(line), host: '127.0.0.1' }
  return {
    port: door.port,
    async freeze() {
      child.kill('SIGSTOP')
      fillers = Array.from({ length: FILLERS }, () => connect(door).on('error', () => undefined))
      await Promise.all(fillers.slice(0, BACKLOG + 1).map((filler) => (filler.connecting ? once(filler, 'connect') : undefined)))
    },
    thaw() {
      for (const filler of fillers) filler.destroy()
      fillers = []
      child.kill('SIGCONT')
    },
  }
}
