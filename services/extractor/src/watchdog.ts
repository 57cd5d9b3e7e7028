import { readFileSync } from 'node:fs'

export type Verdict = 'parser_memory' | 'parser_timeout'

const POLL_MS = 50

export type Bounds = { memoryBytes: number /** may grow while it is watched */; timeoutMs: number }

/** Memory outside the heap has no limit of its own (PDFium, Tesseract, buffers): so what the child occupies is watched, and time with it. */
export function watchChild(pid: number, limits: Bounds, onVerdict: (verdict: Verdict) => void): Disposable {
  const started = performance.now()
  const timer = setInterval(() => {
    if (performance.now() - started > limits.timeoutMs) onVerdict('parser_timeout')
    else if (residentBytes(pid) > limits.memoryBytes) onVerdict('parser_memory')
  }, POLL_MS)
  return { [Symbol.dispose]: () => clearInterval(timer) }
}

/** Without the pages of program files, which the kernel takes back when it needs them; with them where it does not tell the two apart. */
function residentBytes(pid: number): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'latin1')
    const kB = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? 0)
    return (kB('RssAnon') + kB('RssShmem') || kB('VmRSS')) * 1024
  } catch (error) {
    // The child ended between two looks; its exit is handled elsewhere.
    if (error instanceof Error && 'code' in error) return 0
    throw error
  }
}
