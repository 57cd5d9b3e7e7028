import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** A control group of the kernel (v1 or v2) with a limit of memory, as a container has one. */
export type MemoryGroup = Disposable & {
  /** the command line that starts a program inside */
  wrap(program: string): [string, string[]]
  /** MB at most so far, with the cached pages of files, which the kernel takes back before it kills; and processes killed for memory */
  seen(): { peakMb: number; anonMb: number; killed: number }
}

const MB = 1024 * 1024

/** Needs root and a control group tree that may be written; throws where there is none. */
export function openMemoryGroup(name: string, limitMb: number): MemoryGroup {
  const isV2 = existsSync('/sys/fs/cgroup/cgroup.controllers')
  const folder = join(isV2 ? '/sys/fs/cgroup' : '/sys/fs/cgroup/memory', `docent-${name}-${process.pid}`)
  mkdirSync(folder)
  const read = (file: string) => readFileSync(join(folder, file), 'utf8')
  const field = (file: string, key: string) => Number(new RegExp(`^${key} (\\d+)`, 'm').exec(read(file))?.[1] ?? 0)
  writeFileSync(join(folder, isV2 ? 'memory.max' : 'memory.limit_in_bytes'), String(limitMb * MB))
  return {
    wrap: (program) => ['/bin/sh', ['-c', `echo $$ > "${join(folder, 'cgroup.procs')}" && exec "$0" "$@"`, program]],
    seen: () => ({
      peakMb: Number(read(isV2 ? 'memory.peak' : 'memory.max_usage_in_bytes')) / MB,
      anonMb: field('memory.stat', isV2 ? 'anon' : 'total_rss') / MB,
      killed: isV2 ? field('memory.events', 'oom_kill') : field('memory.oom_control', 'oom_kill'),
    }),
    [Symbol.dispose]: () => rmdirSync(folder),
  }
}
