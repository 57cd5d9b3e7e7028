import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const execute = promisify(execFile)
const quiet = { env: { ...process.env, LC_ALL: 'C', DEBIAN_FRONTEND: 'noninteractive' }, maxBuffer: 64 * 1024 * 1024 }

/** Runs one of the distribution's tools; its failure is one line: the tool and the last thing it said. */
async function run(tool: string, args: string[], options: typeof quiet & { cwd?: string }): Promise<{ stdout: string }> {
  try {
    return await execute(tool, args, options)
  } catch (cause) {
    const { code, stderr = '' } = cause as { code?: string | number; stderr?: string }
    if (code === 'ENOENT') throw new Error(`${tool} is missing`, { cause })
    throw new Error(
      `${tool} failed: ${
        stderr
          .trim()
          .split('\n')
          .findLast((line) => /^E:/.test(line)) ?? `code ${code}`
      }`,
      { cause },
    )
  }
}

/** A folder of unpacked distribution packages, shared by every clone of one user; made once by `fill`. */
export async function cachedFolder(name: string, fill: (folder: string) => Promise<void>): Promise<string> {
  const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'docent')
  const folder = join(cache, name)
  if (existsSync(folder)) return folder
  mkdirSync(cache, { recursive: true })
  const draft = mkdtempSync(`${folder}.`)
  try {
    await fill(draft)
    renameSync(draft, folder)
  } catch (error) {
    rmSync(draft, { recursive: true, force: true })
    // Another start was faster: its folder is as good as ours.
    if (!existsSync(folder)) throw error
  }
  return folder
}

/** The distribution's release, as `ID` and `VERSION_CODENAME` of os-release. */
export function distribution(): { id: string; codename: string; isUbuntu: boolean } {
  const text = existsSync('/etc/os-release') ? readFileSync('/etc/os-release', 'utf8') : ''
  const field = (name: string) => new RegExp(`^${name}="?([^"\n]*)`, 'm').exec(text)?.[1] ?? ''
  return {
    id: field('ID'),
    codename: field('VERSION_CODENAME') || field('VERSION_ID'),
    isUbuntu: field('ID') === 'ubuntu' || field('ID_LIKE').split(' ').includes('ubuntu'),
  }
}

/** Unpacks a package and the libraries the system lacks for it into a folder: nothing is installed, no root needed. */
export async function unpackWithDependencies(name: string, folder: string): Promise<void> {
  const work = mkdtempSync(`${folder}.apt-`)
  try {
    try {
      await unpack([], await missingFor([], name), work, folder)
    } catch {
      // The system's package lists are empty or out of date: read current ones into a place of our own.
      const own = privateApt(work)
      await run('apt-get', [...own, '-qq', 'update'], quiet)
      await unpack(own, await missingFor(own, name), work, folder)
    }
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

/** Unpacks packages of another release of the same distribution, from the mirror that the system itself uses. */
export async function unpackFromRelease(release: { suite: string; keyring: string }, names: string[], folder: string): Promise<void> {
  const work = mkdtempSync(`${folder}.apt-`)
  try {
    const sources = join(work, 'sources.list')
    let mirror = await findMirror([])
    if (!mirror) {
      const own = privateApt(work)
      await run('apt-get', [...own, '-qq', 'update'], quiet)
      mirror = await findMirror(own)
    }
    if (!mirror) throw new Error('apt names no mirror for libc6')
    writeFileSync(sources, `deb [signed-by=${release.keyring}] ${mirror} ${release.suite} main\n`)
    const own = [...privateApt(join(work, 'other')), '-o', `Dir::Etc::sourcelist=${sources}`, '-o', 'Dir::Etc::sourceparts=-']
    await run('apt-get', [...own, '-qq', 'update'], quiet)
    const pinned = names.map((name) => `${name}/${release.suite}`)
    await unpack(own, pinned, work, folder)
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

async function missingFor(own: string[], name: string): Promise<string[]> {
  const { stdout } = await run('apt-get', [...own, '-s', 'install', '--no-install-recommends', name], quiet)
  const names = [...stdout.matchAll(/^Inst (\S+)/gm)].map((match) => match[1]!)
  if (!names.includes(name)) throw new Error(`apt does not offer ${name}`)
  return names
}

async function findMirror(own: string[]): Promise<string | undefined> {
  const { stdout } = await run('apt-cache', [...own, 'policy', 'libc6'], quiet)
  // The release's own line and not …-security or …-updates, which other releases may keep elsewhere.
  return /^\s+\d+ (\S+:\/\/\S+) [a-z]+\/main /m.exec(stdout)?.[1]
}

async function unpack(own: string[], names: string[], work: string, folder: string): Promise<void> {
  const debs = join(work, 'debs')
  mkdirSync(debs, { recursive: true })
  await run('apt-get', [...own, '-o', 'APT::Sandbox::User=root', '-qq', 'download', ...names], { ...quiet, cwd: debs })
  for (const deb of readdirSync(debs)) await run('dpkg', ['-x', join(debs, deb), folder], quiet)
}

/** Options that keep apt's lists and caches in our folder; the system's sources, proxies and keys stay in force. */
function privateApt(work: string): string[] {
  for (const folder of ['lists/partial', 'cache/archives/partial']) mkdirSync(join(work, folder), { recursive: true })
  const options = {
    'Dir::State::lists': join(work, 'lists'),
    'Dir::Cache': join(work, 'cache'),
    'APT::Sandbox::User': 'root',
    'Acquire::Languages': 'none',
  }
  return Object.entries(options).flatMap(([name, value]) => ['-o', `${name}=${value}`])
}
