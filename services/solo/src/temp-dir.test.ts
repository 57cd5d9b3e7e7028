import { existsSync, mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { makeSocketDir, useTempDir } from './temp-dir.ts'

let place: string
beforeEach(() => {
  place = mkdtempSync(join(tmpdir(), 'docent-tmp-'))
  vi.stubEnv('TMPDIR', process.env.TMPDIR)
})
afterEach(() => {
  vi.unstubAllEnvs()
  rmSync(place, { recursive: true })
})

test('temporary files lie in the data folder, for its owner only; those of a killed run go at the next start', () => {
  useTempDir(place)
  expect(realpathSync(tmpdir())).toBe(realpathSync(join(place, 'tmp')))
  expect(statSync(tmpdir()).mode & 0o777).toBe(0o700)
  const socketDir = makeSocketDir('extractor.sock')
  expect(socketDir.startsWith(join(place, 'tmp'))).toBe(true)
  writeFileSync(join(socketDir, 'left'), '')
  useTempDir(place)
  expect(readdirSync(tmpdir())).toEqual([])
})

test('a socket whose path would be too long lies below /tmp; that folder goes at the next start, too, and no other one', () => {
  const deep = join(place, '目录'.repeat(20))
  mkdirSync(deep)
  useTempDir(deep)
  const socketDir = makeSocketDir('extractor.sock')
  expect(Buffer.byteLength(join(socketDir, 'extractor.sock'))).toBeLessThanOrEqual(107)
  expect(readdirSync(tmpdir())).toEqual(['elsewhere'])
  useTempDir(deep)
  expect(existsSync(socketDir)).toBe(false)

  const other = mkdtempSync(join('/tmp', 'docent-other-'))
  for (const said of [`${place}/x`, `${other}/../${other.slice(5)}`]) {
    writeFileSync(join(tmpdir(), 'elsewhere'), said)
    useTempDir(deep)
  }
  expect([existsSync(place), existsSync(other)]).toEqual([true, true])
  rmSync(other, { recursive: true })
})
