import { readFileSync } from 'node:fs'

export type Verdict = 'parser_memory' | 'parser_timeout'

const POLL_MS = 50

/** Memory outside the heap has no limit of its own (PDFium, buffers): so resident memory is watched, and time with it. */
export function watchChild(
  pid: number,
  limits: { memoryBytes: number; timeoutMs: number },
  onVerdict: (verdict: Verdict) => void,
): Disposable {
  const started = performance.now()
  const timer = setInterval(() => {
    if (performance.now() - started > limits.timeoutMs) onVerdict('parser_timeout')
    else if (residentBytes(pid) > limits.memoryBytes) onVerdict('parser_memory')
  }, POLL_MS)
  return { [Symbol.dispose]: () => clearInterval(timer) }
}

function residentBytes(pid: number): number {
  try {
    return Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1] ?? 0) * 1024
  } catch (error) {
    // The child ended between two looks; its exit is handled elsewhere.
    if (error instanceof Error && 'code' in error) return 0
    throw error
  }
}
