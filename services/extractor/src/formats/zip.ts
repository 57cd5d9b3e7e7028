import { crc32, inflateRawSync } from 'node:zlib'
import { ExtractFailure } from '../failure.ts'

export type ZipEntry = { name: string; method: number; packed: number; size: number; crc: number; offset: number; flags: number }

const MAX_ENTRIES = 5_000
const MAX_DECLARED_BYTES = 512 * 1024 * 1024
const MAX_RATIO = 200

/** Reads the central directory alone: nothing is inflated before its numbers have been judged. */
export function readZipDirectory(bytes: Buffer): ZipEntry[] {
  const end = findEnd(bytes)
  const count = bytes.readUInt16LE(end + 10)
  if (count === 0xffff || count > MAX_ENTRIES) throw new ExtractFailure('bomb')
  const entries: ZipEntry[] = []
  let at = bytes.readUInt32LE(end + 16)
  for (let i = 0; i < count; i++) {
    if (at + 46 > bytes.length || bytes.readUInt32LE(at) !== 0x02014b50) throw new ExtractFailure('corrupt')
    const nameLength = bytes.readUInt16LE(at + 28)
    entries.push({
      name: bytes.toString('utf8', at + 46, at + 46 + nameLength),
      flags: bytes.readUInt16LE(at + 8),
      method: bytes.readUInt16LE(at + 10),
      crc: bytes.readUInt32LE(at + 16),
      packed: bytes.readUInt32LE(at + 20),
      size: bytes.readUInt32LE(at + 24),
      offset: bytes.readUInt32LE(at + 42),
    })
    at += 46 + nameLength + bytes.readUInt16LE(at + 30) + bytes.readUInt16LE(at + 32)
  }
  judge(entries)
  return entries
}

function findEnd(bytes: Buffer): number {
  const end = bytes.lastIndexOf(Buffer.from('504b0506', 'hex'))
  if (end < 0 || end + 22 > bytes.length) throw new ExtractFailure('corrupt')
  return end
}

function judge(entries: readonly ZipEntry[]): void {
  const names = new Set<string>()
  let declared = 0
  let last = -1
  for (const entry of entries.toSorted((a, b) => a.offset - b.offset)) {
    if (entry.flags & 1) throw new ExtractFailure('encrypted')
    if (names.has(entry.name) || /(?:^|[\\/])\.\.(?:[\\/]|$)|^[\\/]|^[a-z]:/i.test(entry.name) || entry.name.includes('\0'))
      throw new ExtractFailure('corrupt')
    if (entry.offset < last) throw new ExtractFailure('bomb')
    names.add(entry.name)
    last = entry.offset + entry.packed
    declared += entry.size
  }
  if (declared > MAX_DECLARED_BYTES) throw new ExtractFailure('bomb')
}

/** Declared sizes lie, so the real one is capped while inflating. */
export function readZipEntry(bytes: Buffer, entry: ZipEntry, maxBytes: number): Buffer {
  if (entry.size > maxBytes) throw new ExtractFailure('bomb')
  if (entry.packed > 0 && entry.size > 1024 * 1024 && entry.size / entry.packed > MAX_RATIO) throw new ExtractFailure('bomb')
  const at = entry.offset
  if (at + 30 > bytes.length || bytes.readUInt32LE(at) !== 0x04034b50) throw new ExtractFailure('corrupt')
  const start = at + 30 + bytes.readUInt16LE(at + 26) + bytes.readUInt16LE(at + 28)
  const packed = bytes.subarray(start, start + entry.packed)
  if (packed.length < entry.packed) throw new ExtractFailure('corrupt')
  const content = entry.method === 0 ? packed : inflate(packed, Math.min(maxBytes, entry.size + 1), entry.method)
  if (content.length > entry.size) throw new ExtractFailure('bomb')
  if (content.length !== entry.size || crc32(content) !== entry.crc) throw new ExtractFailure('corrupt')
  return content
}

function inflate(packed: Buffer, maxOutputLength: number, method: number): Buffer {
  if (method !== 8) throw new ExtractFailure('corrupt')
  try {
    return inflateRawSync(packed, { maxOutputLength })
  } catch (error) {
    const isTooLong = error instanceof RangeError
    throw new ExtractFailure(isTooLong ? 'bomb' : 'corrupt', undefined, { cause: error })
  }
}
