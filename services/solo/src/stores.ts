import { resolve } from 'node:path'
import { startChroma } from './stores/chroma.ts'
import { endLeftovers, lockDataDir, makeDataDir } from './stores/data-dir.ts'
import { startPostgres } from './stores/postgres.ts'
import { findRedis, startRedis } from './stores/redis.ts'

export type Stores = { databaseUrl: string; queueUrl: string; cacheUrl: string; chromaUrl: string }

export type StoresOptions = {
  dataDir: string
  /** Progress, one line at a time. */
  log: (line: string) => void
  /** Owns the servers: when it is disposed of, all of them have ended. */
  scope: AsyncDisposableStack
  /** The data folder is ours from now on. */
  onLock?: () => void
  /** Servers that already run; a store named here is not started. */
  given?: { [Name in keyof Stores]?: string | undefined }
}

/** Opens the four stores, private ones on loopback where none is given. Throws when another process has the data folder. */
export async function openStores({ dataDir: path, log, scope, onLock, given = givenStores(process.env) }: StoresOptions): Promise<Stores> {
  const dataDir = resolve(path)
  makeDataDir(dataDir)
  scope.use(lockDataDir(dataDir))
  onLock?.()
  await endLeftovers(dataDir, log)

  const context = { dataDir, log, scope }
  const redis = given.queueUrl && given.cacheUrl ? undefined : findRedis(log)
  const started = await Promise.allSettled([
    given.databaseUrl || startPostgres(context),
    given.queueUrl || redis!.then((program) => startRedis('queue', program, context)),
    given.cacheUrl || redis!.then((program) => startRedis('cache', program, context)),
    given.chromaUrl || startChroma(context),
  ])
  // Settled first, thrown after: a store still starting when the scope closes would be left behind.
  const [databaseUrl, queueUrl, cacheUrl, chromaUrl] = started.map((result) => {
    if (result.status === 'rejected') throw result.reason
    return result.value
  }) as [string, string, string, string]
  return { databaseUrl, queueUrl, cacheUrl, chromaUrl }
}

/** The stores that the environment names. */
export function givenStores(env: NodeJS.ProcessEnv, prefix = ''): NonNullable<StoresOptions['given']> {
  return {
    databaseUrl: env[`${prefix}DATABASE_URL`],
    queueUrl: env[`${prefix}QUEUE_URL`],
    cacheUrl: env[`${prefix}CACHE_URL`],
    chromaUrl: env[`${prefix}CHROMA_URL`],
  }
}
