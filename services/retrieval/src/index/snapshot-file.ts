import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { type FileHandle, mkdir, open, rename, rm, stat } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { endianness } from 'node:os'
import { dirname } from 'node:path'
import { crc32 } from 'node:zlib'
import { z } from 'zod'
import type { Snapshot } from './chunk-index.ts'
import { KEY_BYTES } from './claims.ts'
import { PAGE } from './postings.ts'
import { FIELDS } from './term-table.ts'

/** What makes terms of a text, and what lays them out: an index of other code says other things. */
export const MAKERS = [
  '@docent/core/text/fold',
  '@docent/core/text/stem',
  '@docent/core/text/t2s',
  '@docent/core/text/tokens',
  './best-hits.ts',
  './bm25.ts',
  './claims.ts',
  './lexical-index.ts',
  './postings.ts',
  './snapshot-file.ts',
  './term-hash.ts',
  './term-reader.ts',
  './term-table.ts',
]
const MAGIC = Buffer.from('DOCENT-WORDS\n')
const HEAD_BYTES = 512
const ABANDONED_MS = 600_000
const AT_ONCE = 1 << 20 // bytes: the event loop turns between writes
const BYTES_OF_RECORD = FIELDS * Int32Array.BYTES_PER_ELEMENT

const Head = z.object({
  madeBy: z.string(),
  chunks: z.int().nonnegative(),
  terms: z.int().nonnegative(),
  records: z.int().nonnegative(),
  pages: z.int().nonnegative(),
  free: z.int().nonnegative(),
})

let madeBy: string | undefined

/** Names the code, by its sources, which run as they are, and the tables of Unicode it works with. */
function makers(): string {
  if (madeBy) return madeBy
  const { resolve } = createRequire(import.meta.url)
  const sum = createHash('sha256').update(`${process.versions.unicode} ${process.versions.icu} ${endianness()}`)
  for (const name of MAKERS) sum.update(readFileSync(resolve(name)))
  madeBy = sum.digest('hex')
  return madeBy
}

/**
 * Writes beside `path` and puts it in place when all of it is there; nothing of the index may change meanwhile. Layout: magic, a head of
 * JSON, keys, lengths, records of terms, pages of postings, a CRC-32 of all that. False where another replica is writing it.
 */
export async function writeSnapshot(path: string, { keys, lexical: { lengths, terms, postings } }: Snapshot): Promise<boolean> {
  const head = { madeBy: makers(), chunks: lengths.length, terms: terms.size, records: terms.records.length / FIELDS }
  const first = Buffer.alloc(HEAD_BYTES, ' ')
  MAGIC.copy(first)
  first.write(JSON.stringify({ ...head, pages: postings.pages.length, free: postings.free }), MAGIC.length)
  await mkdir(dirname(path), { recursive: true })
  const part = `${path}.part`
  const file = await openPart(part)
  if (!file) return false
  try {
    let sum = 0
    for (const section of [first, keys, lengths, terms.records, ...postings.pages]) {
      const bytes = new Uint8Array(section.buffer, section.byteOffset, section.byteLength)
      for (let at = 0; at < bytes.length; at += AT_ONCE) {
        const piece = bytes.subarray(at, at + AT_ONCE)
        sum = crc32(piece, sum)
        await file.writeFile(piece)
      }
    }
    const last = Buffer.alloc(4)
    last.writeUInt32LE(sum)
    await file.writeFile(last)
    await file.close()
    await rename(part, path)
    return true
  } catch (error) {
    await file.close()
    await rm(part, { force: true })
    throw error
  }
}

/** Undefined while another replica writes there; what a killed one left is taken away. */
async function openPart(part: string): Promise<FileHandle | undefined> {
  const left = await stat(part).catch(() => undefined)
  if (left && Date.now() - left.mtimeMs > ABANDONED_MS) await rm(part, { force: true })
  return open(part, 'wx', 0o600).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'EEXIST') return undefined
    throw error
  })
}

/** Undefined when there is none. Throws for one of other code or one that is damaged, with what it is. */
export async function readSnapshot(path: string): Promise<Snapshot | undefined> {
  const file = await open(path, 'r').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
  if (!file) return undefined
  try {
    return await readFrom(file)
  } finally {
    await file.close()
  }
}

async function readFrom(file: FileHandle): Promise<Snapshot> {
  let sum = 0
  async function take<T extends ArrayBufferView>(section: T): Promise<T> {
    const bytes = new Uint8Array(section.buffer, section.byteOffset, section.byteLength)
    for (let at = 0; at < bytes.length; ) {
      const { bytesRead } = await file.read(bytes, at, Math.min(AT_ONCE, bytes.length - at))
      if (bytesRead === 0) throw new Error('it ends too early')
      sum = crc32(bytes.subarray(at, at + bytesRead), sum)
      at += bytesRead
    }
    return section
  }

  const first = await take(Buffer.alloc(HEAD_BYTES))
  if (!first.subarray(0, MAGIC.length).equals(MAGIC)) throw new Error('it is another kind of file')
  const head = Head.parse(JSON.parse(first.subarray(MAGIC.length).toString()))
  if (head.madeBy !== makers()) throw new Error('another version wrote it')
  const { size } = await file.stat()
  const { chunks } = head
  const wanted = HEAD_BYTES + chunks * (KEY_BYTES + 4) + head.records * BYTES_OF_RECORD + head.pages * PAGE + 4
  if (size !== wanted) throw new Error(`it has ${size} bytes, not ${wanted}`)
  const keys = await take(new Uint8Array(chunks * KEY_BYTES))
  const lengths = await take(new Uint32Array(chunks))
  const records = await take(new Int32Array(head.records * FIELDS))
  const pages: Uint8Array[] = []
  for (let i = 0; i < head.pages; i++) pages.push(await take(new Uint8Array(PAGE)))
  const found = sum
  const last = await take(Buffer.alloc(4))
  if (last.readUInt32LE() !== found) throw new Error('its checksum is another')
  return { keys, lexical: { lengths, terms: { records, size: head.terms }, postings: { pages, free: head.free } } }
}
