import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { sendFile } from './send-file.ts'

const MB = 1024 * 1024
let folder: string
let handle: FileHandle
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'docent-send-'))
  writeFileSync(join(folder, 'a'), '')
  handle = await open(join(folder, 'a'))
})
afterEach(async () => {
  await handle.close()
  rmSync(folder, { recursive: true, force: true })
})

async function sumOf(size: number): Promise<string> {
  const child = spawn('sha256sum', { stdio: ['pipe', 'pipe', 'inherit'] })
  const said = once(child.stdout, 'data')
  await sendFile(handle, size, child.stdin)
  return String((await said)[0]).slice(0, 64)
}

test.each([0, 1, 256 * 1024, 256 * 1024 + 1, 3 * MB + 7])('a process reads %i bytes as they are', async (size) => {
  const bytes = Buffer.alloc(size, 'Docent, 文档 ')
  writeFileSync(join(folder, 'a'), bytes)
  expect(await sumOf(size)).toBe(createHash('sha256').update(bytes).digest('hex'))
})

test('a file that grew or shrank is sent up to the size it had, or to its end', async () => {
  writeFileSync(join(folder, 'a'), 'abcdef')
  const sha = (text: string) => createHash('sha256').update(text).digest('hex')
  expect(await sumOf(3)).toBe(sha('abc'))
  expect(await sumOf(9)).toBe(sha('abcdef'))
})

test('it ends when the reader is killed', async () => {
  truncateSync(join(folder, 'a'), 10 * MB)
  const child = spawn('sleep', ['60'], { stdio: ['pipe', 'ignore', 'inherit'] })
  child.stdin.on('error', () => child.kill('SIGKILL'))
  const sending = sendFile(handle, 10 * MB, child.stdin)
  child.kill('SIGKILL')
  await expect(sending).rejects.toThrow(/EPIPE|ECONNRESET|destroyed|closed/)
})

test('memory does not grow with the file', async () => {
  truncateSync(join(folder, 'a'), 200 * MB)
  const before = process.memoryUsage().arrayBuffers
  let most = 0
  const look = () => {
    most = Math.max(most, process.memoryUsage().arrayBuffers - before)
  }
  const looking = setInterval(look, 2)
  expect(await sumOf(200 * MB)).toMatch(/^[0-9a-f]{64}$/)
  clearInterval(looking)
  look()
  expect(most).toBeLessThan(4 * MB)
})
