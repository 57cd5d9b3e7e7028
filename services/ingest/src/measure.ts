import { readFile, statfs } from 'node:fs/promises'
import { join } from 'node:path'

/** Free bytes; undefined where the machine does not tell. */
export type Room = { memoryBytes: number | undefined; diskBytes: number | undefined }
export type Measure = () => Promise<Room>

/** The memory this process may still take (its container's limit, else the machine's) and the room on the folder's disk. */
export function createMeasure(folder: string, { cgroup = '/sys/fs/cgroup', meminfo = '/proc/meminfo' } = {}): Measure {
  return async () => ({
    memoryBytes: (await freeInContainer(cgroup)) ?? (await freeOnMachine(meminfo)),
    diskBytes: await statfs(folder).then(
      ({ bavail, bsize }) => bavail * bsize,
      () => undefined,
    ),
  })
}

/** cgroup v2. The page cache that can be dropped counts as free. */
async function freeInContainer(cgroup: string): Promise<number | undefined> {
  const [max, current, stat] = await Promise.all(['memory.max', 'memory.current', 'memory.stat'].map((name) => read(join(cgroup, name))))
  const limit = Number(max)
  if (!max || !current || !Number.isFinite(limit)) return undefined
  const cache = Number(/^inactive_file (\d+)$/m.exec(stat ?? '')?.[1] ?? 0)
  return Math.max(0, limit - Number(current) + cache)
}

async function freeOnMachine(meminfo: string): Promise<number | undefined> {
  const kilobytes = /^MemAvailable:\s+(\d+) kB$/m.exec((await read(meminfo)) ?? '')?.[1]
  return kilobytes === undefined ? undefined : Number(kilobytes) * 1024
}

async function read(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch(() => undefined)
}
