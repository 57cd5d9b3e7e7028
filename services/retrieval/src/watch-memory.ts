import { readFileSync } from 'node:fs'
import { totalmem } from 'node:os'
import { getHeapStatistics } from 'node:v8'
import type { RetrievalEvents } from './events.ts'

/** in bytes; `anonymous` is what the kernel cannot take back, V8's heap within it */
export type Memory = { anonymous: number; heap: number; heapLimit: number; limit: number }

const PAGE_BYTES = 4_096
const MB = 1024 * 1024
// told again only after so much less was needed: a folder at the border would be told about every two seconds
const BETTER = 0.95

/** Of this process; undefined where it has no limit of its own, as outside a container. */
export function readMemory(): Memory | undefined {
  const limit = process.constrainedMemory()
  if (process.platform !== 'linux' || limit === 0 || limit >= totalmem()) return undefined
  const [, resident, shared] = readFileSync('/proc/self/statm', 'utf8').split(' ').map(Number) as [number, number, number]
  const { total_heap_size: heap, heap_size_limit: heapLimit } = getHeapStatistics()
  return { anonymous: (resident - shared) * PAGE_BYTES, heap, heapLimit, limit }
}

/**
 * Says before it happens that the kernel may end this process for its memory: what it holds now, with V8's heap as large as it lets it
 * become before it collects, is more than the limit. The returned look is taken at each look at the change feed.
 */
export function watchMemory(events: Pick<RetrievalEvents, 'memoryShort'>, read: () => Memory | undefined = readMemory) {
  let isTold = false
  return (chunks: number): void => {
    const memory = read()
    if (!memory) return
    const { anonymous, heap, heapLimit, limit } = memory
    const needed = anonymous + Math.max(0, heapLimit - heap)
    if (needed > limit && !isTold) events.memoryShort({ chunks, neededMb: Math.ceil(needed / MB), limitMb: Math.floor(limit / MB) })
    isTold = needed > limit || (isTold && needed > BETTER * limit)
  }
}
