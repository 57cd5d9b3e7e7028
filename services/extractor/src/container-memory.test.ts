import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { openContainerMemory } from './container-memory.ts'

const home = mkdtempSync(join(tmpdir(), 'group-'))
afterAll(() => rmSync(home, { recursive: true, force: true }))

/** Files as the kernel shows them. */
function groupOf(name: string, files: Record<string, string>) {
  const folder = join(home, name)
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), text)
  }
  return openContainerMemory({ own: join(folder, 'own'), root: join(folder, 'root') })
}

test.for<[name: string, files: Record<string, string>]>([
  ['v2 in a container', { own: '0::/\n', 'root/memory.max': '268435456\n', 'root/memory.events': 'max 4\noom 3\noom_kill 2\n' }],
  [
    'v2',
    { own: '0::/a.slice\n', 'root/a.slice/memory.max': '268435456\n', 'root/a.slice/memory.events': 'oom_kill 2\noom_group_kill 9\n' },
  ],
  [
    'v1 in a container, under the path of its host',
    {
      own: '7:blkio:/docker/1\n4:memory:/docker/1\n0::/\n',
      'root/memory/memory.limit_in_bytes': '268435456\n',
      'root/memory/memory.oom_control': 'oom_kill_disable 0\nunder_oom 0\noom_kill 2\n',
    },
  ],
])('limit and kills are read: %s', ([name, files]) => {
  const memory = groupOf(name, files)
  expect([memory.limitMb(), memory.kills()]).toEqual([256, 2])
})

test('without a limit, and where nothing is said, there is none', () => {
  const v1 = groupOf('free', { own: '4:memory:/\n', 'root/memory/memory.limit_in_bytes': '9223372036854771712\n' })
  const v2 = groupOf('max', { own: '0::/\n', 'root/memory.max': 'max\n' })
  const nothing = groupOf('nothing', {})
  for (const memory of [v1, v2, nothing]) expect([memory.limitMb(), memory.kills()]).toEqual([undefined, 0])
})
