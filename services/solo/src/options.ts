import { createHash } from 'node:crypto'
import { basename, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { ConfigError } from '@docent/kit/config'

export type SoloOptions = { folder: string; port: number; host: string; dataDir: string }

const root = fileURLToPath(new URL('../../../', import.meta.url))
const samples = resolve(root, 'documents')

/** `npm start -- [FOLDER] [--port N] [--data DIR] [--host H]`; PORT, DOCENT_FOLDER and DOCENT_DATA do the same. */
export function readOptions(argv: readonly string[], env: Record<string, string | undefined>, cwd: string): SoloOptions {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    strict: false,
    options: { port: { type: 'string' }, data: { type: 'string' }, host: { type: 'string' } },
  })
  const problems: string[] = []
  for (const name of Object.keys(values))
    if (!['port', 'data', 'host'].includes(name)) problems.push(`--${name}: is not an option; there are --port, --data, --host and --help`)
  for (const name of ['port', 'data', 'host'])
    if (values[name] === true || /^(--.*)?$/.test(String(values[name] ?? 'default'))) problems.push(`--${name}: needs a value`)
  if (positionals.length > 1) problems.push('FOLDER: give one folder; quote a name with spaces')
  const port = Number(values.port ?? (env.PORT || 8080))
  if (!Number.isInteger(port) || port < 0 || port > 65_535) problems.push('--port (PORT): a whole number from 0 to 65535')
  if (problems.length > 0) throw new ConfigError(`npm start was not understood:\n  ${problems.join('\n  ')}`)
  const folder = resolve(cwd, expandHome(positionals[0] || env.DOCENT_FOLDER || samples, env))
  return {
    folder,
    port,
    host: String(values.host ?? (env.DOCENT_HOST || '127.0.0.1')),
    dataDir: resolve(cwd, expandHome(String(values.data ?? (env.DOCENT_DATA || dataDirOf(folder))), env)),
  }
}

/** Each folder has data of its own: another folder's documents are neither in its answers nor taken for deleted. */
function dataDirOf(folder: string): string {
  if (folder === samples) return resolve(root, '.docent')
  const name = basename(folder)
    .replace(/[^\p{L}\p{N}._-]+/gu, '-')
    .slice(0, 40)
  return resolve(root, '.docent', 'folders', `${name}-${createHash('sha256').update(folder).digest('hex').slice(0, 8)}`)
}

function expandHome(path: string, env: Record<string, string | undefined>): string {
  return path.startsWith('~/') && env.HOME ? `${env.HOME}/${path.slice(2)}` : path
}
