import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { envOf, type Place } from './harness.ts'

const main = fileURLToPath(new URL('../src/main.ts', import.meta.url))
const setpriv = '/usr/bin/setpriv'

export type GatewayChild = { url: string; port: number; process: ChildProcess; exited: Promise<number | null> }

/** The gateway as it runs in production, in a process of its own that may be killed; it does not outlive the test. */
export async function startChild(place: Place, scope: AsyncDisposableStack, env: Record<string, string> = {}): Promise<GatewayChild> {
  const isDying = existsSync(setpriv)
  const command = isDying ? setpriv : process.execPath
  const args = isDying ? ['--pdeathsig', 'KILL', process.execPath, main] : [main]
  const { PATH, TZ } = process.env
  const child = spawn(command, args, {
    env: {
      ...(PATH ? { PATH } : {}),
      ...(TZ ? { TZ } : {}),
      NODE_COMPILE_CACHE: join(tmpdir(), 'docent-test-compile-cache'), // a child starts in less time
      ...envOf(place, { LOG_LEVEL: 'info', ...env }),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const exited = once(child, 'exit').then(([code]) => code as number | null)
  scope.defer(async () => {
    child.kill('SIGKILL')
    await exited
  })
  let errors = ''
  child.stderr.on('data', (bytes: Buffer) => {
    errors += bytes.toString()
  })
  const port = await new Promise<number>((ready, failed) => {
    createInterface(child.stdout).on('line', (line) => {
      const entry = line.startsWith('{') ? (JSON.parse(line) as { msg?: string; port?: number }) : {}
      if (entry.msg === 'gateway is listening') ready(entry.port!)
    })
    void exited.then((code) => failed(new Error(`the gateway ended with ${code} before it listened: ${errors}`)))
  })
  return { url: `http://127.0.0.1:${port}`, port, process: child, exited }
}
