import { once } from 'node:events'
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { createLogger } from '@docent/kit/logger'
import { expect, test } from 'vitest'
import { until } from '../../lib/testkit/src/until.ts'
import { openCodeCache } from '../src/code-cache.ts'
import { canForbidWriting, spawnChild } from '../src/spawn-child.ts'

test('what children may load is compiled once, in a folder that none of them can write a byte into and that goes with the service', async () => {
  expect(canForbidWriting).toBe(true)
  const scope = new AsyncDisposableStack()
  const cache = openCodeCache(256, createLogger('test', 'silent'), scope)
  const folder = await until('the code is compiled', () => cache.folder, 60_000)
  const files = () => readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => statSync(join(folder, name)))
  const bytes = () => files().reduce((sum, file) => sum + (file.isFile() ? file.size : 0), 0)
  const before = bytes()
  expect(before).toBeGreaterThan(1_000_000)
  const child = spawnChild(256, 30, folder)
  const ended = once(child.process, 'exit')
  child.control.end()
  await ended
  expect(bytes()).toBe(before)
  await scope.disposeAsync()
  expect(() => statSync(folder)).toThrow('ENOENT')
})
