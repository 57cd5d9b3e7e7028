import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { ConfigError } from '@docent/kit/config'

export type SoloOptions = { folder: string; port: number; host: string; dataDir: string }

const root = fileURLToPath(new URL('../../../', import.meta.url))

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
    if (!['port', 'data', 'host'].includes(name)) problems.push(`--${name}: is not an option; there are --port, --data and --host`)
  if (positionals.length > 1) problems.push('FOLDER: give one folder; quote a name with spaces')
  const port = Number(values.port ?? env.PORT ?? 8080)
  if (!Number.isInteger(port) || port < 0 || port > 65_535) problems.push('--port (PORT): a whole number from 0 to 65535')
  if (problems.length > 0) throw new ConfigError(`npm start was not understood:\n  ${problems.join('\n  ')}`)
  return {
    folder: resolve(cwd, expandHome(positionals[0] ?? env.DOCENT_FOLDER ?? resolve(root, 'documents'), env)),
    port,
    host: String(values.host ?? env.DOCENT_HOST ?? '127.0.0.1'),
    dataDir: resolve(cwd, expandHome(String(values.data ?? env.DOCENT_DATA ?? resolve(root, '.docent')), env)),
  }
}

function expandHome(path: string, env: Record<string, string | undefined>): string {
  return path.startsWith('~/') && env.HOME ? `${env.HOME}/${path.slice(2)}` : path
}
