import type { FileHandle } from 'node:fs/promises'
import type { Writable } from 'node:stream'
import { fileParts } from '@docent/kit/file-parts'

/** The first `size` bytes of a file, then the end. Rejects when the file cannot be read, or nobody reads any more. */
export async function sendFile(handle: FileHandle, size: number, to: Writable): Promise<void> {
  for await (const part of fileParts(handle, size, size)) {
    // its buffer is free again when the pipe has taken it
    await new Promise<void>((resolve, reject) => {
      to.write(part, (error) => (error ? reject(error) : resolve()))
    })
  }
  to.end()
}
