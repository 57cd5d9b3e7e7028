import { createHash } from 'node:crypto'
import { appendFileSync, mkdtempSync, renameSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { hashFile, identityOf } from './hash-file.ts'

const MB = 1024 * 1024
let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'docent-hash-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

function put(bytes: Buffer) {
  const path = join(folder, 'a.txt')
  writeFileSync(path, bytes)
  return { path, stats: statSync(path) }
}

test.each([0, 1, 256 * 1024 - 1, 256 * 1024, 256 * 1024 + 1, 3 * MB + 7])('of %i bytes', async (size) => {
  const bytes = Buffer.alloc(size, 'Docent, 文档 ')
  const { path, stats } = put(bytes)
  expect(await hashFile(path, stats)).toBe(createHash('sha256').update(bytes).digest('hex'))
})

test('a file that grew since it was seen has no hash', async () => {
  const { path, stats } = put(Buffer.alloc(1000, 7))
  appendFileSync(path, 'more')
  expect(await hashFile(path, stats)).toBeUndefined()
})

test('memory does not grow with the file', async () => {
  const { path } = put(Buffer.alloc(0))
  truncateSync(path, 200 * MB)
  const before = process.memoryUsage().arrayBuffers
  let most = 0
  const looking = setInterval(() => {
    most = Math.max(most, process.memoryUsage().arrayBuffers - before)
  }, 2)
  expect(await hashFile(path, statSync(path))).toMatch(/^[0-9a-f]{64}$/)
  clearInterval(looking)
  expect(Math.max(most, process.memoryUsage().arrayBuffers - before)).toBeLessThan(4 * MB)
})

test('a file is the same one under a new name and with other content, and not one that was born later or whose birth is unknown', () => {
  const { path, stats } = put(Buffer.from('One.'))
  const moved = join(folder, 'b.txt')
  renameSync(path, moved)
  writeFileSync(moved, 'Another, longer content.')
  expect(identityOf(statSync(moved))).toBe(identityOf(stats))
  const facts = { dev: 1, ino: 2, birthtimeMs: 3 }
  expect(identityOf({ ...facts, birthtimeMs: 4 })).not.toBe(identityOf(facts))
  expect(identityOf({ ...facts, birthtimeMs: 0 })).toBeUndefined()
})
