import type { FileHandle } from 'node:fs/promises'

const PART = 256 * 1024

/**
 * A file of about `size` bytes in parts, to its end or for at most `most` bytes. One buffer holds each of them in turn, so a part is valid until the next one is asked
 * for: the buffers of a stream, not collected yet, are tens of MB for a large file.
 */
export async function* fileParts(handle: FileHandle, size: number, most = Number.POSITIVE_INFINITY): AsyncGenerator<Buffer> {
  const buffer = Buffer.allocUnsafe(Math.min(PART, size + 1))
  for (let at = 0; at < most; ) {
    const { bytesRead } = await handle.read(buffer, 0, Math.min(buffer.length, most - at), at)
    if (bytesRead === 0) return
    at += bytesRead
    yield buffer.subarray(0, bytesRead)
  }
}
