import type { FileHandle } from 'node:fs/promises'
import type { Writable } from 'node:stream'

const PART = 256 * 1024

/**
 * The first `size` bytes of a file, then the end. One buffer for all of it: those of a stream, not collected yet, are tens of MB for a large file.
 * Rejects when the file cannot be read, or nobody reads any more.
 */
export async function sendFile(handle: FileHandle, size: number, to: Writable): Promise<void> {
  const buffer = Buffer.allocUnsafe(Math.min(PART, size))
  for (let at = 0; at < size; ) {
    const { bytesRead } = await handle.read(buffer, 0, Math.min(buffer.length, size - at), at)
    if (bytesRead === 0) break
    at += bytesRead
    // the buffer is free again when the pipe has taken it
    await new Promise<void>((resolve, reject) => {
      to.write(buffer.subarray(0, bytesRead), (error) => (error ? reject(error) : resolve()))
    })
  }
  to.end()
}
