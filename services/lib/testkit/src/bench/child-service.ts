import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from '@docent/kit/free-port'
import type { MemoryGroup } from './memory-group.ts'

export type ChildService = AsyncDisposable & {
  url: string
  /** seconds of CPU so far, user and system */
  cpuS(): number
  /** resident now, and the most so far, in MB */
  memory(): { rssMb: number; peakMb: number; anonMb: number }
}

export type ProgramOptions = {
  nodeFlags?: string[]
  readyPath?: string
  /** for a program without a door of HTTP */
  isReady?: () => Promise<boolean>
  limitMs?: number
  /** the limit of memory that the program and its children share */
  group?: MemoryGroup
}

const TICKS_PER_S = 100

/** User and system time of a process so far. */
export function cpuSecondsOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ')
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_S
}

/** A service as its container starts it, in a process of its own, so that its memory and CPU are its own. */
export async function startChild(
  service: 'retrieval' | 'embedder' | 'gateway' | 'ingest' | 'extractor',
  env: Record<string, string>,
  options: ProgramOptions = {},
): Promise<ChildService> {
  return startProgram(new URL(`../../../../${service}/src/main.ts`, import.meta.url), env, options)
}

/** BENCH_NODE_FLAGS: for all services of a run, as to see how little memory they do with, or to profile them. */
function givenFlags(): string[] {
  return (process.env.BENCH_NODE_FLAGS ?? '').split(' ').filter(Boolean)
}

/** Any program that listens on HOST and PORT. */
export async function startProgram(main: URL, env: Record<string, string>, options: ProgramOptions = {}): Promise<ChildService> {
  const port = await freePort()
  const [program, args] = options.group?.wrap(process.execPath) ?? [process.execPath, []]
  const child = spawn(program, [...args, ...(options.nodeFlags ?? []), ...givenFlags(), main.pathname], {
    env: { PATH: process.env.PATH, LOG_LEVEL: 'warn', METRICS_PORT: '0', ...env, HOST: '127.0.0.1', PORT: String(port) },
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  const ended = once(child, 'exit')
  const url = `http://127.0.0.1:${port}`
  const stop = async () => {
    child.kill('SIGTERM')
    await ended
  }
  const isReady =
    options.isReady ?? (async () => (await fetch(`${url}${options.readyPath ?? '/readyz'}`).catch(() => undefined))?.ok === true)
  const until = Date.now() + (options.limitMs ?? 120_000)
  for (;;) {
    if (await isReady()) break
    if (child.exitCode !== null || Date.now() > until) {
      await stop()
      throw new Error(`${main.pathname} did not become ready`)
    }
    await sleep(20)
  }
  const status = () => readFileSync(`/proc/${child.pid}/status`, 'utf8')
  const field = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status())?.[1]) / 1024
  return {
    url,
    cpuS: () => cpuSecondsOf(child.pid!),
    memory: () => ({ rssMb: field('VmRSS'), peakMb: field('VmHWM'), anonMb: field('RssAnon') }),
    [Symbol.asyncDispose]: stop,
  }
}
