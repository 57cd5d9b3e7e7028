import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const cache = fileURLToPath(new URL('../../../../.docent/programs/', import.meta.url))

function works(command: string, args: string[]): boolean {
  return spawnSync(command, args, { stdio: 'ignore' }).status === 0
}

/** Unpacks a package of the distribution, as any user and without installing it; returns its folder. */
function unpacked(name: string): string {
  const folder = join(cache, name)
  const debs = join(cache, 'debs', name)
  if (existsSync(folder)) return folder
  mkdirSync(debs, { recursive: true })
  try {
    execFileSync('apt-get', ['download', name], { cwd: debs, stdio: 'pipe' })
  } catch {
    execFileSync('apt-get', ['update', '-qq'], { stdio: 'pipe' }) // a machine whose package lists are empty
    execFileSync('apt-get', ['download', name], { cwd: debs, stdio: 'pipe' })
  }
  const deb = readdirSync(debs).find((file) => file.endsWith('.deb'))
  if (!deb) throw new Error(`apt-get fetched no package ${name}`)
  execFileSync('dpkg', ['-x', join(debs, deb), folder])
  return folder
}

/** `docker compose`, or the standalone program; both only render here, so no engine is needed. */
export function composeCommand(): string[] {
  if (works('docker', ['compose', 'version'])) return ['docker', 'compose']
  if (works('docker-compose', ['version'])) return ['docker-compose']
  const found = ['usr/bin/docker-compose', 'usr/libexec/docker/cli-plugins/docker-compose']
    .map((path) => join(unpacked('docker-compose'), path))
    .find((path) => works(path, ['version']))
  if (found) return [found]
  throw new Error('Docker Compose v2 is missing: install docker-compose-plugin, or docker-compose of Debian 13')
}

/** nginx from PATH, else from the distribution's package (built with its paths, but told all of ours). */
export function nginxCommand(): string {
  if (works('nginx', ['-v'])) return 'nginx'
  const path = join(unpacked('nginx'), 'usr/sbin/nginx')
  if (existsSync(path)) return path
  throw new Error('nginx is missing: apt-get install nginx')
}

export function promtoolCommand(): string {
  if (works('promtool', ['--version'])) return 'promtool'
  const path = join(unpacked('prometheus'), 'usr/bin/promtool')
  if (existsSync(path)) return path
  throw new Error('promtool is missing: apt-get install prometheus')
}
