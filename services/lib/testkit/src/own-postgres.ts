import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openStores } from '@docent/solo/stores'

export type OwnPostgres = {
  /** where its data lies */
  dataDir: string
  /** its user may create databases */
  url: string
  /** to the server and all its backends; after SIGKILL it is started again by itself a second later */
  signal(name: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT'): void
  /** a fast restart: clients are cut, nothing is lost, it is back a second later */
  restart(): void
}

/** A Postgres that a test may kill or freeze; its data lies in a folder of its own, or below `place`. */
export async function openOwnPostgres(scope: AsyncDisposableStack, place = tmpdir()): Promise<OwnPostgres> {
  const dataDir = mkdtempSync(join(place, 'docent-pg-'))
  chmodSync(dataDir, 0o711) // Postgres' own user must get through when the run is root's
  scope.defer(() => rmSync(dataDir, { recursive: true, force: true }))
  return startOwnPostgres(scope, dataDir)
}

/** The same over a folder that is there, and stays. */
export async function startOwnPostgres(scope: AsyncDisposableStack, dataDir: string): Promise<OwnPostgres> {
  const given = { queueUrl: 'none', cacheUrl: 'none', chromaUrl: 'none' }
  const { databaseUrl } = await openStores({ dataDir, scope, log: () => undefined, given })
  const serverPid = () => (JSON.parse(readFileSync(join(dataDir, 'run', 'postgres.json'), 'utf8')) as { pid: number }).pid
  return {
    url: databaseUrl,
    dataDir,
    restart: () => void process.kill(serverPid(), 'SIGINT'),
    signal(name) {
      const pid = serverPid()
      // backends lead sessions of their own, so the group of the server does not hold them
      const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number)
      process.kill(pid, name)
      for (const child of children) {
        try {
          process.kill(child, name)
        } catch (error) {
          // a backend ends when it sees that its server has
          if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
        }
      }
    },
  }
}
