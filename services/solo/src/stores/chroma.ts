import { existsSync, mkdirSync, readdirSync, realpathSync, renameSync, rmSync, symlinkSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { type StoreContext, startChild } from './child.ts'
import { cachedFolder, distribution, unpackFromRelease } from './packages.ts'

/** What the npm build of Chroma's server is linked against. */
const neededGlibc = [2, 39] as const

/** Starts a private Chroma and returns its URL. An index that it cannot read is put aside: ingest makes it again from Postgres' vectors. */
export async function startChroma(context: StoreContext): Promise<string> {
  const folder = join(context.dataDir, 'chroma')
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  // Through require, which vitest knows as well (it has no import.meta.resolve): it finds dist/cjs/chromadb.cjs.
  const cli = join(dirname(createRequire(import.meta.url).resolve('chromadb')), '..', 'cli.mjs')
  const [command, ...before] = await findNode(context.log)
  const port = await startChild(
    {
      name: 'chroma',
      command,
      args: (port) => [...before, cli, 'run', '--path', folder, '--host', '127.0.0.1', '--port', String(port)],
      probe: heartbeat,
      // The npm server ignores SIGTERM and SIGINT.
      stopSignal: 'SIGKILL',
      cwd: folder,
      // a line or ten for each request otherwise: 25 MB a day of an idle server
      env: { ANONYMIZED_TELEMETRY: 'False', RUST_LOG: 'warn' },
      putAside: unreadable(folder, context.log),
    },
    context,
  )
  return `http://127.0.0.1:${port}`
}

function unreadable(folder: string, log: (line: string) => void): () => boolean {
  return () => {
    if (readdirSync(folder).length === 0) return false
    const aside = `${folder}-unreadable`
    rmSync(aside, { recursive: true, force: true })
    renameSync(folder, aside)
    mkdirSync(folder, { mode: 0o700 })
    log(`chroma ends on its own index, so it begins an empty one, which is filled from the database; the old one lies in ${aside}`)
    return true
  }
}

async function heartbeat(port: number): Promise<void> {
  const response = await fetch(`http://127.0.0.1:${port}/api/v2/heartbeat`, { signal: AbortSignal.timeout(2_000) })
  await response.arrayBuffer()
  if (!response.ok) throw new Error(`heartbeat: ${response.status}`)
}

/** Node itself, or, where the system's C library is too old for the server, Node under a newer one unpacked beside it. */
async function findNode(log: (line: string) => void): Promise<[string, ...string[]]> {
  const node = realpathSync(process.execPath)
  const found = glibcVersion()
  if (!found || !isOlder(found)) return [node]
  if (!existsSync('/usr/bin/apt-get')) {
    throw new Error(
      `Chroma's server needs glibc ${neededGlibc.join('.')} and this system has ${found.join('.')}: set CHROMA_URL to a server that runs.`,
    )
  }
  const release = distribution().isUbuntu
    ? { suite: 'noble', keyring: '/usr/share/keyrings/ubuntu-archive-keyring.gpg' }
    : { suite: 'trixie', keyring: '/usr/share/keyrings/debian-archive-keyring.gpg' }
  const folder = await cachedFolder(`glibc-${release.suite}-${process.arch}`, async (draft) => {
    log(`fetching the C library of ${release.suite} for Chroma (unpacked, not installed; once)`)
    await unpackFromRelease(release, ['libc6', 'libgcc-s1', 'libstdc++6'], draft).catch((cause: Error) => {
      const why = `Chroma's server needs glibc ${neededGlibc.join('.')} and this system has ${found.join('.')}; a newer one could not be fetched`
      throw new Error(`${why} (${cause.message}). It takes the network, apt-get, dpkg and gpgv; or set CHROMA_URL to a server that runs.`, {
        cause,
      })
    })
    flatten(draft)
  })
  return [join(folder, 'flat', loaderName()), '--library-path', join(folder, 'flat'), node]
}

/** One folder with a link to each library, wherever the release keeps them (/lib or /usr/lib). */
function flatten(folder: string): void {
  mkdirSync(join(folder, 'flat'))
  for (const lib of [
    'usr/lib64',
    'lib64',
    'usr/lib/x86_64-linux-gnu',
    'lib/x86_64-linux-gnu',
    'usr/lib/aarch64-linux-gnu',
    'lib/aarch64-linux-gnu',
  ]) {
    if (!existsSync(join(folder, lib))) continue
    for (const file of readdirSync(join(folder, lib))) {
      const link = join(folder, 'flat', file)
      // Relative, because the folder is renamed when it is complete.
      if (/\.so(\.|$)/.test(file) && !existsSync(link)) symlinkSync(join('..', lib, file), link)
    }
  }
}

function loaderName(): string {
  return process.arch === 'arm64' ? 'ld-linux-aarch64.so.1' : 'ld-linux-x86-64.so.2'
}

function glibcVersion(): number[] | undefined {
  // Otherwise the report looks up the names of open connections, which can take seconds.
  Object.assign(process.report, { excludeNetwork: true })
  const report = process.report.getReport() as { header?: { glibcVersionRuntime?: string } }
  return report.header?.glibcVersionRuntime?.split('.').map(Number)
}

function isOlder([major = 0, minor = 0]: number[]): boolean {
  return major < neededGlibc[0] || (major === neededGlibc[0] && minor < neededGlibc[1])
}
