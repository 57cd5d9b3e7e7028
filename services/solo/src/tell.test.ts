import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ConfigError } from '@docent/kit/config'
import { expect, test } from 'vitest'
import { tellable } from './tell.ts'

const errno = (code: string) => Object.assign(new Error(`${code}: mkdir '/x/y'`), { code, path: '/x/y' })

test.each([
  ['EACCES', '/x/y may not be read or written by this user (EACCES)'],
  ['EROFS', '/x/y lies on a disk that cannot be written to'],
  ['ENOSPC', 'no room is left on the disk'],
])('%s is one line with what to do', (code, text) => {
  const { message } = tellable(errno(code))
  expect(message).toContain(text)
  expect(message).toContain('--data DIR')
  expect(message).not.toContain('\n')
})

test('anything else is its message; the stack goes to the log', () => {
  const dir = mkdtempSync(join(tmpdir(), 'docent-tell-'))
  const log = join(dir, 'docent.log')
  expect(tellable(new Error('odd'), log).message).toBe(`Docent could not start: odd\n  (details: ${log})`)
  expect(JSON.parse(readFileSync(log, 'utf8')).err.stack).toContain('tell.test.ts')
  rmSync(dir, { recursive: true })
  expect(tellable(new Error('odd'), log).message).toBe('Docent could not start: odd')
  const known = new ConfigError('known')
  expect(tellable(known, log)).toBe(known)
})
