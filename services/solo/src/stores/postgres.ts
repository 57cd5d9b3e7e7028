import { execFile } from 'node:child_process'
import { chownSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { Client } from 'pg'
import { type StoreContext, startChild } from './child.ts'
import { keepSecret } from './data-dir.ts'
import { findPrograms, findServerUser, reachableFolder } from './postgres-user.ts'
import { endProcess, markProcess, readProc } from './processes.ts'

const run = promisify(execFile)
const user = 'docent'

// No socket file: its path would have to be short, and every client here speaks TCP.
const settings = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  shared_buffers: '64MB',
  max_connections: '100',
  timezone: 'UTC',
}

/** Starts a private Postgres and returns the URL of its database `docent` (the user may create others). */
export async function startPostgres(context: StoreContext): Promise<string> {
  const serverUser = await findServerUser()
  const folder = reachableFolder(context.dataDir, serverUser, context.log)
  const programs = findPrograms(serverUser)
  const data = join(folder, 'data')
  const password = keepSecret(context.dataDir, 'postgres')
  const url = (port: number, database: string) => `postgresql://${user}:${password}@127.0.0.1:${port}/${database}`

  if (!existsSync(data)) {
    context.log('creating the database cluster (once)')
    await createCluster({ folder, data, initdb: join(programs, 'initdb'), password, serverUser })
  }
  await clearStalePid(data)
  const port = await startChild(
    {
      name: 'postgres',
      command: join(programs, 'postgres'),
      args: (port) => ['-D', data, '-p', String(port), ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])],
      probe: (port) => withClient(url(port, 'postgres'), (client) => client.query('select 1')),
      // SIGINT is Postgres' fast shutdown: clients are cut, nothing is lost.
      stopSignal: 'SIGINT',
      cwd: folder,
      user: serverUser,
    },
    context,
  )
  await withClient(url(port, 'postgres'), async (client) => {
    const { rowCount } = await client.query('select 1 from pg_database where datname = $1', [user])
    if (!rowCount) await client.query(`create database ${user}`)
  })
  return url(port, user)
}

type Cluster = { folder: string; data: string; initdb: string; password: string; serverUser: { uid: number; gid: number } | undefined }

async function createCluster({ folder, data, initdb, password, serverUser }: Cluster): Promise<void> {
  const draft = `${data}.new`
  const passwordFile = join(folder, 'password.new')
  rmSync(draft, { recursive: true, force: true })
  mkdirSync(draft, { mode: 0o700 })
  writeFileSync(passwordFile, password, { mode: 0o600 })
  if (serverUser) for (const path of [draft, passwordFile]) chownSync(path, serverUser.uid, serverUser.gid)
  try {
    const locale = ['--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--encoding=UTF8']
    const args = [`--pgdata=${draft}`, `--username=${user}`, `--pwfile=${passwordFile}`, '--auth=scram-sha-256', ...locale]
    await run(initdb, args, { cwd: folder, env: { ...process.env, LC_ALL: 'C' }, ...serverUser })
    // Renamed when complete: an initdb cut short leaves nothing that looks like a cluster.
    renameSync(draft, data)
  } finally {
    rmSync(passwordFile, { force: true })
  }
}

/** A killed server leaves postmaster.pid; Postgres refuses to start when that pid now belongs to anything of the same user. */
async function clearStalePid(data: string): Promise<void> {
  const path = join(data, 'postmaster.pid')
  if (!existsSync(path)) return
  const pid = Number(readFileSync(path, 'utf8').split('\n')[0])
  const mark = markProcess(pid)
  if (mark && readProc(pid, 'cmdline')?.split('\0').includes(data)) await endProcess(mark, 'SIGINT', 15_000)
  rmSync(path, { force: true })
  // The backends of a killed server notice within moments and hold its shared memory until then.
  await sleep(100)
}

async function withClient(url: string, use: (client: Client) => Promise<unknown>): Promise<void> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 2_000 })
  // An error after the connection stands also rejects the query; unheard, the event would end the process.
  client.on('error', () => undefined)
  try {
    await client.connect()
    await use(client)
  } finally {
    await client.end()
  }
}
