import { closeSync, fstatSync, mkdirSync, openSync, renameSync, writeSync } from 'node:fs'
import { dirname, resolve } from 'node:path'

export type LogFile = { write(line: string): void }

const MAX_BYTES = 10 * 1024 * 1024

const open = new Map<string, LogFile>()

/** The one writer of a log file in this process, whoever of its services writes there. */
export function logFileAt(path: string): LogFile {
  const whole = resolve(path)
  const known = open.get(whole) ?? openLogFile(whole, MAX_BYTES)
  open.set(whole, known)
  return known
}

/** Lines go to `path`; at `maxBytes` it becomes `path`.1, in place of the one before. A disk that takes no line loses it, and how many were lost is written when it does again. */
export function openLogFile(path: string, maxBytes: number): LogFile {
  mkdirSync(dirname(path), { recursive: true })
  const openEnd = () => openSync(path, 'a', 0o600)
  let fd = openEnd()
  let size = fstatSync(fd).size
  let lost = 0

  function turnOver(): void {
    renameSync(path, `${path}.1`)
    const full = fd
    fd = openEnd()
    closeSync(full)
    size = 0
  }

  return {
    write(line) {
      try {
        if (size >= maxBytes) turnOver()
        if (lost > 0)
          size += writeSync(fd, `${JSON.stringify({ level: 40, time: new Date().toISOString(), msg: 'log lines were lost', lost })}\n`)
        lost = 0
        size += writeSync(fd, line)
      } catch {
        // a log that cannot be written must not end what it tells of
        lost++
      }
    },
  }
}
