import { appendFileSync } from 'node:fs'
import { ConfigError } from '@docent/kit/config'

/** What a person is told when the start fails: what is wrong and what to do, never a stack, which goes to the log. */
export function tellable(error: unknown, logFile?: string): ConfigError {
  if (error instanceof ConfigError) return error
  const { code, path, message } = error instanceof Error ? (error as NodeJS.ErrnoException) : { message: String(error) }
  const place = path ? `${path} ` : 'a file '
  if (code === 'EACCES' || code === 'EPERM')
    return new ConfigError(
      `${place}may not be read or written by this user (${code}); let it in, or choose another data folder with --data DIR`,
    )
  if (code === 'EROFS')
    return new ConfigError(`${place}lies on a disk that cannot be written to; choose another data folder with --data DIR`)
  if (code === 'ENOSPC' || code === 'EDQUOT')
    return new ConfigError('no room is left on the disk; make some, or choose a data folder on another one with --data DIR')
  return new ConfigError(`Docent could not start: ${message}${logFile && logged(error, logFile) ? `\n  (details: ${logFile})` : ''}`)
}

function logged(error: unknown, logFile: string): boolean {
  try {
    const stack = error instanceof Error ? (error.stack ?? error.message) : String(error)
    const causedBy = error instanceof Error && error.cause ? String(error.cause) : undefined
    const line = { level: 'error', time: new Date().toISOString(), service: 'solo', msg: 'the start failed', err: { stack, causedBy } }
    appendFileSync(logFile, `${JSON.stringify(line)}\n`, { mode: 0o600 })
    return true
  } catch {
    // The folder itself may be what is wrong; then the message has to do.
    return false
  }
}
