import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { createMeasure } from './measure.ts'

function place(files: Record<string, string>): string {
  const folder = mkdtempSync(join(tmpdir(), 'measure-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
  return folder
}

test("a container's limit counts, and cache that can be dropped is room", async () => {
  const cgroup = place({ 'memory.max': '1000\n', 'memory.current': '900\n', 'memory.stat': 'anon 500\ninactive_file 300\n' })
  expect(await createMeasure(cgroup, { cgroup })()).toMatchObject({ memoryBytes: 400 })
})

test('without a limit the machine is asked, and where nobody tells it is unknown', async () => {
  const folder = place({ 'memory.max': 'max\n', 'memory.current': '5\n', meminfo: 'MemTotal: 9 kB\nMemAvailable:   7 kB\n' })
  const room = await createMeasure(folder, { cgroup: folder, meminfo: join(folder, 'meminfo') })()
  expect(room.memoryBytes).toBe(7 * 1024)
  expect(room.diskBytes).toBeGreaterThan(0)
  expect(await createMeasure(join(folder, 'gone'), { cgroup: folder, meminfo: 'gone' })()).toEqual({
    memoryBytes: undefined,
    diskBytes: undefined,
  })
})
