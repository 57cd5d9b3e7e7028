import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openLogFile } from './log-file.ts'
import { createLogger } from './logger.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'docent-log-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const linesOf = (name: string) => readFileSync(join(folder, name), 'utf8').trim().split('\n')

test('a log never takes more than twice its greatest size, and the latest lines are all there', () => {
  const path = join(folder, 'logs', 'a.log')
  const log = openLogFile(path, 1_000)
  for (let i = 0; i < 500; i++) log.write(`${JSON.stringify({ i })}\n`)
  expect(readdirSync(join(folder, 'logs')).sort()).toEqual(['a.log', 'a.log.1'])
  for (const name of ['a.log', 'a.log.1']) expect(statSync(join(folder, 'logs', name)).size).toBeLessThan(1_020)
  const kept = [...linesOf('logs/a.log.1'), ...linesOf('logs/a.log')].map((line) => (JSON.parse(line) as { i: number }).i)
  expect(kept).toEqual(Array.from({ length: kept.length }, (_, n) => 500 - kept.length + n))
  expect(statSync(path).mode & 0o777).toBe(0o600)
  // a new process goes on where the last one was
  openLogFile(path, 1_000).write('last\n')
  expect(linesOf('logs/a.log').at(-1)).toBe('last')
})

test('what cannot be written is counted, and the count is written when there is a way again', () => {
  const path = join(folder, 'a.log')
  const log = openLogFile(path, 10)
  log.write('0123456789\n')
  // the place of the older half is taken by a folder that holds something: nothing can be moved there
  mkdirSync(join(folder, 'a.log.1', 'x'), { recursive: true })
  for (const line of ['a\n', 'b\n']) log.write(line)
  rmdirSync(join(folder, 'a.log.1', 'x'))
  rmdirSync(join(folder, 'a.log.1'))
  log.write('c\n')
  expect(linesOf('a.log')).toEqual([expect.stringContaining('"lost":2'), 'c'])
})

test('services of one process share a file', () => {
  const path = join(folder, 'a.log')
  for (const service of ['one', 'two']) createLogger(service, 'info', path).info('hello')
  expect(linesOf('a.log').map((line) => (JSON.parse(line) as { service: string }).service)).toEqual(['one', 'two'])
})
