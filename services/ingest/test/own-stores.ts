import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from '@docent/kit/free-port'
import { createLogger } from '@docent/kit/logger'
import { openRedis } from '@docent/kit/redis'
import { until } from '../../lib/testkit/src/until.ts'
import { startChroma } from '../../solo/src/stores/chroma.ts'
import { makeDataDir } from '../../solo/src/stores/data-dir.ts'
import { findRedis } from '../../solo/src/stores/redis.ts'

function tempDir(scope: AsyncDisposableStack, prefix: string): string {
  const dir = scope.adopt(mkdtempSync(join(tmpdir(), prefix)), (path) => rmSync(path, { recursive: true, force: true }))
  chmodSync(dir, 0o711)
  return dir
}

export type OwnRedis = { url: string; start(): Promise<void>; kill(): Promise<void>; flushAll(): Promise<void> }

/** A queue Redis that a test may kill: it keeps its data (AOF) and its port. */
export async function startOwnRedis(scope: AsyncDisposableStack, policy = 'noeviction'): Promise<OwnRedis> {
  const program = await findRedis(() => undefined)
  const dir = tempDir(scope, 'own-redis-')
  const port = await freePort()
  const url = `redis://127.0.0.1:${port}/0`
  const flags = { port, bind: '127.0.0.1', dir, appendonly: 'yes', save: '', 'maxmemory-policy': policy }
  let child: ReturnType<typeof spawn> | undefined

  async function ask(command: 'ping' | 'flushall'): Promise<unknown> {
    const redis = openRedis(url, createLogger('test', 'silent'), { enableOfflineQueue: true, retryStrategy: () => null })
    try {
      return await redis.call(command)
    } finally {
      redis.disconnect()
    }
  }
  const own: OwnRedis = {
    url,
    async start() {
      const args = Object.entries(flags).flatMap(([name, value]) => [`--${name}`, String(value)])
      child = spawn(program.command, args, { stdio: 'ignore', env: { ...process.env, ...program.env } })
      await until('redis answers', () =>
        ask('ping').then(
          () => true,
          () => undefined,
        ),
      )
    },
    async kill() {
      if (!child || child.exitCode !== null || child.signalCode !== null) return
      const gone = once(child, 'exit')
      child.kill('SIGKILL')
      await gone
    },
    flushAll: async () => void (await ask('flushall')),
  }
  scope.defer(() => own.kill())
  await own.start()
  return own
}

export type OwnChroma = { url: string; kill(): Promise<void>; back(): Promise<void> }

/** A Chroma that a test may kill; it is started again after a second. */
export async function startOwnChroma(scope: AsyncDisposableStack): Promise<OwnChroma> {
  const dataDir = tempDir(scope, 'own-chroma-')
  makeDataDir(dataDir)
  const url = await startChroma({ dataDir, scope, log: () => undefined })
  const alive = () =>
    fetch(`${url}/api/v2/heartbeat`, { signal: AbortSignal.timeout(1_000) }).then(
      (answer) => answer.ok,
      () => false,
    )
  return {
    url,
    async kill() {
      const { pid } = JSON.parse(readFileSync(join(dataDir, 'run', 'chroma.json'), 'utf8')) as { pid: number }
      process.kill(pid, 'SIGKILL')
      await until('chroma is gone', async () => !(await alive()) || undefined)
    },
    back: async () => void (await until('chroma is back', async () => (await alive()) || undefined)),
  }
}
