import { constants } from 'node:fs'
import { type FileHandle, mkdir, open, realpath, rm } from 'node:fs/promises'
import { basename, dirname, join, sep } from 'node:path'
import { AppError } from '@docent/core/errors'
import { diskPath } from '../scan/disk-path.ts'
import { isTemporaryName } from '../scan/snapshot-folder.ts'

const MAX_CHARS = 1_000
const MAX_NAME_BYTES = 255
const forbidden = /[\p{Cc}\p{Cf}\p{Cs}\\]/u

/** A path inside the folder, as a caller names it; anything that could leave it, hide, or never be indexed is refused. */
export function checkPath(path: string): string {
  const parts = path.normalize('NFC').split('/')
  if (path.length > MAX_CHARS || parts.some((part) => Buffer.byteLength(part) > MAX_NAME_BYTES))
    throw new AppError(
      'validation',
      `path: is too long; a name may have ${MAX_NAME_BYTES} bytes (a Chinese character takes 3), a path ${MAX_CHARS} characters.`,
    )
  const isBad = (part: string) => part.trim() === '' || part !== part.trim() || /^\.+$/.test(part) || isTemporaryName(part)
  if (parts.length > 20 || forbidden.test(path) || parts.some(isBad) || parts.slice(0, -1).includes('node_modules')) {
    throw new AppError(
      'validation',
      'path: give a plain file name, or folders and a name with /, without hidden or temporary ones or node_modules.',
    )
  }
  return parts.join('/')
}

/** Opens a document for reading: a regular file whose real place is inside the folder. */
export async function openInside(folder: string, path: string): Promise<FileHandle> {
  const full = await placeOf(folder, path)
  const handle = await open(full, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch(
    (cause: NodeJS.ErrnoException) => {
      if (cause.code === 'ENOENT' || cause.code === 'ELOOP')
        throw new AppError('not_found', 'The file is no longer in the folder.', { cause })
      throw new AppError('unreadable', 'The file cannot be opened; let its reader in with chmod a+r.', { cause })
    },
  )
  if ((await handle.stat()).isFile()) return handle
  await handle.close()
  throw new AppError('not_found', 'The file is no longer in the folder.')
}

export async function removeInside(folder: string, path: string): Promise<void> {
  const full = await placeOf(folder, path).catch(() => undefined)
  if (full === undefined) return
  await rm(full, { force: true }).catch((cause: NodeJS.ErrnoException) => {
    throw readOnly(folder, cause)
  })
}

/** The folder that a new file goes into, made when it is missing; its real place must be inside. */
export async function makeFolderInside(folder: string, path: string): Promise<string> {
  const root = await realpath(folder)
  let at = root
  for (const part of path.split('/').slice(0, -1)) {
    at = join(at, part)
    await mkdir(at).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error
    })
    if ((await realpath(at)) !== at) throw new AppError('validation', 'path: leads through a link.')
  }
  return join(at, basename(path))
}

export function readOnly(folder: string, cause: unknown): AppError {
  const owner = `${process.getuid?.() ?? 1000}:${process.getgid?.() ?? 1000}`
  return new AppError(
    'folder_readonly',
    `The folder cannot be written; make it ours: sudo chown -R ${owner} ${basename(folder)}, and mount it writable.`,
    { cause },
  )
}

async function placeOf(folder: string, path: string): Promise<string> {
  const root = await realpath(folder).catch(() => undefined)
  const onDisk = root === undefined ? undefined : await diskPath(root, path)
  if (root === undefined || onDisk === undefined) throw new AppError('not_found', 'The file is no longer in the folder.')
  const parent = await realpath(dirname(join(root, onDisk)))
  if (parent !== root && !parent.startsWith(root + sep)) throw new AppError('not_found', 'The file is no longer in the folder.')
  return join(parent, basename(onDisk))
}
