import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from '@docent/kit/free-port'
import { findRedis } from '@docent/solo/stores/redis'
import { Redis } from 'ioredis'
import { until } from './until.ts'

export type OwnRedis = {
  url: string
  /** a connection of the test's own; use it only while the server is up */
  client: Redis
  /** SIGKILL; resolves when the process is gone */
  kill(): Promise<void>
  /** on the same port, with what its append-only file holds */
  start(): Promise<void>
  signal(name: 'SIGSTOP' | 'SIGCONT'): void
}

const setpriv = '/usr/bin/setpriv'

/** A Redis that a test may kill, freeze and start again; it does not outlive the test. */
export async function openOwnRedis(scope: AsyncDisposableStack): Promise<OwnRedis> {
  const program = await findRedis(() => undefined)
  const dir = mkdtempSync(join(tmpdir(), 'docent-redis-'))
  scope.defer(() => rmSync(dir, { recursive: true, force: true }))
  const port = await freePort()
  const client = new Redis({ port, lazyConnect: true, retryStrategy: () => 100, maxRetriesPerRequest: null })
  client.on('error', () => undefined) // refused while the server is down, which is what the test wants
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--dir', dir, '--save', '', '--appendonly', 'yes']
  let child: ChildProcess | undefined

  const redis: OwnRedis = {
    url: `redis://127.0.0.1:${port}/0`,
    client,
    async kill() {
      const dying = child
      if (!dying || dying.exitCode !== null || dying.signalCode !== null) return
      const gone = once(dying, 'exit')
      dying.kill('SIGKILL')
      await gone
    },
    async start() {
      const [command, rest] = existsSync(setpriv) ? [setpriv, ['--pdeathsig', 'KILL', program.command, ...args]] : [program.command, args]
      child = spawn(command, rest, { stdio: 'ignore', env: { ...process.env, ...program.env } })
      await until('redis answers', async () => (await client.ping()) === 'PONG')
    },
    signal: (name) => void child?.kill(name),
  }
  scope.defer(async () => {
    client.disconnect()
    child?.kill('SIGCONT')
    await redis.kill()
  })
  await redis.start()
  return redis
}
