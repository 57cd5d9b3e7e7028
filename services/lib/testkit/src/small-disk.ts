import { execFileSync } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Whether this process may mount a file system: root, as a rule. */
export const canMount = canDo((folder) => {
  run('mount', '-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', folder)
  run('umount', folder)
})

export type SmallDisk = {
  path: string
  /** takes what room there is, to the last byte */
  fill(): void
  free(): void
}

/** A file system of its own, in memory and of so many MB, that a test may fill. */
export function openSmallDisk(scope: AsyncDisposableStack, mb: number): SmallDisk {
  const path = mkdtempSync(join(tmpdir(), 'docent-disk-'))
  const ballast = join(path, 'ballast')
  run('mount', '-t', 'tmpfs', '-o', `size=${mb}m,mode=0711`, 'tmpfs', path)
  scope.defer(() => {
    run('umount', '--lazy', path)
    rmSync(path, { recursive: true, force: true })
  })
  return {
    path,
    fill() {
      const file = openSync(ballast, 'a')
      try {
        while (statfsSync(path).bavail > 0) writeSync(file, Buffer.alloc(4_096))
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
      } finally {
        closeSync(file)
      }
    },
    free: () => rmSync(ballast, { force: true }),
  }
}

/** Whether root is who asks and `attempt`, made in a folder of its own, ends well. */
export function canDo(attempt: (folder: string) => void): boolean {
  if (process.getuid?.() !== 0) return false
  const folder = mkdtempSync(join(tmpdir(), 'docent-disk-'))
  try {
    attempt(folder)
    return true
  } catch {
    return false
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

export function run(command: string, ...args: string[]): void {
  execFileSync(command, args, { stdio: 'pipe' })
}
