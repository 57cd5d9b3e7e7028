import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

/** Identity of a living process: a pid alone may have been given to another process since it was recorded. */
export type ProcessMark = { pid: number; startedAt: string }

/** The mark of a living process (a zombie counts as dead), or undefined. */
export function markProcess(pid: number): ProcessMark | undefined {
  const stat = readProc(pid, 'stat')
  // The second field is the name in parentheses and may itself hold spaces and parentheses.
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ')
  if (!fields || fields[0] === 'Z' || fields[0] === 'X') return undefined
  return { pid, startedAt: `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()}/${fields[19]}` }
}

export function isRunning(mark: ProcessMark): boolean {
  return markProcess(mark.pid)?.startedAt === mark.startedAt
}

/** Sends the signal, and SIGKILL when the process is still there after graceMs; returns when it is gone. */
export async function endProcess(mark: ProcessMark, signal: NodeJS.Signals, graceMs: number): Promise<void> {
  sendSignal(mark, signal)
  if (await isGoneWithin(mark, graceMs)) return
  sendSignal(mark, 'SIGKILL')
  if (!(await isGoneWithin(mark, 5_000))) throw new Error(`process ${mark.pid} does not end, not even by SIGKILL`)
}

/** What /proc says of a process; undefined when it is gone or not ours to read. */
export function readProc(pid: number, file: 'stat' | 'cmdline'): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8')
  } catch {
    return undefined
  }
}

/** Nothing happens when the process is gone, or its pid is another's by now. */
export function sendSignal(mark: ProcessMark, signal: NodeJS.Signals): void {
  if (!isRunning(mark)) return
  try {
    process.kill(mark.pid, signal)
  } catch (error) {
    // It ended between the look and the signal.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

async function isGoneWithin(mark: ProcessMark, ms: number): Promise<boolean> {
  const deadline = performance.now() + ms
  while (isRunning(mark)) {
    if (performance.now() > deadline) return false
    await sleep(15)
  }
  return true
}
