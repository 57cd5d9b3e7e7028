import { accessSync, constants, existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { Redis } from 'ioredis'
import { type StoreContext, startChild } from './child.ts'
import { keepSecret } from './data-dir.ts'
import { cachedFolder, distribution, unpackWithDependencies } from './packages.ts'

type Program = { command: string; env?: Record<string, string> }

const purposes = {
  // noeviction: a queue that forgets jobs under pressure is worse than one that refuses them.
  queue: ['maxmemory-policy noeviction', 'appendonly yes', 'appendfsync everysec'],
  cache: ['maxmemory 48mb', 'maxmemory-policy allkeys-lru', 'appendonly no'],
}

/** Starts a private Redis and returns its URL. */
export async function startRedis(purpose: keyof typeof purposes, program: Program, context: StoreContext): Promise<string> {
  const folder = join(context.dataDir, purpose)
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const password = keepSecret(context.dataDir, purpose)
  const config = join(context.dataDir, 'run', `${purpose}.conf`)
  // The password stands in a file and not among the arguments, which every user of the machine can read.
  const common = [`dir ${JSON.stringify(folder)}`, 'bind 127.0.0.1', 'save ""', `requirepass ${password}`, ...purposes[purpose]]
  writeFileSync(config, `${common.join('\n')}\n`, { mode: 0o600 })

  const url = (port: number) => `redis://:${password}@127.0.0.1:${port}/0`
  const port = await startChild(
    {
      name: purpose,
      ...program,
      args: (port) => [config, '--port', String(port)],
      probe: (port) => ping(url(port)),
      stopSignal: 'SIGTERM',
      cwd: folder,
    },
    context,
  )
  return url(port)
}

/** redis-server or valkey-server from PATH; on Debian and Ubuntu else unpacked from the distribution's package. */
export async function findRedis(log: (line: string) => void): Promise<Program> {
  for (const name of ['redis-server', 'valkey-server']) {
    const command = findOnPath(name)
    if (command) return { command }
  }
  if (!existsSync('/usr/bin/apt-get')) {
    throw new Error('redis-server or valkey-server is needed: install one of them, or set QUEUE_URL and CACHE_URL to servers that run.')
  }
  const { id, codename } = distribution()
  const folder = await cachedFolder(`redis-${id}-${codename}-${process.arch}`, async (draft) => {
    log('fetching redis-server from the distribution (unpacked, not installed; once)')
    await unpackWithDependencies('redis-server', draft).catch((cause: Error) => {
      throw new Error(
        `redis-server could not be fetched (${cause.message}): install it, or set QUEUE_URL and CACHE_URL to servers that run`,
        { cause },
      )
    })
  })
  const triplet = process.arch === 'arm64' ? 'aarch64-linux-gnu' : 'x86_64-linux-gnu'
  const libraries = ['usr/lib', 'lib'].map((lib) => join(folder, lib, triplet)).join(delimiter)
  return { command: join(folder, 'usr/bin/redis-server'), env: { LD_LIBRARY_PATH: libraries } }
}

function findOnPath(name: string): string | undefined {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/bin', '/usr/local/bin']
  return folders.map((folder) => join(folder, name)).find(isExecutable)
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

async function ping(url: string): Promise<void> {
  const client = new Redis(url, { lazyConnect: true, retryStrategy: () => null, connectTimeout: 1_000, maxRetriesPerRequest: 0 })
  // Without a listener ioredis prints each refused connection; connect() rejects with the same error.
  client.on('error', () => undefined)
  try {
    await client.connect()
    await client.ping()
  } finally {
    client.disconnect()
  }
}
