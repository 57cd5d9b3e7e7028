import { copyFileSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { canDo, run } from './small-disk.ts'

export type CuttableDisk = {
  path: string
  /** What a power cut would leave: the disk as it is now, without what is only in memory; where that is mounted. */
  cut(): string
}

/** An ext4 of its own on a file of so many MB. Who writes to it must be stopped before `cut`. */
export function openCuttableDisk(scope: AsyncDisposableStack, mb: number): CuttableDisk {
  const folder = mkdtempSync(join(tmpdir(), 'docent-power-'))
  scope.defer(() => rmSync(folder, { recursive: true, force: true }))
  const image = makeDisk(folder, mb)
  return {
    path: mount(image, scope),
    cut() {
      const copy = join(folder, 'copy')
      copyFileSync(image, copy)
      return mount(copy, scope)
    },
  }
}

/** Whether this process may mount a file as a disk: root where there are loop devices. */
export function canCutPower(): boolean {
  return canDo((folder) => {
    const image = makeDisk(folder, 4)
    run('mount', '-o', 'loop', image, folder)
    run('umount', folder)
  })
}

/** A file of so many MB that holds an empty ext4. */
function makeDisk(folder: string, mb: number): string {
  const image = join(folder, 'image')
  writeFileSync(image, '')
  truncateSync(image, mb * 1024 * 1024)
  run('mkfs.ext4', '-q', image)
  return image
}

function mount(image: string, scope: AsyncDisposableStack): string {
  const path = mkdtempSync(join(tmpdir(), 'docent-power-disk-'))
  run('mount', '-o', 'loop', image, path)
  scope.defer(() => {
    run('umount', '--lazy', path)
    rmSync(path, { recursive: true, force: true })
  })
  run('chmod', '711', path)
  return path
}
