import { constants } from 'node:fs'
import { type FileHandle, open, readlink, realpath } from 'node:fs/promises'
import { isAbsolute, join, sep } from 'node:path'
import { ExtractFailure } from './failure.ts'

export type OpenDocument = { handle: FileHandle; size: number }

/** The one way to a document: no links, no pipes or devices, nothing outside the root, and no blocking on open. */
export async function openDocument(root: string, path: string, maxBytes: number): Promise<OpenDocument> {
  const parts = path.split('/')
  if (!path || isAbsolute(path) || path.includes('\0') || parts.includes('..'))
    throw new ExtractFailure('bad_request', 'The path must be relative to the documents folder, without "..".')
  const handle = await open(join(root, path), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch(refuse)
  try {
    const stat = await handle.stat()
    if (!stat.isFile())
      throw new ExtractFailure(
        'unreadable',
        'This is not a regular file: only regular files are read, put a copy of the content in its place.',
      )
    // Read from the descriptor, so that no folder can be swapped for a link between the check and the use.
    const [real, realRoot] = await Promise.all([readlink(`/proc/self/fd/${handle.fd}`), realpath(root)])
    if (!real.startsWith(realRoot.endsWith(sep) ? realRoot : realRoot + sep))
      throw new ExtractFailure('unreadable', 'The path leads out of the documents folder: put a copy of the file inside it.')
    if (stat.size === 0) throw new ExtractFailure('empty')
    if (stat.size > maxBytes) throw new ExtractFailure('too_large')
    return { handle, size: stat.size }
  } catch (error) {
    await handle.close()
    throw error
  }
}

function refuse(error: NodeJS.ErrnoException): never {
  if (error.code === 'ENOENT' || error.code === 'ENOTDIR') throw new ExtractFailure('gone', undefined, { cause: error })
  if (error.code === 'ELOOP')
    throw new ExtractFailure('unreadable', 'This is a symbolic link: links are not followed, put a copy of the file in its place.', {
      cause: error,
    })
  if (error.code === 'ENXIO')
    throw new ExtractFailure('unreadable', 'This is a socket or a device: only regular files are read.', { cause: error })
  throw new ExtractFailure('unreadable', undefined, { cause: error })
}
