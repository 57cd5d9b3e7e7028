import { readFileSync } from 'node:fs'
import { join } from 'node:path'

const MB = 1024 * 1024
// cgroup v1 writes "no limit" as a number near 2^63
const NO_LIMIT_MB = 2 ** 40

/** What the kernel says of the control group that this process is in, which is its container's. */
export type ContainerMemory = {
  /** MB it may use; undefined where nothing limits it or nothing is said */
  limitMb(): number | undefined
  /** processes in it that the kernel has ended for want of memory so far; 0 where it does not tell */
  kills(): number
}

/** cgroup v2, or v1 with its own tree for memory. */
export function openContainerMemory({ own = '/proc/self/cgroup', root = '/sys/fs/cgroup' } = {}): ContainerMemory {
  const groups = read(own) ?? ''
  const v1 = /^\d+:(?:[^:]*,)?memory(?:,[^:]*)?:(.*)$/m.exec(groups)?.[1]
  const tree = v1 === undefined ? root : join(root, 'memory')
  const path = v1 ?? /^0::(.*)$/m.exec(groups)?.[1] ?? ''
  const [limit, events] = v1 === undefined ? ['memory.max', 'memory.events'] : ['memory.limit_in_bytes', 'memory.oom_control']
  // inside a container the tree may begin with its own group, whatever the path says
  const find = (file: string) => read(join(tree, path, file)) ?? read(join(tree, file))
  return {
    limitMb() {
      const mb = Number(find(limit) ?? Number.NaN) / MB
      return mb < NO_LIMIT_MB ? mb : undefined
    },
    kills: () => Number(/^oom_kill (\d+)$/m.exec(find(events) ?? '')?.[1] ?? 0),
  }
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    // Not told here: another system, or another kind of group.
    if (error instanceof Error && 'code' in error) return undefined
    throw error
  }
}
