import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const LONGEST_SOCKET_PATH = 107 // bytes, by the kernel
const SHORT = '/tmp/docent-'
const elsewhere = (folder: string) => join(folder, 'elsewhere')

/**
 * From now on this process's temporary files lie within the data folder; what a killed run left there is gone. Only for who holds the
 * lock of the data folder.
 */
export function useTempDir(dataDir: string): void {
  const folder = join(dataDir, 'tmp')
  if (existsSync(elsewhere(folder))) {
    const left = readFileSync(elsewhere(folder), 'utf8')
    if (left.startsWith(SHORT) && !left.slice(SHORT.length).includes('/')) rmSync(left, { recursive: true, force: true })
  }
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { mode: 0o700 })
  process.env.TMPDIR = folder
}

/** A folder for a socket: among the temporary files, or below /tmp, remembered there, where the path would be longer than a socket's may be. */
export function makeSocketDir(socket: string): string {
  const near = mkdtempSync(join(tmpdir(), 'docent-'))
  if (Buffer.byteLength(join(near, socket)) <= LONGEST_SOCKET_PATH) return near
  rmdirSync(near)
  const far = mkdtempSync(SHORT)
  writeFileSync(elsewhere(tmpdir()), far)
  return far
}
